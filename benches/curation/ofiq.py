#!/usr/bin/env python3
"""Whether `likeness curate` ranks faces as the formulas of OFIQ do, where both measure the same.

    benches/curation/ofiq.py --photos FOLDER --models DIR --out DIR [--likeness BINARY] [--judged FILE]

OFIQ (BSI, the reference implementation of ISO/IEC 29794-5) keeps its networks outside of its repository, so it cannot be run
whole. The measures that need no network but landmarks are computed here by its formulas (OFIQlib/modules/measures/src and
utils/src/image_utils.cpp), on its aligned face of 616 px, from the five landmarks that the detector in --models found. Its
region of the face, the hull of 98 landmarks, is here the ellipse that likeness measures in.

Takes every photo in FOLDER and its subfolders, as it is and changed in exposure, light from one side and tint, and prints
Spearman's rank correlation of each pair of measures, and where both differ, which of them sees the change. --judged is
what flaws.py wrote of renders, whose light is known whichever way the head is turned. Needs a Python with numpy, scipy and
pillow.
"""

import argparse
import glob
import json
import os
import subprocess

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SIDE = 900  # pixels of the longer side, at most
ALIGNED = 616
# Where OFIQ puts both eyes, the nose and the corners of the mouth (utils.cpp, alignImage).
TEMPLATE = np.array([[251, 272], [364, 272], [308, 336], [262, 402], [355, 402]], float)
# The same five places on a face of 112 px, as ArcFace has them, and the ellipse of a face there, in shares of its side.
ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
ELLIPSE = (0.5, 0.56, 0.36, 0.44)


def to_light(values):
    """sRGB's values of 0 to 1 as linear light."""
    return np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)


def from_light(light):
    return np.where(light > 0.0031308, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055, 12.92 * light)


def changes(picture):
    """The photo as it is, and changed: name, picture."""
    light = to_light(np.asarray(picture, float) / 255)
    across = np.linspace(-1, 1, picture.width)[None, :, None]
    tints = {"blue": (0.6, 0.9, 1.6), "orange": (1.5, 0.95, 0.5), "green": (0.8, 1.3, 0.8)}
    made = {"plain": light}
    made |= {f"stops{n:+}": light * 2.0**n for n in (-3, -2, -1, 1, 2)}
    made |= {f"side{n:+}": light * 2.0 ** (n * across) for n in (-2, -1, 1, 2)}
    made |= {name: light * np.array(tint) for name, tint in tints.items()}
    for name, changed in made.items():
        yield name, Image.fromarray((from_light(np.clip(changed, 0, 1)) * 255).round().astype(np.uint8))


def similarity(source, target):
    """The turn, scale and shift as a complex number pair: target = a * source + b, by least squares."""
    s, t = source[:, 0] + 1j * source[:, 1], target[:, 0] + 1j * target[:, 1]
    centred = s - s.mean()
    a = (np.conj(centred) * (t - t.mean())).sum() / (abs(centred) ** 2).sum()
    return a, t.mean() - a * s.mean()


def aligned(picture, landmarks):
    a, b = similarity(TEMPLATE, landmarks)
    data = (a.real, -a.imag, b.real, a.imag, a.real, b.imag)
    return np.asarray(picture.transform((ALIGNED, ALIGNED), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR))


def in_face():
    """Which pixels of the aligned face are on the face."""
    a, b = similarity(TEMPLATE, ARCFACE)
    y, x = np.mgrid[:ALIGNED, :ALIGNED]
    place = (a * (x + 1j * y) + b) / 112
    middle_x, middle_y, radius_x, radius_y = ELLIPSE
    return ((place.real - middle_x) / radius_x) ** 2 + ((place.imag - middle_y) / radius_y) ** 2 <= 1


FACE = in_face()


def cheeks():
    """OFIQ's two zones below the eyes (image_utils.cpp, CalculateRegionOfInterest), the viewer's left one first."""
    left, right = TEMPLATE[0], TEMPLATE[1]
    size = int(0.3 * np.linalg.norm(right - left))
    down = int(np.linalg.norm(TEMPLATE[3:].mean(0) - TEMPLATE[:2].mean(0)) / 2)
    zone = lambda x, y: (slice(int(y) + down, int(y) + down + size), slice(int(x), int(x) + size))
    return zone(left[0] - size, left[1]), zone(right[0], right[1])


