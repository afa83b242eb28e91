#!/usr/bin/env python3
"""How many flaws curation finds, and how many good pictures it calls flawed.

    benches/curation/flaws.py --out DIR [--models MODELS]                 # renders: some hours on 2 cores
    benches/curation/flaws.py --out DIR --photos FOLDERS --models MODELS  # photographs with flaws put on them
    benches/curation/flaws.py --out DIR --judged FILE                     # only the tables of what was judged

Renders are made once (--seed, --clean and --each say which and how many; limits were set on seed 1000000, so measure on
another) and judged with the faces that the studio knows, moved at random by 3 % of the distance between the eyes as a
face finder would; MODELS may hold a reader of flaws (docs/curation.md), and its finder counts people. FOLDERS is a folder of
folders of portraits; their faces are found with MODELS. All is judged by the code of `likeness curate`. Prints Markdown.
"""

import argparse
import collections
import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The rules that name a flaw; another rule that drops or reviews the picture finds it, too, but not by its name.
NAMED = {
    "defocus": ["blurred"], "motion-blur": ["blurred"], "noise": ["noisy"], "under-exposure": ["dark"],
    "over-exposure": ["bright"], "backlight": ["backlit"], "hard-shadow": ["hard shadow", "one-sided light"],
    "hand-before-the-face": ["covered", "eyes closed"], "mask": ["covered"], "dark-glasses": ["covered", "eyes closed"],
    "closed-eyes": ["eyes closed", "covered"], "extreme-pose": ["turned away", "small face"],
    "extreme-expression": ["extreme expression"], "colour-filter": ["one tint"], "watermark": ["lettering"],
    "two-people": ["several people"], "tiny-picture": ["small"], "small-face": ["small face"],
}
DARK_SKIN = ("brown", "umber", "ebony")


def example(name, *args):
    # The whole workspace: a package by itself has other features, and would be built anew.
    subprocess.run(["cargo", "build", "--release", "-q", "--workspace", "--example", name], check=True, cwd=ROOT)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    subprocess.run([os.path.join(target, "release", "examples", name), *map(str, args)], check=True, cwd=ROOT)


def share(rows, counts):
    return f"{100 * sum(bool(counts(row)) for row in rows) / len(rows):.1f} %" if rows else "none"


def flagged(row):
    return row["verdict"] != "keep"


def dropped(row):
    return row["verdict"] == "drop"


def scene(row):
    return row["truth"]["scene"]


def renders(rows):
    """The tables of renders: flaws, false alarms by rule, by light and by who is in the picture."""
    kinds = collections.defaultdict(list)
    for row in rows:
        if row["flaw"] == "none":
            kinds[row["folder"]].append(row)
    clean = kinds.pop("clean", [])
    print(f"\n{len(clean)} clean: {share(clean, flagged)} called flawed, {share(clean, dropped)} of all dropped.")
    calm = [row for row in clean if scene(row)["expression"] != "laughing" and scene(row)["light"] != "in back light"]
    print(f"\n{len(calm)} of them neither laugh with squeezed eyes nor stand in back light: "
          f"{share(calm, flagged)} called flawed, {share(calm, dropped)} dropped.\n")
    print("| Flaw | Pictures | Found | By its name | Dropped |\n| --- | ---: | ---: | ---: | ---: |")
    for kind, of_kind in sorted(kinds.items()):
        named = share(of_kind, lambda row: set(row["rules"] + row["notes"]) & set(NAMED.get(kind, [])))
        print(f"| {kind.replace('-', ' ')} | {len(of_kind)} | {share(of_kind, flagged)} | {named} | {share(of_kind, dropped)} |")
    print("\n| Rule | Clean called so | of them dropped |\n| --- | ---: | ---: |")
    for rule in sorted({rule for row in clean for rule in row["rules"]}):
        has = lambda row: rule in row["rules"]
        print(f"| {rule} | {share(clean, has)} | {share(clean, lambda row: has(row) and dropped(row))} |")
    print("\n| Clean pictures of | Number | Called flawed | Dropped |\n| --- | ---: | ---: | ---: |")
    for name, group in groups(clean):
        print(f"| {name} | {len(group)} | {share(group, flagged)} | {share(group, dropped)} |")


