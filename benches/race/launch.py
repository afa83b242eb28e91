"""From launch to the end of the first training step, with latents and text states cached."""

import json
import os
import shutil
import subprocess
import time

from turns import Quiet, Racer, summary


def run(command, log):
    """Runs a command to its end; its peak of resident memory in GiB."""
    with open(log, "w") as f:
        process = subprocess.Popen(command, stdout=f, stderr=f)
        return ended(process, command, log)


def ended(process, command, log):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status != 0:
        with open(log) as f:
            raise RuntimeError(f"`{' '.join(command)}` failed: {' | '.join(f.read().strip().splitlines()[-4:])}")
    return usage.ru_maxrss / 2**20


class Ours:
    """`likeness train` on a curated folder of photos whose cache an earlier run filled."""

    def __init__(self, likeness, device, setting, work):
        self.likeness, self.setting, self.work = likeness, setting, work
        self.device = device
        self.filled = f"{work}/filled"

    def command(self, out, steps):
        batch = self.setting["batch"]
        return [
            *(self.likeness, "train", "--device", self.device, "--base", self.setting["checkpoint"]),
            *("--dataset", f"{self.work}/zorp.dataset", "--out", out, "--steps", str(steps)),
            *("--set", f"train.batch={batch}", "--set", "train.log_every=1"),
        ]

    def prepare(self, photos, side):
        """Curates, and trains three steps: what they took says that the race measures what `train` does."""
        curate = [
            *(self.likeness, "curate", photos, "--trigger", "zorp", "--no-faces"),
            *("--resolution", str(side), "--min-side", str(side), "--bucket-step", str(min(64, side // 4)), "--out", f"{self.work}/zorp.dataset"),
        ]
        run(curate, f"{self.work}/curate.log")
        peak = run(self.command(self.filled, 3), f"{self.work}/fill.log")
        with open(f"{self.filled}/steps.jsonl") as f:
            steps = [json.loads(line) for line in f]
        seconds = [round(self.setting["batch"] / s["images_per_second"], 4) for s in steps]
        return {"step_s": seconds, "memory_gib": round(peak, 3), "losses": [s["loss"] for s in steps]}

    def launch(self, number):
        """Seconds from the start of the process to the first line of its log of steps."""
        out = f"{self.work}/launch-{number}"
        os.makedirs(out)
        shutil.copy(f"{self.filled}/run.toml", out)  # by which it is known as a run's folder
        shutil.copytree(f"{self.filled}/cache", f"{out}/cache")
        command, log, steps = self.command(out, 1), f"{out}.log", f"{out}/steps.jsonl"
        with open(log, "w") as f:
            begin = time.monotonic()
            process = subprocess.Popen(command, stdout=f, stderr=f)
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                if os.path.exists(steps) and os.path.getsize(steps) > 0:
                    break
                time.sleep(0.002)
            seconds = time.monotonic() - begin
            ended(process, command, log)
        shutil.rmtree(out)
        return seconds


class Peer:
    """peer.py --part train: imports, the UNet from the file, the adapter, cached latents, one step."""

    def __init__(self, name, command, work):
        self.name, self.command, self.work = name, command, work

    def launch(self, number):
        begin = time.monotonic()
        racer = Racer(self.name, self.command, f"{self.work}/launch-peer-{number}.log")
        try:
            racer.hear()
            racer.ask("train")
            return time.monotonic() - begin
        finally:
            racer.end()


def race(sides, launches):
    """({side: numbers}, other_cores) of launching every side in turn."""
    seconds = {name: [] for name in sides}
    quiet = Quiet()
    for number in range(launches):
        for name, side in sides.items():
            seconds[name].append(side.launch(number))
    return {name: summary(s) for name, s in seconds.items()}, quiet.other_cores()