def colour_distance(face):
    """NaturalColour.cpp: how far the cheeks' a* and b* are from those of skin."""
    if (face == face[:, :, :1]).all():
        return 0.0
    both = np.concatenate([face[zone].reshape(-1, 3) for zone in cheeks()])
    linear = to_light(both.mean(0) / 255)
    to_xyz = np.array([[0.43605, 0.38508, 0.14309], [0.22249, 0.71689, 0.06062], [0.01393, 0.09710, 0.71419]])
    xyz = to_xyz @ linear / np.array([0.964221, 1, 0.825211])
    f = np.where(xyz <= 216 / 24389, (24389 / 27 * xyz + 16) / 116, np.cbrt(xyz))
    a, b = 500 * (f[0] - f[1]), 200 * (f[1] - f[2])
    if a < 0 or b < 0:
        return 100.0
    beyond = lambda value, low, high: max(0, low - value, value - high)
    return float(np.hypot(beyond(a, 5, 25), beyond(b, 5, 35)))


def ofiq(picture, record):
    """OFIQ's raw measures of the first face of a photo."""
    faces = record["faces"]
    landmarks = np.array(faces[0]["landmarks"], float)
    face = aligned(picture, landmarks)
    luminance = np.floor(to_light(face / 255) @ np.array([0.2126, 0.7152, 0.0722]) * 255 + 0.5).astype(int)
    share = np.bincount(luminance[FACE], minlength=256) / FACE.sum()
    levels = np.arange(256) / 255
    mean = float((share * levels).sum())
    zones = [np.bincount(luminance[zone].ravel(), minlength=256) / luminance[zone].size for zone in cheeks()]
    areas = sorted((f["bbox"][2] * f["bbox"][3] for f in faces), reverse=True)
    yaw = next(m["value"] for m in record["measures"] if m["name"] == "yaw")
    eyes = np.linalg.norm(landmarks[1] - landmarks[0]) / max(np.cos(np.radians(yaw)), 1e-3)
    return {
        "LuminanceMean": mean,
        "UnderExposurePrevention": share[:26].sum(),
        "OverExposurePrevention": share[247:].sum(),
        "DynamicRange": float(-(share[share > 0] * np.log2(share[share > 0])).sum()),
        "IlluminationUniformity": float(np.minimum(*zones).sum()),
        "NaturalColour": colour_distance(face),
        "SingleFacePresent": areas[1] / areas[0] if len(areas) > 1 else 0.0,
        "InterEyeDistance": float(eyes),
    }


# OFIQ's raw measure, ours, whether less of ours is more of theirs, and what it is.
PAIRS = [
    ("InterEyeDistance", "eye_distance", 1, "pixels between the eyes, less the turn"),
    ("SingleFacePresent", "other_face_share", 1, "area of the second face over that of the first"),
    ("LuminanceMean", "face_luminance", 1, "mean light of the face"),
    ("UnderExposurePrevention", "face_luminance", -1, "dark face"),
    ("OverExposurePrevention", "face_white", 1, "share of the face that is white"),
    ("DynamicRange", "face_contrast", 1, "range of light on the face"),
    ("IlluminationUniformity", "light_side", -1, "light from one side"),
    ("NaturalColour", "skin_hue", 1, "colour of the skin"),
]
# Where both differ: OFIQ's measure and ours, each with the sign by which more is worse, the changes that each should see,
# and what they are.
SEEN = [
    ("UnderExposurePrevention", 1, "face_luminance", -1, ("stops-1",), "one stop less light"),
    ("IlluminationUniformity", -1, "light_side", 1, ("side-2", "side+2"), "light falling by 4 stops across the picture"),
    ("NaturalColour", 1, "skin_hue", 1, ("blue",), "a cast of 1.4 stops towards blue"),
    ("NaturalColour", 1, "skin_hue", 1, ("green",), "a cast of .7 stops towards green"),
]
# What none of these should see: a darker copy has the same light and colours.
UNSEEN = ["DynamicRange", "IlluminationUniformity", "NaturalColour"]
DARKER = "stops-2"
TURNED = 25  # degrees of yaw


def value_of(measures, name):
    value = measures.get(name, 0.0)  # no second face, no hue
    return abs(value) if name in ("light_side", "skin_hue") else value


