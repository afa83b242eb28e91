#!/usr/bin/env python3
"""Whether `likeness curate` ranks photos as cleanvision does, where both measure the same.

    benches/curation/oracle.py --photos FOLDER --out DIR [--likeness BINARY]

Takes every photo in FOLDER and its subfolders, as it is and changed in exposure and sharpness, lets both sides measure all
of them, and prints Spearman's rank correlation of each pair of measures. Makes a virtual environment with cleanvision in
--out, or takes --python.
"""

import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SIDE = 720  # pixels of the longer side, at most
MAKE = f"""
import glob, os, sys
from PIL import Image, ImageEnhance, ImageFilter
source, target = sys.argv[1:3]
paths = sorted(p for p in glob.glob(source + "/**/*", recursive=True) if p.lower().endswith((".jpg", ".jpeg", ".png")))
for number, path in enumerate(paths):
    picture = Image.open(path).convert("RGB")
    picture.thumbnail(({SIDE}, {SIDE}))
    side = max(picture.size)
    stops = lambda n: picture.point(lambda v: min(255, round(255 * ((v / 255) ** 2.2 * 2.0 ** n) ** (1 / 2.2))))
    soft = lambda share: picture.filter(ImageFilter.GaussianBlur(side * share))
    changed = dict(plain=picture, dark1=stops(-1), dark2=stops(-2), dark3=stops(-3), light1=stops(1), light2=stops(2),
                   soft1=soft(0.002), soft2=soft(0.005), soft3=soft(0.01))
    for name, image in changed.items():
        image.save(f"{{target}}/{{number:04}}-{{name}}.jpg", quality=95)
"""
PEER = """
import json, sys
from cleanvision import Imagelab
lab = Imagelab(data_path=sys.argv[1])
lab.find_issues({"dark": {}, "light": {}, "blurry": {}, "low_information": {}}, verbose=False)
columns = ["dark_score", "light_score", "blurry_score"]
print(json.dumps({path.split("/")[-1]: {c: float(row[c]) for c in columns} for path, row in lab.issues.iterrows()}))
"""
# cleanvision's score, our measure, and whether ours is the other way round.
PAIRS = [
    ("dark_score", "picture_p99", 1, "the 99th percentile of light"),
    ("light_score", "picture_p5", -1, "the 5th percentile of light"),
    ("blurry_score", "picture_detail", 1, "detail"),
]


def ranks(values):
    """Ranks from 0, the mean of them for equal values."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found, start = [0.0] * len(values), 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for at in order[start:end]:
            found[at] = (start + end - 1) / 2
        start = end
    return found


def spearman(a, b):
    a, b = ranks(a), ranks(b)
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    product = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    squares = [sum((x - mean) ** 2 for x in values) for values, mean in ((a, mean_a), (b, mean_b))]
    return product / (squares[0] * squares[1]) ** 0.5


def told_apart(measure, sharp, soft):
    """The share of all pairs of a sharp and a soft picture in which the sharp one has more of the measure."""
    pairs = [(measure(a), measure(b)) for a in sharp for b in soft]
    return sum(a > b for a, b in pairs) / len(pairs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="folder of photos")
    parser.add_argument("--out", required=True, help="folder of what is made; new, or of an earlier run")
    parser.add_argument("--likeness", default=os.path.join(ROOT, "target", "release", "likeness"))
    parser.add_argument("--python", help="a Python with cleanvision and pillow")
    args = parser.parse_args()
    out = os.path.abspath(args.out)
    pictures, python = os.path.join(out, "pictures"), args.python
    os.makedirs(out, exist_ok=True)
    if not python:
        python = os.path.join(out, "venv", "bin", "python")
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", os.path.join(out, "venv")], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "cleanvision==0.3.7", "pillow"], check=True)
    if not os.path.isdir(pictures):
        os.makedirs(pictures)
        subprocess.run([python, "-c", MAKE, os.path.abspath(args.photos), pictures], check=True)
    peer = subprocess.run([python, "-c", PEER, pictures], check=True, stdout=subprocess.PIPE, text=True).stdout
    theirs = json.loads(peer.splitlines()[-1])
    dataset = os.path.join(out, "oracle.dataset")
    command = [args.likeness, "curate", pictures, "--trigger", "oracle", "--out", dataset, "--min-side", "1"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(dataset, "images.jsonl")) as lines:
        records = [json.loads(line) for line in lines]
    ours = {r["path"]: {m["name"]: m["value"] for m in r["measures"]} for r in records}
    both = sorted(set(ours) & set(theirs))
    print(f"{len(both)} pictures\n\n| cleanvision | likeness | what | Spearman |\n| --- | --- | --- | ---: |")
    for score, measure, sign, what in PAIRS:
        names = [name for name in both if measure in ours[name]]
        found = sign * spearman([theirs[n][score] for n in names], [ours[n][measure] for n in names])
        print(f"| `{score}` | `{measure}` | {what} | {found:.3f} |")
    changed = lambda name: [n for n in both if n.endswith(f"-{name}.jpg")]
    print("\n| Sharp and softened told apart | cleanvision | likeness |\n| --- | ---: | ---: |")
    for name, what in (("soft1", "0.2 %"), ("soft2", "0.5 %"), ("soft3", "1 %")):
        shares = [told_apart(of, changed("plain"), changed(name)) for of in
                  (lambda n: theirs[n]["blurry_score"], lambda n: ours[n]["picture_detail"])]
        print(f"| by a blur of {what} of the longer side | " + " | ".join(f"{100 * s:.1f} %" for s in shares) + " |")


if __name__ == "__main__":
    main()
