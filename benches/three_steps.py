#!/usr/bin/env python3
"""Real input, both ways in one run: curate a folder of photos, train three steps at 512 px, save, reload, one image.

    python benches/three_steps.py --checkpoint sd15.safetensors --photos DIR --trigger WORD --class-word WORD

Runs likeness (curate, train, generate, each a process of its own) and then the same steps in diffusers + PEFT
(peer_three_steps.py, with the Python that runs this script), and prints one JSON object: wall seconds, CPU seconds and
peak memory (largest resident set) of each process. `make_sd15.py` makes a checkpoint.
"""

import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def measured(command):
    """Runs a command; (its stdout, {wall_s, cpu_s, peak_gib})."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        pid = subprocess.Popen(command, stdout=out, stderr=sys.stderr).pid
        _, status, usage = os.wait4(pid, 0)
        out.seek(0)
        text = out.read()
    if status != 0:
        sys.exit(f"`{' '.join(command)}` failed with status {status}")
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    return text, {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_gib": round(usage.ru_maxrss / 2**20, 2)}


def ours(a, work):
    """likeness: every stage, with the seconds of each training step from its log."""
    dataset, run = f"{work}/{a.trigger}.dataset", f"{work}/run"
    stages = {}
    curate = [a.likeness, "curate", a.photos, "--trigger", a.trigger, "--class", a.class_word, "--out", dataset]
    _, stages["curate"] = measured(curate)
    train = [a.likeness, "train", "--base", a.checkpoint, "--dataset", dataset, "--out", run, "--steps", str(a.steps)]
    _, stages["train"] = measured(train)
    with open(f"{run}/steps.jsonl") as f:
        steps = [json.loads(line) for line in f]
    stages["train"]["step_s"] = [round(1 / s["images_per_second"], 2) for s in steps]
    stages["train"]["losses"] = [round(s["loss"], 4) for s in steps]
    generate = [
        *(a.likeness, "generate", "--base", a.checkpoint, "--prompt", f"a photo of {a.trigger} {a.class_word}"),
        *("--lora", f"{run}/adapter.safetensors", "--size", "512x512", "--sampler", "ddim"),
        *("--steps", str(a.sample_steps), "--guidance", "7.5", "--out", f"{work}/ours.png"),
    ]
    _, stages["reload and generate"] = measured(generate)
    return stages


def peer(a, work):
    """diffusers + PEFT: one process, its own stages inside."""
    os.environ["OMP_WAIT_POLICY"] = "passive"
    picture = sorted(p for p in glob.glob(f"{a.photos}/*") if p.lower().endswith((".jpg", ".png")))[0]
    command = [
        *(sys.executable, f"{HERE}/peer_three_steps.py", "--checkpoint", a.checkpoint, "--picture", picture),
        *("--steps", str(a.steps), "--sample-steps", str(a.sample_steps), "--out", f"{work}/peer.png"),
    ]
    text, whole = measured(command)
    return {"whole": whole, "stages": json.loads(text[text.index("{") :])}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--likeness", default=os.path.join(HERE, "..", "target", "release", "likeness"))
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--photos", required=True)
    p.add_argument("--trigger", default="zorp")
    p.add_argument("--class-word", default="person")
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--sample-steps", type=int, default=4)
    p.add_argument("--only", choices=["ours", "peer"])
    a = p.parse_args()
    a.likeness = os.path.abspath(a.likeness)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as work:
        result = {"cores": len(os.sched_getaffinity(0)), "load_before": load}
        if a.only != "peer":
            result["likeness"] = ours(a, work)
        if a.only != "ours":
            result["diffusers + PEFT"] = peer(a, work)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