def pictures(source, target):
    paths = glob.glob(os.path.join(source, "**", "*"), recursive=True)
    paths = sorted(path for path in paths if path.lower().endswith((".jpg", ".jpeg", ".png", ".webp")))
    os.makedirs(target)
    for number, path in enumerate(paths):
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((SIDE, SIDE))
        for name, changed in changes(picture):
            changed.save(os.path.join(target, f"{number:04}-{name}.jpg"), quality=95)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="folder of portraits")
    parser.add_argument("--models", required=True, help="folder of face models, as `likeness curate --models` takes it")
    parser.add_argument("--out", required=True, help="folder of what is made; new, or of an earlier run")
    parser.add_argument("--likeness", default=os.path.join(ROOT, "target", "release", "likeness"))
    parser.add_argument("--judged", help="renders-SEED.jsonl of flaws.py")
    args = parser.parse_args()
    made, dataset = os.path.join(args.out, "pictures"), os.path.join(args.out, "ofiq.dataset")
    if not os.path.isdir(made):
        pictures(args.photos, made)
    command = [args.likeness, "curate", made, "--trigger", "ofiq", "--out", dataset, "--min-side", "1"]
    subprocess.run(command + ["--models", args.models], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(dataset, "images.jsonl")) as lines:
        records = [json.loads(line) for line in lines]
    records = [r for r in records if r["faces"] and any(m["name"] == "tint" for m in r["measures"])]
    theirs = [ofiq(Image.open(os.path.join(made, r["path"])).convert("RGB"), r) for r in records]
    ours = [{m["name"]: m["value"] for m in r["measures"]} for r in records]
    print(f"{len(records)} pictures\n\n| OFIQ | likeness | what | Spearman |\n| --- | --- | --- | ---: |")
    for component, measure, sign, what in PAIRS:
        a, b = [t[component] for t in theirs], [sign * value_of(o, measure) for o in ours]
        print(f"| `{component}` | `{measure}` | {what} | {spearmanr(a, b).statistic:.3f} |")
    told_apart(records, theirs, ours)
    if args.judged:
        of_renders(args.judged)


def worse(before, after):
    """How often one of `after` is larger than one of `before`, of all pairs."""
    before, after = np.array(before), np.array(after)[:, None]
    return f"{100 * ((after > before).mean() + (after == before).mean() / 2):.1f} %"


def told_apart(records, theirs, ours):
    """How often a changed photo is called worse than one as it is, and how far a darker copy moves each measure."""
    of_change = lambda names: [i for i, r in enumerate(records) if r["path"].removesuffix(".jpg").split("-", 1)[1] in names]
    plain = of_change(("plain",))
    place = {record["path"]: index for index, record in enumerate(records)}
    print("\n| Called worse than photos as they are | OFIQ | likeness |\n| --- | ---: | ---: |")
    for component, sign, measure, our_sign, names, what in SEEN:
        shares = []
        for value in (lambda i: sign * theirs[i][component], lambda i: our_sign * value_of(ours[i], measure)):
            shares.append(worse([value(i) for i in plain], [value(i) for i in of_change(names)]))
        print(f"| {what} (`{component}`, `{measure}`) | {shares[0]} | {shares[1]} |")
    print("\n| Moved by two stops less light | OFIQ | likeness |\n| --- | ---: | ---: |")
    for component, measure, _, what in PAIRS:
        if component not in UNSEEN:
            continue
        moved = []
        for value in (lambda i: theirs[i][component], lambda i: value_of(ours[i], measure)):
            pairs = [(value(place[records[i]["path"].replace(DARKER, "plain")]), value(i)) for i in of_change((DARKER,))
                     if records[i]["path"].replace(DARKER, "plain") in place]
            spread = np.std([value(i) for i in plain])
            moved.append(np.mean([abs(b - a) for a, b in pairs]) / spread)
        print(f"| {what} (`{component}`, `{measure}`), deviations among the photos | {moved[0]:.2f} | {moved[1]:.2f} |")


def of_renders(judged):
    """How often a render in side light is called more one-sided than one in soft light, by how far the head is turned."""
    with open(judged) as lines:
        rows = [json.loads(line) for line in lines]
    clean = [row for row in rows if row["flaw"] == "none" and row["folder"] == "clean"]
    found = {}
    for row in clean:
        scene, measures = row["truth"]["scene"], row["measures"]
        if scene["light"] not in ("in side light", "in soft light") or "light_side" not in measures:
            continue
        landmarks = [[mark["x"], mark["y"]] for mark in row["truth"]["landmarks"]]
        face = {"bbox": [0, 0, 1, 1], "landmarks": landmarks}
        record = {"faces": [face], "measures": [{"name": "yaw", "value": scene["yaw"]}]}
        value = ofiq(Image.open(row["path"]).convert("RGB"), record)["IlluminationUniformity"]
        turned = abs(scene["yaw"]) >= TURNED
        found.setdefault((turned, scene["light"]), []).append((-value, abs(measures["light_side"])))
    print("\n| Renders in side light called more one-sided than in soft light | OFIQ | likeness |\n| --- | ---: | ---: |")
    for turned, where in ((False, f"turned by less than {TURNED} degrees"), (True, "turned farther")):
        side, soft = (np.array(found[turned, light]) for light in ("in side light", "in soft light"))
        shares = [worse(soft[:, of], side[:, of]) for of in (0, 1)]
        print(f"| {where} ({len(side)}, {len(soft)}) | {shares[0]} | {shares[1]} |")


if __name__ == "__main__":
    main()
