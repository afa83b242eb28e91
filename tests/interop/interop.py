#!/usr/bin/env python3
"""Do LoRAs travel between likeness and the Python stack (diffusers, PEFT), in both directions?

    python interop.py --likeness target/release/likeness

Each check makes one picture twice, by likeness and by diffusers, from the same LoRA file and the same start latent
(sd15-tiny of tests/fixtures, DDIM, 8 steps, guidance 5), and compares the final latents within the fixtures' tolerance
and the pictures within one of 255 grey levels. diffusers must load the file without a single warning, and the LoRA
must change the picture. Prints a line a check, and exits with 1 if one fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from peer import GUIDANCE, NEGATIVE, PROMPT, STEPS, Peer, peft_loras  # first: it sets the offline environment

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

NOISE_FLOOR = 2.2e-5  # max |f32 - f64| of the reference after 8 steps
LEAST_EFFECT = 100  # a LoRA must move the latents by this many tolerances, else the comparison proves nothing


def tolerance(want):
    """The fixtures' rule."""
    return max(1e-5, 2e-5 * float(want.abs().max()), 20 * NOISE_FLOOR)


class Likeness:
    """The binary under test."""

    def __init__(self, binary, base, work, side):
        self.binary, self.base, self.work, self.side = binary, base, work, side
        self.calls = 0

    def run(self, *args):
        done = subprocess.run([self.binary, *map(str, args)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(
                f"`{' '.join(map(str, args))}` exited with {done.returncode}: {done.stderr.strip()[-600:]}"
            )

    def picture(self, loras, start_file):
        """(final scaled latents, picture as u8 [height, width, 3])."""
        self.calls += 1
        latents, png = (
            f"{self.work}/likeness-{self.calls}.safetensors",
            f"{self.work}/likeness-{self.calls}.png",
        )
        strengths = [x for path, s in loras for x in ("--lora", path if s == 1.0 else f"{path}={s}")]
        self.run(
            *("generate", "--base", self.base, "--prompt", PROMPT, "--negative", NEGATIVE),
            *("--steps", STEPS, "--guidance", f"{GUIDANCE:g}", "--sampler", "ddim", "--seed", 1),
            *("--size", f"{self.side}x{self.side}", *strengths),
            *("--latents", start_file, "--save-latents", latents, "--out", png),
        )
        return load_file(latents)["latents"], np.asarray(Image.open(png).convert("RGB"))

    def train(self):
        """Trains one LoRA; {format: file}."""
        photos, dataset, run = f"{self.work}/photos", f"{self.work}/sks.dataset", f"{self.work}/run"
        write_photos(photos)
        self.run(
            *("curate", photos, "--trigger", "sks", "--class", "character", "--out", dataset),
            *("--resolution", 128, "--bucket-step", 8, "--min-side", 128, "--no-faces"),
        )
        config = f"{self.work}/train.toml"
        with open(config, "w") as f:
            f.write(train_config(self.base, dataset, run))
        self.run("train", config)
        kohya, peft = f"{run}/adapter.safetensors", f"{run}/adapter-diffusers.safetensors"
        self.run("convert", kohya, "--base", self.base, "--to", "diffusers", "--out", peft)
        return {"kohya": kohya, "peft": peft}


def train_config(base, dataset, run):
    """The run file: ten steps on the UNet's attention and the text encoder, alpha half the rank."""
    return f"""\
base = "{base}"
dataset = "{dataset}"
out = "{run}"
seed = 1

[adapter]
rank = 4
alpha = 2.0
text_encoder = true

[train]
steps = 10
learning_rate = 1e-2
"""


def write_photos(folder):
    """Four pictures of noise with captions."""
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(7)
    for i in range(4):
        Image.fromarray(rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)).save(f"{folder}/{i}.png")
        with open(f"{folder}/{i}.txt", "w") as f:
            f.write(PROMPT + "\n")


class Checks:
    """Runs the checks one by one and keeps the count."""

    def __init__(self, likeness, peer, work):
        self.likeness, self.peer = likeness, peer
        side = peer.pipe.unet.config.sample_size
        self.start = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(2024))
        self.start_file = f"{work}/start.safetensors"
        save_file({"latents": self.start}, self.start_file)
        self.plain = peer.picture(peer.fresh(), self.start)[0]
        self.passed = self.failed = 0

    def report(self, ok, label, detail):
        self.passed, self.failed = self.passed + ok, self.failed + (not ok)
        print(f"{'PASS' if ok else 'FAIL'}  {label}: {detail}", flush=True)

    def run(self, label, make):
        """`make` gives (ok, detail); what it raises is a failure."""
        try:
            ok, detail = make()
        except Exception as error:  # a check that breaks must not hide the others
            if (
                not isinstance(error, (RuntimeError, OSError, KeyError))
                and "Warned" not in type(error).__name__
            ):
                traceback.print_exc()
            ok, detail = False, f"{type(error).__name__}: {error}"
        self.report(ok, label, detail)

    def same_picture(self, label, loras):
        self.run(label, lambda: self.compare(loras))

    def compare(self, loras):
        want, want_picture = (
            self.peer.with_loras(loras, self.start)
            if loras
            else self.peer.picture(self.peer.fresh(), self.start)
        )
        got, got_picture = self.likeness.picture(loras, self.start_file)
        if got.shape != want.shape or got_picture.shape != want_picture.shape:
            shapes = f"{list(got.shape)} {got_picture.shape}, not {list(want.shape)} {want_picture.shape}"
            return False, f"latents and picture have the shapes {shapes}"
        allowed = tolerance(want)
        error = float((got - want).abs().max()) / allowed
        levels = int(np.abs(got_picture.astype(int) - want_picture.astype(int)).max())
        effect = float((want - self.plain).abs().max()) / allowed
        ok = error <= 1.0 and levels <= 1 and (effect >= LEAST_EFFECT or not loras)
        detail = f"worst error / tolerance {error:.3f}, picture off by {levels} of 255"
        return ok, detail + (f", effect of the LoRA {effect:.0f} tolerances" if loras else "")


