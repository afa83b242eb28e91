#!/usr/bin/env python3
"""Which copies of photos `likeness curate` and imagededup find, in the same folder.

    benches/curation/duplicates.py --photos FOLDER --out DIR [--likeness BINARY] [--python PYTHON]

Makes twelve copies of every photo in FOLDER and its subfolders: encoded anew, scaled, squeezed, cut, mirrored, toned. Both
sides look at all of them. A copy is found where it is joined to its own original or another copy of it, and wrong where
it is joined to anything else. imagededup joins what its hashes differ by at most ten bits in, its default. Makes a virtual
environment of requirements.txt in --out, or takes --python.
"""

import argparse
import collections
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SIDE = 720  # pixels of the longer side, at most
MAKE = f"""
import glob, sys
from PIL import Image, ImageOps
source, target = sys.argv[1:3]
paths = sorted(p for p in glob.glob(source + "/**/*", recursive=True) if p.lower().endswith((".jpg", ".jpeg", ".png")))
for number, path in enumerate(paths):
    picture = Image.open(path).convert("RGB")
    picture.thumbnail(({SIDE}, {SIDE}))
    width, height = picture.size
    cut = lambda share: picture.crop((int(width * share), int(height * share), int(width * (1 - share)), int(height * (1 - share))))
    changed = [
        ("original", picture, 92), ("encoded at 30", picture, 30), ("half the size", picture.resize((width // 2, height // 2)), 90),
        ("squeezed to a square", picture.resize((500, 500)), 90), ("5 % cut off each side", cut(0.05), 90),
        ("10 % cut off each side", cut(0.1), 90), ("15 % cut off each side", cut(0.15), 90),
        ("15 % cut off the left", picture.crop((int(width * 0.15), 0, width, height)), 90),
        ("in a mirror", ImageOps.mirror(picture), 90), ("in a mirror, 8 % cut off", ImageOps.mirror(cut(0.08)), 80),
        ("brighter by 15 %", picture.point(lambda v: min(255, int(v * 1.15))), 90),
        ("contrast up by 20 %", picture.point(lambda v: max(0, min(255, int((v - 128) * 1.2 + 128)))), 90),
        ("grey", ImageOps.grayscale(picture).convert("RGB"), 80),
    ]
    for name, image, quality in changed:
        image.save(f"{{target}}/{{number:04}}-{{name}}.jpg", quality=quality)
"""
PEER = """
import json, sys, warnings
warnings.filterwarnings("ignore")
from imagededup.methods import AHash, DHash, PHash, WHash
if __name__ == "__main__":
    found = {}
    for name, method in (("PHash", PHash), ("DHash", DHash), ("WHash", WHash), ("AHash", AHash)):
        found[name] = method(verbose=False).find_duplicates(image_dir=sys.argv[1])
    json.dump(found, open(sys.argv[2], "w"))
"""


def photo(name):
    return name[:4]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="folder of photos")
    parser.add_argument("--out", required=True, help="folder of what is made; new, or of an earlier run")
    parser.add_argument("--likeness", default=os.path.join(ROOT, "target", "release", "likeness"))
    parser.add_argument("--python", help="a Python with imagededup and pillow")
    args = parser.parse_args()
    out = os.path.abspath(args.out)
    pictures, python = os.path.join(out, "pictures"), args.python
    os.makedirs(out, exist_ok=True)
    if not python:
        python = os.path.join(out, "venv", "bin", "python")
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", os.path.join(out, "venv")], check=True)
            needed = os.path.join(HERE, "requirements.txt")
            subprocess.run([python, "-m", "pip", "install", "-q", "-r", needed], check=True)
    if not os.path.isdir(pictures):
        os.makedirs(pictures + ".partial", exist_ok=True)
        subprocess.run([python, "-c", MAKE, os.path.abspath(args.photos), pictures + ".partial"], check=True)
        os.rename(pictures + ".partial", pictures)
    script, answer = os.path.join(out, "peer.py"), os.path.join(out, "peer.json")
    with open(script, "w") as file:
        file.write(PEER)
    subprocess.run([python, script, pictures, answer], check=True, stdout=subprocess.DEVNULL)
    with open(answer) as file:
        joined = {f"imagededup {name}": found for name, found in json.load(file).items()}
    dataset = os.path.join(out, "it.dataset")
    command = [args.likeness, "curate", pictures, "--trigger", "it", "--out", dataset, "--no-faces", "--min-side", "16",
               "--resolution", "256"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(dataset, "images.jsonl")) as lines:
        records = {r["path"]: r for r in map(json.loads, lines)}
    ours = collections.defaultdict(set)
    for name, record in records.items():
        if record["duplicate_of"]:  # said of the one, true of both
            ours[name].add(record["duplicate_of"])
            ours[record["duplicate_of"]].add(name)
    joined["likeness"] = ours
    # What is dropped as blurred or dark is compared with nothing.
    judged = [name for name, r in records.items() if r["duplicate_of"] or r["verdict"] != "drop"]
    standing = collections.Counter(map(photo, judged))
    judged = [name for name in judged if standing[photo(name)] > 1]
    print(f"{len(standing)} photos, {len(records)} files, {len(judged)} judged\n")
    changes = sorted({name[5:-4] for name in judged} - {"original"})
    print("| | " + " | ".join(joined) + " |\n| --- |" + " ---: |" * len(joined))
    share = lambda part, whole: f"{100 * part / max(whole, 1):.1f} %"
    own = lambda found, name: any(photo(other) == photo(name) for other in found.get(name, ()))
    other = lambda found, name: any(photo(other) != photo(name) for other in found.get(name, ()))
    for change in changes:
        of_it = [name for name in judged if name[5:-4] == change]
        shares = [share(sum(own(found, name) for name in of_it), len(of_it)) for found in joined.values()]
        print(f"| {change}: found | " + " | ".join(shares) + " |")
    for word, test in (("all: found", own), ("joined to another photo, too", other)):
        shares = [share(sum(test(found, name) for name in judged), len(judged)) for found in joined.values()]
        print(f"| {word} | " + " | ".join(shares) + " |")


if __name__ == "__main__":
    main()
