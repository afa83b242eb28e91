#!/usr/bin/env python3
"""How long curation takes: `likeness curate` beside cleanvision + imagededup + an ONNX face pipeline, in turn.

    benches/curation/speed.py --photos PORTRAITS --models MODELS

Makes a virtual environment of requirements.txt beside this file (or takes --python), makes --count photos of 12
megapixels from the portraits in --photos (enlarged, moved, with noise, as JPEG), and curates them by each side --turns
times, A B A B, with all cores. MODELS holds yunet_n_640_640.onnx and mobileface_V2_112.onnx for both. Each turn of
likeness begins without a dataset; --again also times a second curation, which finds all in its cache. Prints medians,
the peak of the memory of all processes together, and the ratio.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MAKE = """
import sys, glob, random
import numpy as np
from PIL import Image
source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
paths = sorted(p for p in glob.glob(source + "/*") if p.lower().endswith((".jpg", ".jpeg", ".png")))
for number in range(count):
    dice, noise = random.Random(number), np.random.default_rng(number)
    picture = Image.open(paths[number % len(paths)]).convert("RGB")
    width, height = picture.size
    cut = dice.uniform(0.0, 0.06)
    box = (width * cut * dice.random(), height * cut * dice.random(), width * (1 - cut * dice.random()), height * (1 - cut * dice.random()))
    scale = (12e6 / ((box[2] - box[0]) * (box[3] - box[1]))) ** 0.5
    size = (round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale))
    large = np.asarray(picture.resize(size, Image.BICUBIC, box=box), np.float32)
    large = large * dice.uniform(0.8, 1.1) + noise.normal(0, 4, large.shape).astype(np.float32)
    Image.fromarray(large.clip(0, 255).astype(np.uint8)).save(f"{target}/photo{number:05}.jpg", quality=90)
"""


def environment(folder):
    """A Python with the peer in it."""
    python = os.path.join(folder, "venv", "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", os.path.join(folder, "venv")], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", os.path.join(HERE, "requirements.txt")], check=True)
    return python


def family(pid):
    """A process and all that it started."""
    found, open_ = [], [pid]
    while open_:
        found.append(open_.pop())
        try:
            for task in os.listdir(f"/proc/{found[-1]}/task"):
                with open(f"/proc/{found[-1]}/task/{task}/children") as file:
                    open_ += [int(child) for child in file.read().split()]
        except OSError:
            pass
    return found


def resident(pid):
    """Bytes of memory that a process has to itself, and its share of what it has with others."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return sum(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))
    except OSError:
        return 0


def timed(command):
    """Seconds, seconds of processor time, the largest memory in MiB, and what the command printed."""
    began, before = time.monotonic(), os.times()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak, over = [0], threading.Event()

    def watch():
        while not over.wait(0.2):
            peak[0] = max(peak[0], sum(resident(pid) for pid in family(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    printed, _ = process.communicate()
    seconds, after = time.monotonic() - began, os.times()
    over.set()
    watcher.join()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}")
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return dict(seconds=seconds, processor_seconds=processor, peak_mib=peak[0] / 2**20), printed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, help="folder of portraits to make large photos from")
    parser.add_argument("--models", required=True, help="folder of the two face models")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--likeness", help="the binary; built unless given")
    parser.add_argument("--python", help="a Python with requirements.txt; made unless given")
    parser.add_argument("--work", help="folder for photos and the environment; a temporary one unless given")
    parser.add_argument("--again", action="store_true", help="time a second curation, too")
    parser.add_argument("--out", help="file for the figures as JSON")
    args = parser.parse_args()
    work = args.work or tempfile.mkdtemp()
    photos, dataset = os.path.join(work, f"photos-{args.count}"), os.path.join(work, "it.dataset")
    python = args.python or environment(work)
    binary = args.likeness or os.path.join(ROOT, "target", "release", "likeness")
    if not args.likeness:
        subprocess.run(["cargo", "build", "--release"], cwd=ROOT, check=True)
    if not os.path.isdir(photos):
        os.makedirs(photos + ".partial", exist_ok=True)
        subprocess.run([python, "-c", MAKE, args.photos, photos + ".partial", str(args.count)], check=True)
        os.rename(photos + ".partial", photos)
    curate = [binary, "curate", photos, "--trigger", "it", "--models", args.models, "--out", dataset, "--json"]
    peer = [python, os.path.join(HERE, "peer.py"), photos, "--models", args.models]
    turns = {"likeness": [], "again": [], "peer": []}
    for _ in range(args.turns):
        shutil.rmtree(dataset, ignore_errors=True)
        figures, printed = timed(curate)
        turns["likeness"].append(figures)
        records = json.loads(printed)["records"]
        if args.again:
            turns["again"].append(timed(curate)[0])
        figures, printed = timed(peer)
        turns["peer"].append(figures | json.loads(printed))
    median = lambda side, key: statistics.median(turn[key] for turn in turns[side])
    faces = sum(bool(record["faces"]) for record in records)
    print(f"{args.count} photos; likeness found a face in {faces}, the peer in {turns['peer'][-1]['faces']}")
    print(f"{'':10} {'seconds':>9} {'processor s':>12} {'peak MiB':>9}")
    for side in [side for side, runs in turns.items() if runs]:
        print(f"{side:10} {median(side, 'seconds'):9.2f} {median(side, 'processor_seconds'):12.2f} {median(side, 'peak_mib'):9.0f}")
    ratios = {key: median("likeness", key) / median("peer", key) for key in ("seconds", "processor_seconds")}
    print(f"ratio {ratios['seconds']:.3f} by the clock, {ratios['processor_seconds']:.3f} by processor time")
    if args.out:
        machine = dict(system=platform.platform(), cores=os.cpu_count(), date=datetime.date.today().isoformat())
        with open(args.out, "w") as file:
            json.dump(dict(machine=machine, count=args.count, turns=turns, ratios=ratios), file, indent=1)


if __name__ == "__main__":
    main()