def parse_args():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--likeness", default=os.path.join(HERE, "..", "..", "target", "release", "likeness"))
    p.add_argument("--base", default=os.path.join(HERE, "..", "fixtures", "sd15-tiny", "pipeline"))
    p.add_argument("--kohya", help="a LoRA trained by likeness on the base, kohya names; else one is trained")
    p.add_argument("--peft", help="the same in PEFT names")
    p.add_argument("--keep", metavar="DIR", help="leave all files here")
    return p.parse_args()


def run_checks(a, work):
    torch.set_num_threads(1)
    base = os.path.abspath(a.base)
    peer = Peer(base)
    likeness = Likeness(os.path.abspath(a.likeness), base, work, peer.side)
    checks = Checks(likeness, peer, work)
    checks.same_picture("no LoRA", [])
    files = {k: os.path.abspath(v) for k, v in (("kohya", a.kohya), ("peft", a.peft)) if v}
    if len(files) < 2:

        def train():
            for name, path in likeness.train().items():
                files.setdefault(name, path)
            return True, "done"

        checks.run("likeness trains a LoRA", train)
    for name in ("kohya", "peft"):
        if name in files:
            checks.same_picture(f"trained by likeness, {name} names", [(files[name], 1.0)])
            checks.same_picture(f"trained by likeness, {name} names, at strength 0.6", [(files[name], 0.6)])
    made = peft_loras(peer, work)
    for label, path in made:
        checks.same_picture(f"trained by PEFT, {label}", [(path, 1.0)])
    checks.same_picture("trained by PEFT, at strength 0.5", [(made[2][1], 0.5)])
    checks.same_picture("two LoRAs at 0.7 and 0.4", [(made[6][1], 0.7), (made[3][1], 0.4)])
    return checks


def main():
    a = parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = os.path.abspath(a.keep) if a.keep else scratch
        os.makedirs(work, exist_ok=True)
        checks = run_checks(a, work)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
