#!/usr/bin/env python3
"""The gradient of every LoRA factor on one device, beside another's.

    benches/race/gradients.py cpu=FOLDER cuda=FOLDER --checkpoint PATH --inputs FILE [--dtype bf16]

Each FOLDER holds the `race` example (or `examples/race`) built for its device; PATH and FILE are what race.py keeps in
--work. The first device computes in f32 and is the reference. Every tensor must be there, finite and not zero; its
length (Euclidean norm) must be within 0.1 % of the reference's in f32 and 2 % in bf16, and the difference's length within
0.1 % and 10 %: the 8 bits of bf16 are rounded at each of a hundred products in a row, and PyTorch's own bf16 gradients of
the race's models are 4 % from its f32 ones, 8 % at the worst tensor. Prints one JSON object; exit status 1 if one fails.
"""

import argparse
import array
import json
import math
import os
import struct
import subprocess
import sys
import tempfile


def computed(device, folder, a, dtype, target):
    places = [f"{folder}/race", f"{folder}/examples/race"]
    binary = next((p for p in places if os.path.exists(p)), None)
    if binary is None:
        sys.exit(f"`{places[0]}` is not there; build it with `cargo build --release --example race`")
    command = [binary, "--part", "train", "--checkpoint", a.checkpoint, "--inputs", a.inputs]
    command += ["--device", device, "--dtype", dtype]
    done = subprocess.run(command, input=f"gradients {target}\nquit\n", capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{device} failed: {done.stderr.strip()}")
    with open(target, "rb") as f:
        length = struct.unpack("<Q", f.read(8))[0]
        header = json.loads(f.read(length))
        data = f.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            tensors[name] = array.array("f", data[start:end])
    return tensors


def size(values):
    return math.sqrt(sum(v * v for v in values))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("devices", nargs=2, metavar="DEVICE=FOLDER", help="the reference, then the one to be judged")
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--inputs", required=True)
    p.add_argument("--dtype", choices=["f32", "bf16"], default="f32", help="of the second device")
    a = p.parse_args()
    longer, apart = {"f32": (0.001, 0.001), "bf16": (0.02, 0.1)}[a.dtype]
    (reference_device, reference_folder), (device, folder) = (d.partition("=")[::2] for d in a.devices)
    with tempfile.TemporaryDirectory() as work:
        want = computed(reference_device, reference_folder, a, "f32", f"{work}/reference")
        got = computed(device, folder, a, a.dtype, f"{work}/judged")
    failed, worst, longest = [], (0.0, ""), (0.0, "")
    for name, reference in want.items():
        values, norm = got.get(name), size(reference)
        if values is None or len(values) != len(reference):
            failed.append(f"{name}: not there")
            continue
        error = size(g - w for g, w in zip(values, reference)) / norm if norm > 0 else math.inf
        length = abs(size(values) / norm - 1) if norm > 0 else math.inf
        if not math.isfinite(error) or size(values) == 0 or error > apart or length > longer:
            failed.append(f"{name}: off by {error:.2e}, its length by {length:.2e}")
        worst, longest = max(worst, (error, name)), max(longest, (length, name))
    total = size(v for name in want for v in want[name])
    square = sum((g - w) ** 2 for name in want for g, w in zip(got.get(name, ()), want[name]))
    print(json.dumps({
        "reference": reference_device, "device": device, "dtype": a.dtype, "tensors": len(want),
        "difference": math.sqrt(square) / total, "worst_difference": worst[0], "of": worst[1],
        "worst_length": longest[0], "length_of": longest[1], "failed": failed,
    }, indent=1))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