def groups(clean):
    """Groups of pictures by who is in them, what they do, and in which light."""
    traits = lambda row: row["truth"]["character"]["traits"]
    who = {
        "dark skin": lambda row: traits(row)["skin"] in DARK_SKIN,
        "other skin": lambda row: traits(row)["skin"] not in DARK_SKIN,
        "lines of age": lambda row: traits(row)["age_lines"] > 0.5,
        "a beard": lambda row: traits(row)["facial_hair"] != "no beard",
        "glasses": lambda row: traits(row)["glasses"] != "no glasses",
        "none of these": lambda row: traits(row)["skin"] not in DARK_SKIN and traits(row)["age_lines"] <= 0.5
        and traits(row)["facial_hair"] == "no beard" and traits(row)["glasses"] == "no glasses",
        "laughing": lambda row: scene(row)["expression"] == "laughing",
    }
    for light in sorted({scene(row)["light"] for row in clean}):
        who[light] = lambda row, light=light: scene(row)["light"] == light
    for name, inside in who.items():
        yield name, [row for row in clean if inside(row)]


def photographs(rows):
    """The tables of photographs: as they are, and with flaws of graded strength."""
    plain = [row for row in rows if row["flaw"] == "none"]
    print(f"\n{len(plain)} photographs: {share(plain, flagged)} called flawed, {share(plain, dropped)} of all dropped.\n")
    rules = collections.Counter((rule, row["verdict"]) for row in plain for rule in set(row["rules"]))
    for (rule, verdict), count in rules.most_common():
        print(f"- {verdict} for `{rule}`: {count}")
    spoilt = collections.defaultdict(list)
    # Also when brought to 1024 px and stored at 75.
    stored = {row["path"] for row in rows if (row["flaw"], row["strength"]) == ("compression", 75) and not flagged(row)}
    good = {row["path"] for row in plain if not flagged(row)} & stored
    for row in rows:
        if row["flaw"] != "none" and row["path"] in good:
            spoilt[row["flaw"], row["strength"]].append(row)
    print("\n| Flaw put on | Strength | Photographs | Found | Dropped | Rules |\n| --- | ---: | ---: | ---: | ---: | --- |")
    for (flaw, strength), of_it in sorted(spoilt.items()):
        said = collections.Counter(rule for row in of_it for rule in set(row["rules"])).most_common(2)
        said = ", ".join(rule for rule, _ in said)
        print(f"| {flaw} | {strength:g} | {len(of_it)} | {share(of_it, flagged)} | {share(of_it, dropped)} | {said} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder of the pictures and of what was judged")
    parser.add_argument("--seed", type=int, default=50_000_000)
    parser.add_argument("--clean", type=int, default=1000)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--photos", help="folder of folders of portraits")
    parser.add_argument("--models", help="folder of the face models; --photos needs it")
    parser.add_argument("--judged", help="a file of an earlier run")
    args = parser.parse_args()
    out = os.path.abspath(args.out)
    judged = args.judged
    if not judged:
        os.makedirs(out, exist_ok=True)
        judged = os.path.join(out, "photographs.jsonl" if args.photos else f"renders-{args.seed}.jsonl")
        if args.photos:
            photos, models = os.path.abspath(args.photos), os.path.abspath(args.models)
            example("judge_flaws", judged, photos, models)
        else:
            pictures = os.path.join(out, f"pictures-{args.seed}")
            example("flaws", pictures, args.seed, args.clean, args.each)
            models = [os.path.abspath(args.models)] if args.models else []
            example("judge_flaws", judged, pictures, *models)
    with open(judged) as lines:
        rows = [json.loads(line) for line in lines]
    (renders if any(row["truth"] for row in rows) else photographs)(rows)


if __name__ == "__main__":
    main()
