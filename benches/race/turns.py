"""Processes that take turns, and what the machine did meanwhile."""

import json
import os
import statistics
import subprocess
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
LEAST_TURN_S = 0.3  # how long the slowest side's turn is at least, up to 10 runs


class Racer:
    """A process that speaks the protocol of ours.rs and peer.py. One at a time is given work."""

    def __init__(self, name, command, log):
        self.name, self.log = name, log
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "w"), text=True, bufsize=1
        )

    def hear(self):
        """The next JSON line; a process that ended instead is an error that shows its last words."""
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.process.wait()
        with open(self.log) as f:
            words = f.read().strip().splitlines()[-4:]
        raise RuntimeError(f"{self.name} ended with status {self.process.returncode}: {' | '.join(words)}")

    def ask(self, command):
        try:
            self.process.stdin.write(command + "\n")
        except BrokenPipeError:
            pass  # hear() says why
        return self.hear()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return sum(int(v) for v in fields[11:15]) / TICKS  # its own and its ended children's

    def end(self):
        if self.process.poll() is None:
            try:
                self.process.stdin.write("quit\n")
                self.process.stdin.close()
                self.process.wait(30)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()


class Quiet:
    """How many cores programs outside the race used while it lasted: 0 on a quiet machine."""

    def __init__(self, racers=()):
        self.racers = list(racers)
        self.begin = self.now(self.racers)

    @staticmethod
    def now(racers):
        with open("/proc/stat") as f:
            v = [int(x) for x in f.readline().split()[1:8]]
        busy = (v[0] + v[1] + v[2] + v[5] + v[6]) / TICKS
        t = os.times()
        # Waited-for children count as ours: a launch, a racer that ended.
        ours = t.user + t.system + t.children_user + t.children_system
        return time.monotonic(), busy - ours - sum(r.cpu_seconds() for r in racers)

    def other_cores(self):
        (then, before), (now, after) = self.begin, self.now(self.racers)
        return round(max(0.0, after - before) / max(now - then, 1e-9), 3)


def gpu_query(fields):
    """A line of nvidia-smi, or nothing where there is none."""
    try:
        command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


class GpuMemory:
    """The most GPU memory that came on top of what was used at the start, in GiB.

    Whole-GPU numbers, since a container does not see its processes there: so only one program may grow meanwhile.
    """

    def __init__(self, wanted):
        used = gpu_query("memory.used") if wanted else None
        self.before = self.most = int(used) if used else None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while not self.done.wait(0.1):
            self.most = max(self.most, int(gpu_query("memory.used") or 0))

    def __enter__(self):
        if self.before is not None:
            self.thread.start()
        return self

    def __exit__(self, *_):
        if self.before is not None:
            self.done.set()
            self.thread.join()
            self.most = max(self.most, int(gpu_query("memory.used") or 0))

    def gib(self):
        return None if self.before is None else round((self.most - self.before) / 1024, 3)


def summary(seconds):
    return {
        "median": statistics.median(seconds),
        "min": min(seconds),
        "max": max(seconds),
        "all": [round(s, 6) for s in seconds],
    }


def race(starters, commands, plan, work):
    """Runs `commands` on every side in turn.

    A side is started and warmed up alone, so that what GPU memory grows by is its own; it stays loaded while the
    others are, and waits. A side that fails is left out of what follows.

    Returns `measured` {command: {side: numbers}}, `peaks` {side: memory, versions}, `other_cores`, `failed`
    {side: why}, and `outputs` {command: {side: a file with the result of the very first run}}.
    """
    racers, hello, first, slowest, gpu, failed = {}, {}, {}, {}, {}, {}
    outputs = {c: {} for c in commands}
    runs = {c: {} for c in commands}

    def attempt(name, work):
        try:
            work()
        except RuntimeError as error:
            failed[name] = str(error)
            if name in racers:
                racers.pop(name).end()

    def warm_up(name):
        racer = racers[name] = starters[name]()
        hello[name] = racer.hear()
        for command in commands:
            target = f"{work}/{command}-{len(racers)}.safetensors"
            first[command, name] = racer.ask(f"{command} {target}")
            outputs[command][name], runs[command][name] = target, []
            warm = [first[command, name], *(racer.ask(command) for _ in range(plan["warmup"] - 1))]
            slowest[command] = max(min(a["seconds"] for a in warm), slowest.get(command, 0.0))

    def take_turn(name, command):
        # Short work is done more than once before the next one's turn, by every side alike.
        for _ in range(max(1, min(10, round(LEAST_TURN_S / slowest[command])))):
            runs[command][name].append(racers[name].ask(command))

    try:
        for name in starters:
            with GpuMemory(plan["gpu"]) as memory:
                attempt(name, lambda: warm_up(name))
            gpu[name] = memory.gib()
        quiet = Quiet(racers.values())
        for command in commands:
            for _ in range(plan["turns"]):
                for name in list(racers):
                    attempt(name, lambda: take_turn(name, command))
        other = quiet.other_cores() if not failed else None
    finally:
        for racer in racers.values():
            racer.end()
    measured = {c: {n: numbers(first[c, n], runs[c][n]) for n in racers} for c in commands}
    answers = {name: [a for c in commands for a in runs[c][name]] for name in racers}
    peaks = {
        name: {
            "memory_gib": round(max(a["peak_gib"] for a in answers[name]), 3),
            "gpu_gib": gpu[name],
            "load_s": round(hello[name]["seconds"], 3),
            "versions": hello[name]["ready"],
        }
        for name in racers
    }
    return {"measured": measured, "peaks": peaks, "other_cores": other, "failed": failed, "outputs": outputs}


def numbers(first, answers):
    row = summary([a["seconds"] for a in answers])
    row["first_s"] = round(first["seconds"], 6)
    if first["loss"] is not None:
        row["first_loss"], row["losses"] = first["loss"], [round(a["loss"], 6) for a in answers]
    return row
