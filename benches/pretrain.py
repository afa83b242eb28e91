#!/usr/bin/env python3
"""A pretraining in a given time, on a machine that is lent by the minute.

    benches/pretrain.py --binary likeness --device tch:cuda --seconds 540 --out runs/builtin [--from BASE]
                        [--judges finder identity reader] [--characters 4800] [--first 1000]

Renders the first characters, then trains the autoencoder on them while the others are rendered, then the judges that are
asked for beside the denoiser. How many steps each gets follows from its own speed: a part begins with more steps than it
can take, is interrupted once its speed is known (its state is kept), and goes on with as many as the time allows, so that
the learning rate falls to zero at the end. Whatever happens, everything is interrupted and exported before the time is up.
Writes `plan.json`: what was measured and chosen. Needs nothing but Python and the binary.
"""

import argparse
import json
import os
import pathlib
import shutil
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

    def __init__(self, args, name, stage, folder, threads, characters, held_out):
        self.args, self.name, self.stage, self.folder = args, name, stage, pathlib.Path(folder)
        self.threads, self.sizes, self.process, self.steps, self.begun = threads, (characters, held_out), None, None, None

    def start(self, steps, **values):
        characters, held_out = self.sizes
        values |= {"corpus.characters": characters, "corpus.held_out_characters": held_out}
        if steps:
            values |= {f"{self.stage}.train.steps": steps, f"{self.stage}.train.save_every": steps if steps == ENDLESS else max(1, steps // 3)}
        command = [self.args.binary, "pretrain", self.args.config, "--out", str(self.folder), "--only", self.name]
        command += ["--device", self.args.device if self.stage else "cpu"]
        command += ["--from", self.args.base] if self.args.base and self.stage in ("autoencoder", "denoiser") else []
        command += [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        command += [word for value in self.args.set for word in ("--set", value)]
        with open(self.args.out / f"{self.folder.name}-{self.name}.log", "a") as log:
            environment = os.environ | {"RAYON_NUM_THREADS": str(self.threads), "OMP_NUM_THREADS": "2"}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.steps, self.begun = steps, now()
        print(f"{now():6.1f} s  {self.name}: {'as many steps as it can' if steps == ENDLESS else steps or ''}", flush=True)

    def log(self):
        try:
            return [json.loads(line) for line in open(self.folder / self.stage / "steps.jsonl")]
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

    def settled(self, until, **values):
        """Chooses the steps once the speed is known; whether they are chosen."""
        log = self.log()
        if self.steps != ENDLESS or not self.runs() or len(log) < 3 or now() - self.begun < 12:
            return self.steps not in (None, ENDLESS)
        self.stop()
        log = self.log()
        # A line of the log every 50 steps; its images a second over those of a step.
        speed = max(line["images_per_second"] for line in log) / self.args.batches[self.stage]
        self.start(log[-1]["step"] + max(50, int(0.95 * speed * (until - now()))), **values)
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--config", default="configs/builtin.toml")
    parser.add_argument("--device", default="tch:cuda")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--from", dest="base")
    parser.add_argument("--judges", nargs="*", default=[], choices=["finder", "identity", "reader"])
    parser.add_argument("--characters", type=int, default=4800)
    parser.add_argument("--held-out", type=int, default=500)
    parser.add_argument("--first", type=int, default=1000, help="characters that the autoencoder learns from")
    parser.add_argument("--autoencoder", type=float, default=0.25, help="share of the time at which the autoencoder ends")
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    batch = {line.split("=")[0]: int(line.split("=")[1]) for line in args.set if ".train.batch=" in line}
    usual = {"autoencoder": 32, "denoiser": 256, "finder": 64, "identity": 128, "reader": 64}
    args.batches = {stage: batch.get(f"{stage}.train.batch", usual[stage]) for stage in usual}
    args.out.mkdir(parents=True)
    cores = os.cpu_count() or 2
    end = args.seconds - EXPORT
    first, whole = args.out / "first", args.out / "whole"

    small = (args.first, max(1, args.first // 20))
    rendering = Part(args, "corpus", "", first, cores, *small)
    rendering.start(0)
    rendering.process.wait()
    shutil.copytree(first / "corpus", whole / "corpus")
    full = (args.characters, args.held_out)
    rendering = Part(args, "corpus", "", whole, max(1, cores - 4), *full)
    rendering.start(0)
    autoencoder = Part(args, "autoencoder", "autoencoder", first, 4, *small)
    autoencoder.start(ENDLESS)
    judges = [Part(args, name, name, whole, 4, *full) for name in args.judges]
    base = Part(args, "base", "denoiser", whole, 4, *full)
    while now() < end:
        time.sleep(0.5)
        autoencoder.settled(args.autoencoder * args.seconds)
        if rendering.runs():
            continue
        for judge in judges:
            if judge.begun is None:
                judge.start(ENDLESS)
            judge.settled(end - 12)
        if base.begun is None and autoencoder.steps != ENDLESS and not autoencoder.runs():
            shutil.copytree(first / "autoencoder", whole / "autoencoder")
            base.start(ENDLESS, **{"autoencoder.train.steps": autoencoder.steps})
        if base.begun is not None:
            # The latents are made again after the interruption: as long as from the start to the first step.
            base.settled(end - 12 - (15 if base.steps == ENDLESS else 0), **{"autoencoder.train.steps": autoencoder.steps})
            if not base.runs() and base.steps != ENDLESS and not any(judge.runs() for judge in judges):
                break
    for part in [rendering, autoencoder, base, *judges]:
        if part.runs():
            part.process.send_signal(signal.SIGINT)
    for part in [rendering, autoencoder, base, *judges]:
        part.stop(args.seconds - 2 - now())
    parts = [autoencoder, base, *judges]
    plan = {part.stage: {"steps": part.steps, "done": (part.log() or [{"step": 0}])[-1]["step"]} for part in parts}
    (args.out / "plan.json").write_text(json.dumps({"seconds": round(now(), 1), "parts": plan}, indent=1) + "\n")
    print(json.dumps(plan))


if __name__ == "__main__":
    main()
