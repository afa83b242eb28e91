#!/usr/bin/env python3
"""A pretraining in a given time, on a machine that is lent by the minute.

    benches/pretrain.py --binary likeness --device tch:cuda --seconds 540 --out runs/builtin [--from BASE]
                        [--parts autoencoder denoiser finder identity reader face-reader] [--speed denoiser=6800]

Renders the characters, then trains all parts at once: the encoder is computed, so that the denoiser waits for no other part.
How many steps each gets follows from its own speed: a part whose speed is not given begins with more steps than it can take,
is interrupted once its speed is known (its state is kept), and goes on with as many as the time allows, so that the learning
rate falls to zero at the end. With `--from`, a part that is left out stays as that base has it. Called again with the same
folder, the denoiser goes on. Whatever happens, everything is interrupted and exported before the time is up.
Writes `plan.json`: what was measured and chosen. Needs nothing but Python and the binary.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import time

STARTED = time.monotonic()
ENDLESS = 10**6  # steps
EXPORT = 20  # seconds that are kept for the end


def now():
    return time.monotonic() - STARTED


class Part:
    """One `likeness pretrain --only NAME`, begun anew as its steps become known."""

    def __init__(self, args, name):
        self.args, self.name, self.stage = args, name, name.replace("-", "_")
        self.process, self.steps, self.begun = None, None, None

    def start(self, steps, **values):
        args = self.args
        values |= {"corpus.characters": args.characters, "corpus.held_out_characters": args.held_out}
        if steps:
            values |= {
                f"{self.stage}.train.steps": steps,
                f"{self.stage}.train.save_every": steps if steps == ENDLESS else max(1, steps // 3),
            }
        command = [args.binary, "pretrain", args.config, "--out", str(args.out), "--only", self.name]
        command += ["--device", "cpu" if self.name == "corpus" else args.device]
        command += ["--from", args.base] if args.base and self.name in ("autoencoder", "denoiser", "base") else []
        command += [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        command += [word for value in args.set for word in ("--set", value)]
        with open(args.out / f"{self.name}.log", "a") as log:
            environment = os.environ | {"OMP_NUM_THREADS": "2"}
            if self.name != "corpus":
                environment |= {"RAYON_NUM_THREADS": str(max(2, (os.cpu_count() or 2) // 4))}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.steps, self.begun = steps, now()
        print(f"{now():6.1f} s  {self.name}: {'as many steps as it can' if steps == ENDLESS else steps or ''}", flush=True)

    def log(self):
        try:
            return [json.loads(line) for line in open(self.args.out / self.stage / "steps.jsonl")]
        except OSError:
            return []

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=40):
        if self.runs():
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(max(1, seconds))
            except subprocess.TimeoutExpired:
                self.process.kill()

    def possible(self, speed, until):
        """The steps at which it can be by then, at so many pictures a second."""
        done = (self.log() or [{"step": 0}])[-1]["step"]
        return done + max(50, int(0.95 * speed / self.args.batches[self.stage] * (until - now())))

    def settled(self, until):
        """Chooses the steps once the speed is known; whether they are chosen."""
        log = self.log()
        if self.steps != ENDLESS or not self.runs() or len(log) < 3 or now() - self.begun < 12:
            return self.steps not in (None, ENDLESS)
        self.stop()
        speed = max(line["images_per_second"] for line in self.log())
        self.start(self.possible(speed, until))
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--config", default="configs/builtin.toml")
    parser.add_argument("--device", default="tch:cuda")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--from", dest="base")
    parser.add_argument("--parts", nargs="*", default=["autoencoder", "denoiser"],
                        choices=["autoencoder", "denoiser", "finder", "identity", "reader", "face-reader"])
    parser.add_argument("--speed", nargs="*", default=[], metavar="PART=X", help="pictures a second, where known")
    parser.add_argument("--start", type=float, default=25, help="seconds from a start to its first step, with --speed")
    parser.add_argument("--characters", type=int, default=4800)
    parser.add_argument("--held-out", type=int, default=500)
    parser.add_argument("--autoencoder", type=float, default=0.6, help="share of the time at which the autoencoder ends")
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    batch = {line.split("=")[0]: int(line.split("=")[1]) for line in args.set if ".train.batch=" in line}
    usual = {"autoencoder": 8, "denoiser": 32, "finder": 64, "identity": 128, "reader": 64, "face_reader": 64}
    args.batches = {stage: batch.get(f"{stage}.train.batch", usual[stage]) for stage in usual}
    args.out.mkdir(parents=True, exist_ok=True)
    end = args.seconds - EXPORT

    corpus = Part(args, "corpus")
    corpus.start(0)
    corpus.process.wait()
    parts = [Part(args, name) for name in args.parts]
    speeds = dict(word.split("=") for word in args.speed)
    for part in parts:
        known = speeds.get(part.name)
        part.start(part.possible(float(known), end - args.start) if known else ENDLESS)
    # A restart renders nothing, but finds and encodes again: as long as from the start to the first step.
    while now() < end and any(part.runs() for part in parts):
        time.sleep(0.5)
        for part in parts:
            last = args.autoencoder * args.seconds if part.name == "autoencoder" else end
            part.settled(last - 12)
    for part in parts:
        if part.runs():
            part.process.send_signal(signal.SIGINT)
    for part in parts:
        part.stop(args.seconds - EXPORT / 2 - now())
    done = {part.stage: (part.log() or [{"step": 0}])[-1]["step"] for part in parts}
    steps = {f"{stage}.train.steps": done.get(stage, 0) for stage in ("autoencoder", "denoiser")}
    if args.base or all(steps.values()):
        base = Part(args, "base")
        base.start(0, **steps)
        base.process.wait()
    plan = {part.stage: {"steps": part.steps, "done": done[part.stage]} for part in parts}
    (args.out / "plan.json").write_text(json.dumps({"seconds": round(now(), 1), "parts": plan}, indent=1) + "\n")
    print(json.dumps(plan))


if __name__ == "__main__":
    main()
