#!/usr/bin/env python3
"""Whether `likeness caption lint` finds in captions what caption-audit finds.

    pip install caption-audit==1.3.0
    benches/curation/captions.py --out DIR [--likeness COMMAND] [--caption-audit COMMAND] [--seed N] [--sets N]

Makes sets of 10 to 30 invented captions: terms are planted into a chosen share of them, some captions lack the trigger
or misspell it, some are copied and changed in a word. Both programs read the same files, once each a set. Prints
Markdown: what both say, and each kind of disagreement with an example.
"""

import argparse
import collections
import itertools
import json
import os
import random
import re
import shlex
import shutil
import struct
import subprocess
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRIGGER, CLASS = "mika", "woman"
MOST = 30  # captions of a set
FUSED = 0.9
LONGEST = 3  # words of the longest term that both look at
SHARES = (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
FRAMING = ("a close-up", "a portrait", "a half-figure photo", "a full-figure photo", "a photo", "a candid picture")
PLACES = ("in a park", "on a stone bridge", "at the sea", "in a cafe", "by a bike rack", "in a library", "on a hill",
          "under an awning", "in a kitchen", "at a train station", "in a greenhouse", "on a ferry", "in an old town")
OUTFITS = ("a grey coat", "a yellow raincoat", "a striped shirt", "a green dress", "a denim jacket", "a linen blouse",
           "a dark suit", "a wool sweater", "a silk blouse", "a hooded parka", "an apron", "a football shirt")
LIGHTS = ("side light", "morning sun", "overcast sky", "lamp light", "back light", "neon signs", "window light",
          "blue hour", "candle light", "noon sun", "fog", "snow light")
LOOKS = ("smiling", "laughing", "serious", "looking away", "eyes closed", "surprised", "calm", "frowning", "winking",
         "looking up", "pensive", "grinning")
# A planted term is written in one of its spellings, in turn.
PLANTS = (("red wool scarf",), ("silver earrings",), ("straw hat",), ("round glasses",), ("film grain",),
          ("rainy street",), ("white background",), ("hands in pockets",), ("holding a paper cup",),
          ("wearing a thin gold necklace",), ("knee-length skirt",), ("soft light", "soft  light"),
          ("polka-dot umbrella", "polka dot umbrella"), ("leather_gloves", "leather gloves"), ("painter's smock",))
TAGS, PROSE, LINES = "tags", "prose", "lines"


def picture(path, seed):
    """A PNG of 8 x 8 fields in colours of its own."""
    colours, side = random.Random(seed), 64
    fields = [[bytes(colours.randrange(40, 216) for _ in range(3)) for _ in range(8)] for _ in range(8)]
    rows = b"".join(b"\0" + b"".join(field * (side // 8) for field in fields[y * 8 // side]) for y in range(side))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def empty_dataset(out, likeness):
    """A dataset of MOST pictures, which are decided to be kept whatever curation finds in them."""
    photos, dataset = os.path.join(out, "photos"), os.path.join(out, "all.dataset")
    os.makedirs(photos)
    for number in range(MOST):
        picture(os.path.join(photos, f"{number:02}.png"), number)
    command = [*likeness, "curate", photos, "--trigger", TRIGGER, "--class", CLASS, "--no-faces", "--min-side", "16",
               "--out", dataset]
    subprocess.run(command, check=True, capture_output=True)
    with open(os.path.join(dataset, "images.jsonl")) as lines:
        hashes = [json.loads(line)["sha256"] for line in lines]
    with open(os.path.join(dataset, "decisions.jsonl"), "a") as decisions:
        decisions.writelines(json.dumps({"sha256": one, "verdict": "keep"}) + "\n" for one in hashes)
    return dataset


def slip(rng):
    """The trigger one letter off: a letter changed, left out, doubled, or two of them swapped."""
    at, letters = rng.randrange(len(TRIGGER)), list(TRIGGER)
    kind = rng.choice(("changed", "left out", "doubled", "swapped"))
    if kind == "changed":
        letters[at] = rng.choice([c for c in "bdfgnprtz" if c != letters[at]])
    elif kind == "left out":
        del letters[at]
    elif kind == "doubled":
        letters.insert(at, letters[at])
    else:
        at = min(at, len(letters) - 2)
        letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def caption(rng, style, framings, called, plants):
    """A caption of a scene that calls the character as `called` says, with the planted terms."""
    framing, place, outfit, light, look = map(rng.choice, (framings, PLACES, OUTFITS, LIGHTS, LOOKS))
    who = f"{called} {CLASS}".strip()
    if style == PROSE:
        extra = "".join(f", {plant}" for plant in plants)
        return f"{framing.capitalize()} of {who} wearing {outfit} {place}{extra}. The scene has {light}; she is {look}."
    details = [place, outfit, light, look, *plants]
    if style == TAGS:
        rng.shuffle(details)
    return {TAGS: ", ", LINES: "\n"}[style].join([f"{framing} of {who}", *details])


def near_copies(rng, text):
    """The caption again: as it is, in another order, with a word more, or with one and two words more."""
    parts = text.split(", ")
    another_order = ", ".join([parts[0], *reversed(parts[1:])])
    return rng.choice(([text], [another_order], [f"{text}, again"], [f"{text}, again", f"{text}, again, twice"]))


def make_set(rng):
    """Captions of a set, the terms that were planted, and the misspelt triggers."""
    count, style = rng.randrange(10, MOST - 2), rng.choice((TAGS, TAGS, PROSE, PROSE, LINES))
    framings = FRAMING if rng.random() < 0.7 else ("a photo",)
    some = lambda share: set(rng.sample(range(count), round(share * count)))
    held = [(plant, some(rng.choice(SHARES))) for plant in rng.sample(PLANTS, 4)]
    without = sorted(rng.sample(range(count), rng.choice((0, 0, 1, 2, count // 2))))
    slips = {at: slip(rng) for at in without[:rng.choice((0, 1, 2))]}
    texts = []
    for at in range(count):
        called = slips.get(at, "" if at in without else rng.choice((TRIGGER,) * 8 + ("Mika", "mika's friend, the")))
        plants = [plant[at % len(plant)] for plant, holders in held if at in holders]
        texts.append(caption(rng, style, framings, called, plants))
    if rng.random() < 0.3:  # beside the trigger, or where there is none
        at = rng.randrange(count)
        slips[count] = slip(rng)
        texts[at] += f", {slips[count]} again"
    if rng.random() < 0.5:
        texts += near_copies(rng, rng.choice(texts))
    return texts, [plant[0] for plant, _ in held], set(slips.values())


def write_set(out, empty, number, texts):
    """The dataset of a set: the first records of the empty one, and the captions."""
    dataset = os.path.join(out, f"{number:02}.dataset")
    os.makedirs(os.path.join(dataset, "captions"))
    for name in ("character.toml", "decisions.jsonl"):
        shutil.copy(os.path.join(empty, name), dataset)
    with open(os.path.join(empty, "images.jsonl")) as lines:
        records = list(itertools.islice(lines, len(texts)))
    with open(os.path.join(dataset, "images.jsonl"), "w") as file:
        file.writelines(records)
    for record, text in zip(records, texts):
        with open(os.path.join(dataset, "captions", json.loads(record)["caption_file"]), "w") as file:
            file.write(text)
    return dataset


def plain_words():
    """The words that no term of ours begins or ends with, and those that are none by themselves."""
    with open(os.path.join(ROOT, "dataset", "src", "captions", "lint", "fused.rs")) as file:
        source = file.read()
    listed = (re.search(rf"const {name}.*?=\s*\[(.*?)\];", source, re.S).group(1) for name in ("PLAIN", "COMMON"))
    return tuple(set(re.findall(r'"(\w+)"', words)) for words in listed)


def split_words(text):
    """The words of a term; hyphens and underscores part them, as for ours and for CLIP, though not for theirs."""
    return tuple(re.sub(r"[-_]", " ", text.lower().replace("’", "'")).split())


def parts(term, plain):
    """Every run of words within a term that could be a term: no plain word at its ends, not all of it common."""
    ends, common = plain
    for start, end in itertools.combinations(range(len(term) + 1), 2):
        run = term[start:end]
        if run[0] not in ends and run[-1] not in ends and not set(run) <= ends | common:
            yield run


def stem(file):
    return os.path.splitext(os.path.basename(file))[0]


def ours(likeness, dataset):
    """What likeness says: fused terms and their captions, captions without the trigger, misspellings, groups."""
    run = subprocess.run([*likeness, "caption", "lint", dataset, "--json"], check=True, capture_output=True, text=True)
    report, found = json.loads(run.stdout)["report"], collections.defaultdict(list)
    assert report["captions"] == len(os.listdir(os.path.join(dataset, "captions"))), "captions were not read"
    for finding in report["findings"]:
        found[finding["rule"]].append(finding)
    files = lambda finding: {stem(file) for file in [finding["file"], *finding["others"]]}
    fused = {split_words(f["why"].split("`")[1]): (files(f), f) for f in found["fused with the trigger"]}
    missing, spelled = ({stem(f["file"]): f for f in found[f"trigger {rule}"]} for rule in ("missing", "spelling"))
    return fused, missing, spelled, [files(f) for f in found["same caption"]]


def theirs(command, dataset):
    """What caption-audit says of the same files, as it says it."""
    command = [*command, os.path.join(dataset, "captions"), "--trigger", TRIGGER, "--class-word", CLASS,
               "--format", "json", "--critical-threshold", str(FUSED), "--jaccard", "0.9"]
    return json.loads(subprocess.run(command, capture_output=True, text=True).stdout)


class Tally:
    """Agreements and disagreements, each kind with its number and first examples."""

    def __init__(self):
        self.counts, self.examples = collections.Counter(), collections.defaultdict(list)

    def add(self, topic, kind, example=None, by=1):
        self.counts[topic, kind] += by
        if example:
            self.examples[topic, kind].append(example)

    def table(self, topic):
        print(f"\n| {topic} | Number | Such as |\n| --- | ---: | --- |")
        for (of, kind), count in sorted(self.counts.items(), key=lambda entry: -entry[1]):
            if of == topic:
                print(f"| {kind} | {count} | {'; '.join(dict.fromkeys(self.examples[of, kind][:40]))[:150]} |")


def compare_terms(tally, number, fused, missing, report, plain, texts, planted):
    """Which terms of at most three words both call fused, and in which captions they see them."""
    rows = [row for row in report["df"]["rows"] if row["df_ratio"] >= FUSED and row["severity"] != "EXPECTED"]
    loose = {split_words(row["term"]): row for row in rows if not row["flagged"]}
    flagged = {split_words(row["term"]): row for row in rows if row["flagged"]}
    told = {part for term in fused for part in parts(term, plain)}
    mine = {term for term in told if len(term) <= LONGEST}
    compare_planted(tally, planted, told, flagged, plain, texts)
    triggered = {f"{at:02}" for at in range(len(texts))} - missing
    for term in sorted(mine | {term for term in flagged if len(term) <= LONGEST}):
        said, example = " ".join(term), f"`{' '.join(term)}` (set {number})"
        if term in mine and term in flagged:
            tally.add("Terms", "fused for both", said)
        elif term in mine:
            tally.add("Terms", f"only ours: {only_ours(term, loose, texts)}", example)
        else:
            tally.add("Terms", f"only theirs: {only_theirs(term, flagged[term], plain, mine, triggered)}", example)
    for term, row in flagged.items():
        if len(term) > LONGEST:
            pieces = all((word,) in mine or word in plain[0] for word in term)
            kind = "fused for ours, too" if term in told else "in pieces for ours" if pieces else "not for ours"
            tally.add("Terms of four words and more, of theirs", kind, f"`{' '.join(term)}` (set {number})")
        elif term in fused:
            same = fused[term][0] == set(row["files"])
            tally.add("Captions of a term", "the same" if same else "not the same", f"`{' '.join(term)}`")
            near = abs(float(re.search(r"in (\d+) %", fused[term][1]["why"]).group(1)) - 100 * row["df_ratio"]) <= 0.5
            tally.add("Frequency of a term", "the same" if near else "not the same")


def only_ours(term, loose, texts):
    """Why caption-audit does not call a term fused."""
    if term in loose:
        return f"a {loose[term]['suppressed_reason']} for theirs"
    spoken = "[-_ ]+".join(map(re.escape, term))
    places = [place for text in texts for place in re.findall(f"[-_]?{spoken}[-_]?", text.lower())]
    if not places:
        return "words of two lines"
    if any(re.search("[-_]", place) for place in places):
        return "a hyphen or underscore in it or beside it"
    return "not explained"


def only_theirs(term, row, plain, mine, triggered):
    """Why likeness does not call a term fused."""
    together = len(set(row["files"]) & triggered) / max(1, len(triggered))
    if together < FUSED:
        return "below 90 % of the captions with the trigger"
    ends, common = plain
    if set(term) <= ends | common:
        return "a plain word of ours"
    if term[-1] in ends:
        return "ends in a plain word of ours"
    bare = tuple(itertools.dropwhile(lambda word: word in ends, term))
    return "begins with a plain word of ours, without it for both" if bare in mine else "not explained"


def compare_planted(tally, planted, told, flagged, plain, texts):
    """Which of the planted terms each finds."""
    said = [" ".join(split_words(re.sub("[,.]", " ", text))) for text in texts]
    for plant in planted:
        term = split_words(plant)
        share = sum(" ".join(term) in text for text in said) / len(said)
        topic = "Planted in 90 % and more" if share >= FUSED else "Planted in less"
        tally.add(topic, "planted", plant)
        for side, found in (("ours", told), ("theirs", flagged)):
            pieces = all((word,) in found for word in term if word not in plain[0])
            kind = "as a whole" if term in found else "in pieces" if pieces else "not"
            tally.add(topic, f"{side} finds it {kind}", plant)


def compare_triggers(tally, missing, report, texts):
    """Captions without the trigger, and words that may be meant for it."""
    peer = set(report["trigger"]["missing_files"])
    for name in sorted(set(missing) | peer):
        both = name in missing and name in peer
        kind = "missing for both" if both else "only ours" if name in missing else "only theirs"
        text = texts[int(name)].splitlines()[0][:50]
        tally.add("Captions without the trigger", kind, None if both else f"`{text}`")


def compare_slips(tally, missing, spelled, report, texts, slips):
    """What each says of the misspelt triggers, and of other words that caption-audit takes for such."""
    peer = {(variant["token"], file) for variant in report["trigger"]["variants"] for file in variant["files"]}
    for at, text in enumerate(texts):
        name = f"{at:02}"
        for word in sorted(slips & set(re.findall(r"\w+", text.lower()))):
            seen = "seen by theirs" if (word, name) in peer else "not seen by theirs"
            tally.add("Misspelt triggers", f"{spelling(word, missing.get(name), spelled.get(name))}; {seen}", f"`{word}`")
    for word, name in sorted(peer):
        if word not in slips:
            tally.add("Misspelt triggers", "none, but one for theirs", f"`{word}`")


def spelling(word, missing, spelled):
    """What likeness says of a caption with a misspelt trigger."""
    if missing is None:
        named = spelled is not None and f"`{word}`" in spelled["remedy"]
        return "beside the trigger, " + ("named by ours" if named else "not named by ours")
    finding = missing
    quoted = re.findall("`([^`]*)`", finding["why"] + finding["remedy"])
    named = word in [finding["evidence"].lower(), *quoted]
    return "instead of the trigger: missing for ours, the word " + ("named" if named else "not named")


def compare_twins(tally, groups, report, texts):
    """Pairs of captions that say nearly the same."""
    pairs = lambda groups: {pair for group in groups for pair in itertools.combinations(sorted(group), 2)}
    same = [group["files"] for group in report["redundancy"]["exact"]]
    peer = pairs(same) | pairs((pair["a"], pair["b"]) for pair in report["redundancy"]["near"])
    mine = pairs(groups)
    for pair in sorted(mine | peer):
        full, own = alike(pair, texts)
        kind = "for both" if pair in mine and pair in peer else "only ours" if pair in mine else "only theirs"
        if kind == "only theirs":
            kind += ": alike by the trigger and the class word" if own < 0.9 else ": alike for ours, too, but not told"
        example = None if kind == "for both" else f"{full:.3f} with both words, {own:.3f} without"
        tally.add("Pairs of like captions", kind, example)


def alike(pair, texts):
    """Jaccard's index of two captions with the trigger and the class word, and without them."""
    words = [set(re.findall(r"[\w']+", texts[int(name)].lower().replace("_", " "))) for name in pair]
    index = lambda a, b: len(a & b) / max(1, len(a | b))
    own = [of - {TRIGGER, CLASS} for of in words]
    return index(*words), index(*own)


def agreement(tally):
    """Precision and recall of our terms against theirs."""
    both = tally.counts["Terms", "fused for both"]
    for what, spared in (("All terms", ()), ("Without those that one side's list of plain words explains",
                                             ("plain word", "relational word", "function word"))):
        alone = {side: sum(number for (_, kind), number in tally.counts.items() if kind.startswith(f"only {side}:")
                           and not any(one in kind for one in spared)) for side in ("ours", "theirs")}
        print(f"\n{what}: precision of ours against theirs {both / (both + alone['ours']):.3f}, "
              f"recall {both / (both + alone['theirs']):.3f}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder of the sets; must not have any yet")
    parser.add_argument("--likeness", default=os.path.join(ROOT, "target", "release", "likeness"))
    parser.add_argument("--caption-audit", default="caption-audit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sets", type=int, default=40)
    args = parser.parse_args()
    out, likeness = os.path.abspath(args.out), shlex.split(args.likeness)
    empty, plain, tally = empty_dataset(out, likeness), plain_words(), Tally()
    rng, captions, cases = random.Random(args.seed), 0, 0
    for number in range(args.sets):
        texts, planted, slips = make_set(rng)
        dataset = write_set(out, empty, number, texts)
        fused, missing, spelled, groups = ours(likeness, dataset)
        report = theirs(shlex.split(args.caption_audit), dataset)
        captions, cases = captions + len(texts), cases + len(spelled)
        tally.add("Findings of fused terms", "ours", by=len(fused))
        shown = [row for row in report["df"]["primary"] if row["severity"] == "CRITICAL"]
        tally.add("Findings of fused terms", "theirs", by=len(shown))
        compare_terms(tally, number, fused, set(missing), report, plain, texts, planted)
        compare_triggers(tally, missing, report, texts)
        compare_slips(tally, missing, spelled, report, texts, slips)
        compare_twins(tally, groups, report, texts)
    print(f"{args.sets} sets, {captions} captions; seed {args.seed}. "
          f"Ours names {cases} triggers spelled otherwise; theirs has no such rule.")
    for topic in dict.fromkeys(topic for topic, _ in tally.counts):
        tally.table(topic)
    agreement(tally)


if __name__ == "__main__":
    main()
