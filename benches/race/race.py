#!/usr/bin/env python3
"""The race against PyTorch: likeness and diffusers + PEFT on the same weights, in turn, as a table.

    benches/race/race.py --size tiny small sd15 --out race.json

Makes a virtual environment of requirements.txt beside this file (or takes --python), builds likeness (or takes
--device DEVICE=FOLDER, where `likeness` and `race` or `examples/race` lie), draws random weights, and runs for each
size: LoRA steps, one denoising step with guidance, VAE encode and decode, text encoding, each part in processes of its
own so that their peaks are that part's; then launches of a training up to its first step. Sides take turns: A B A B.
What the first runs compute must agree: within 1e-4 in f32, by the root mean square. Exit status: 0, or 1 if something
failed.

Another engine: --device cuda. Several: --device cuda=FOLDER --device tch:cuda=FOLDER. The peers alone: --device none.
The peer by torch.compile, too: --compile. Files are made below --work, if given, and used again.
"""

import argparse
import array
import datetime
import json
import math
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

import launch
import turns

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROMPT = "a photo of zorp person on a beach, late afternoon, looking into the camera, film grain"
NEGATIVE = "blurry, bad hands, lowres"
# Photos a step, counted turns, and runs before them that are not counted.
PLANS = {
    "builtin": dict(batch=4, turns=9, warmup=3),
    "tiny": dict(batch=4, turns=9, warmup=3),
    "small": dict(batch=4, turns=5, warmup=2),
    "sd15": dict(batch=1, turns=3, warmup=1),
}
SIDES = {"builtin": 96, "tiny": 256, "small": 256, "sd15": 512}  # pixels
PARTS = {"train": ["train"], "sample": ["denoise"], "vae": ["encode", "decode"], "text": ["text"]}
COMPILED = ("train", "sample")  # the parts with a UNet
# Root mean square of the difference over that of the reference; bf16 has 8 bits, and guidance makes 7.5 of each error.
TOLERANCE = {"f32": 1e-4, "bf16": 0.1}
NOISY = 0.15  # other programs' cores above which a figure does not count
ROWS = [
    ("LoRA step", "train", "train"),
    ("memory, training", "train", None),
    ("launch to first step", "launch", "launch"),
    ("denoising step with guidance", "sample", "denoise"),
    ("memory, sampling", "sample", None),
    ("VAE encode", "vae", "encode"),
    ("VAE decode", "vae", "decode"),
    ("memory, VAE", "vae", None),
    ("text encoding", "text", "text"),
    ("memory, text encoder", "text", None),
]


def say(text):
    print(text, file=sys.stderr, flush=True)


def peer_python():
    """The Python of the virtual environment beside this file, made if it is not there."""
    folder = f"{HERE}/.venv"
    python = f"{folder}/bin/python"
    if not os.path.exists(f"{folder}/complete"):
        say(f"making {folder}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "-q", "-r", f"{HERE}/requirements.txt"]
        subprocess.run(install, check=True)
        open(f"{folder}/complete", "w").close()
    return python


def build(device):
    """Builds likeness with the engine of `device`; the folder of its binaries."""
    feature = {"cpu": "flex"}.get(device, device.split(":")[0])
    command = ["cargo", "build", "--release", "-p", "likeness", "--bins", "--example", "race"]
    if feature != "flex":
        command += ["--features", feature]
    say(" ".join(command))
    subprocess.run(command, cwd=ROOT, check=True)
    return f"{os.environ.get('CARGO_TARGET_DIR', f'{ROOT}/target')}/release"


class Engine:
    """Our binaries for one device."""

    def __init__(self, text):
        self.device, _, folder = text.partition("=")
        self.name = f"likeness {self.device}"
        folder = os.path.abspath(folder or build(self.device))
        places = [f"{folder}/race", f"{folder}/examples/race"]
        self.race = next((p for p in places if os.path.exists(p)), places[0])
        self.likeness = f"{folder}/likeness"
        for path in (self.race, self.likeness):
            if not os.path.exists(path):
                sys.exit(f"`{path}` is not there; build it, or give --device {self.device}=FOLDER")

    def has(self, dtype):
        if dtype != "f32" and self.device == "cpu":
            return False  # which computes in f32 alone
        text = subprocess.run([self.race, "--help"], capture_output=True, text=True, check=True).stdout
        return dtype in text.partition("--dtype")[2].partition("--prompt")[0]


def read(path):
    """The one f32 tensor of a file, flat."""
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        start, end = header["result"]["data_offsets"]
        values = array.array("f")
        values.frombytes(f.read(end)[start:])
    return values


def difference(path, reference):
    got, want = read(path), read(reference)
    if len(got) != len(want):
        return math.inf
    error = sum((g - w) ** 2 for g, w in zip(got, want))
    size = sum(w * w for w in want)
    # Not a number must not pass for agreement.
    return math.sqrt(error / size) if math.isfinite(error) and size > 0 else math.inf


class Race:
    """One size: what is run, and what came out."""

    def __init__(self, a, size, engines, work):
        self.a, self.size, self.engines, self.work = a, size, engines, f"{work}/{size}"
        on_gpu = a.peer_device != "cpu" or any(e.device not in ("cpu", "tch") for e in engines)
        self.plan = dict(PLANS[size], gpu=on_gpu)
        self.plan.update({k: v for k in ("turns", "warmup") if (v := getattr(a, k)) is not None})
        self.checkpoint = os.path.abspath(a.checkpoint) if a.checkpoint else f"{self.work}/checkpoint"
        self.peers = {}
        if a.eager:
            self.peers[f"diffusers {a.peer_device}"] = []
        if a.compile:
            self.peers[f"diffusers {a.peer_device}, compiled"] = ["--compile"]
        self.result = {"size": size, "pixels": SIDES[size], "dtype": a.dtype, "plan": self.plan, "parts": {}}
        self.result.update({"checks": [], "problems": [], "skipped": []})
        self.raced = [e for e in engines if e.has(a.dtype)]
        for engine in set(engines) - set(self.raced):
            self.result["skipped"].append(f"{engine.name}: no {a.dtype} in this binary")

    def make(self):
        if os.path.exists(f"{self.work}/complete"):
            return
        os.makedirs(self.work, exist_ok=True)
        models = [self.a.python, f"{HERE}/models.py", "--size", self.size, "--out", self.work]
        models += ["--batch", str(self.plan["batch"])]
        if self.a.checkpoint:
            models += ["--checkpoint", self.checkpoint]
        subprocess.run(models, check=True)
        open(f"{self.work}/complete", "w").close()

    def ours(self, engine, part):
        files = ["--checkpoint", self.checkpoint, "--inputs", f"{self.work}/inputs.safetensors"]
        prompts = ["--prompt", PROMPT, "--negative", NEGATIVE]
        return [engine.race, "--part", part, *files, *prompts, "--device", engine.device, "--dtype", self.a.dtype]

    def theirs(self, options, part):
        files = ["--checkpoint", self.checkpoint, "--inputs", f"{self.work}/inputs.safetensors"]
        files += ["--configs", f"{self.work}/configs"]
        prompts = ["--prompt", PROMPT, "--negative", NEGATIVE]
        where = ["--device", self.a.peer_device, "--dtype", self.a.dtype, *(["--tf32"] if self.a.tf32 else [])]
        return [self.a.python, f"{HERE}/peer.py", "--part", part, *files, *prompts, *where, *options]

    def part(self, part, work):
        """Races one part, and holds every first result against the first peer's."""
        sides = {e.name: self.ours(e, part) for e in self.raced}
        for name, options in self.peers.items():
            if not options or part in COMPILED:
                sides[name] = self.theirs(options, part)
        starters = {
            name: (lambda n=name, c=command, i=i: turns.Racer(n, c, f"{work}/{part}-{i}.log"))
            for i, (name, command) in enumerate(sides.items())
        }
        done = turns.race(starters, PARTS[part], self.plan, work)
        self.result["problems"] += [f"{part}: {why}" for why in done["failed"].values()]
        outputs = done.pop("outputs")
        reference = next((name for name in self.peers if name in done["peaks"]), None)
        for command, files in outputs.items():
            for name in files:
                if reference is not None and name != reference and name in done["peaks"]:
                    self.check(command, name, difference(files[name], files[reference]))
        self.result["parts"][part] = done

    def check(self, command, name, error):
        tolerance = self.a.tolerance or TOLERANCE[self.a.dtype]
        self.result["checks"].append({"what": command, "side": name, "difference": error, "tolerance": tolerance})
        if not error <= tolerance:
            self.result["problems"].append(f"{command}: {name} differs from the peer by {error:.2e}")

    def launch(self, work):
        setting = {"checkpoint": self.checkpoint, "batch": self.plan["batch"]}
        sides, prepared = {}, {}
        for i, engine in enumerate(self.raced):
            own = f"{work}/ours-{i}"
            os.makedirs(own)
            side = launch.Ours(engine.likeness, engine.device, setting, own)
            prepared[engine.name] = side.prepare(self.a.photos or f"{self.work}/photos", SIDES[self.size])
            sides[engine.name] = side
        for name, options in self.peers.items():
            sides[name] = launch.Peer(name, self.theirs(options, "train"), work)
        seconds, other = launch.race(sides, self.a.launches)
        self.result["parts"]["launch"] = {
            "measured": {"launch": seconds},
            "other_cores": other,
            "train_command": prepared,  # `likeness train` itself: its own log of three steps, its peak
        }

    def run(self, store):
        self.make()
        for part in self.a.parts:
            say(f"{self.size}: {part}")
            with tempfile.TemporaryDirectory() as work:
                try:
                    self.launch(work) if part == "launch" else self.part(part, work)
                except (RuntimeError, OSError) as error:
                    self.result["problems"].append(f"{part}: {error}")
            other = self.result["parts"].get(part, {}).get("other_cores")
            if other is not None and other > NOISY:
                self.result.setdefault("noisy", []).append(f"{part}: other programs used {other} cores")
            store()

    def value(self, name, part, command):
        done = self.result["parts"].get(part, {})
        if command is not None:
            return done.get("measured", {}).get(command, {}).get(name, {}).get("median")
        peak = done.get("peaks", {}).get(name, {})
        return peak.get("gpu_gib") or peak.get("memory_gib")

    def table(self):
        """Markdown: a row a measure, a column a side, then ours over each peer's: below 1 ours is less."""
        ours, peers = [e.name for e in self.raced], list(self.peers)
        pairs = [(o, p) for o in ours for p in peers]
        names = [*ours, *peers, *(f"{o} / {p}" if len(pairs) > 1 else "ratio" for o, p in pairs)]
        plan = f"{self.size}, {SIDES[self.size]} px, batch {self.plan['batch']}, {self.a.dtype}"
        lines = [f"| {plan} | {' | '.join(names)} |", "| --- |" + " ---: |" * len(names)]
        for title, part, command in ROWS:
            values = {name: self.value(name, part, command) for name in [*ours, *peers]}
            if all(v is None for v in values.values()):
                continue
            unit = (lambda v: f"{v:.2f} GiB") if command is None else as_seconds
            cells = ["-" if v is None else unit(v) for v in values.values()]
            cells += [f"{values[o] / values[p]:.2f}" if values[o] and values[p] else "-" for o, p in pairs]
            lines.append(f"| {title} | {' | '.join(cells)} |")
        return "\n".join(lines)


def as_seconds(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"


def machine():
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), None)
    return {
        "cpu": cpu or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": turns.gpu_query("name,driver_version,memory.total"),
    }


def commit():
    """The checkout's commit, with a + behind it if files were changed; nothing outside a checkout."""
    git = lambda *args: subprocess.run(["git", "-C", ROOT, *args], capture_output=True, text=True, check=True).stdout
    try:
        return git("rev-parse", "--short", "HEAD").strip() + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def parse_args():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", nargs="+", choices=PLANS, default=["tiny"])
    p.add_argument("--device", action="append", metavar="DEVICE[=FOLDER]", help="our engine; default cpu")
    p.add_argument("--peer-device", help="cpu or cuda; what fits the first --device unless given")
    p.add_argument("--compile", action="store_true", help="race the peer by torch.compile, too")
    p.add_argument("--no-eager", dest="eager", action="store_false", help="leave the plain peer out")
    p.add_argument("--tf32", action="store_true", help="let the peer's f32 products round to TF32 on a GPU")
    p.add_argument("--dtype", choices=TOLERANCE, default="f32")
    p.add_argument("--tolerance", type=float, help="of the checks, in place of 1e-4 (f32) or 0.1 (bf16)")
    parts = [*PARTS, "launch"]
    p.add_argument("--parts", nargs="*", choices=parts, default=parts, help="none: only make the files of --work")
    p.add_argument("--turns", type=int, help="counted turns of each side")
    p.add_argument("--warmup", type=int, help="runs that are not counted, at least 1")
    p.add_argument("--launches", type=int, default=3)
    p.add_argument("--python", help="a Python that has requirements.txt, in place of a virtual environment")
    p.add_argument("--checkpoint", help="one of the size given, in place of random weights")
    p.add_argument("--photos", help="a folder of 4 photos or more for the launch, in place of painted ones")
    p.add_argument("--work", help="keep what is made here, and use it again")
    p.add_argument("--out", help="write all numbers to this JSON file")
    a = p.parse_args()
    if a.checkpoint and len(a.size) > 1:
        p.error("--checkpoint is of one size; give one --size")
    a.device = a.device or ["cpu"]
    if a.peer_device is None:
        a.peer_device = "cpu" if a.device[0].partition("=")[0] in ("cpu", "tch", "none") else "cuda"
    return a


def main():
    a = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended, too
    os.environ["OMP_WAIT_POLICY"] = "passive"  # else the peer's waiting threads slow ours down
    a.python = shutil.which(a.python) if a.python else peer_python()
    engines = [Engine(text) for text in a.device if text != "none"]
    result = {"machine": machine(), "commit": commit(), "date": datetime.date.today().isoformat(), "races": []}

    def store():
        if a.out:
            with open(a.out, "w") as f:
                json.dump(result, f, indent=1)

    with tempfile.TemporaryDirectory() as temporary:
        for size in a.size:
            race = Race(a, size, engines, a.work or temporary)
            result["races"].append(race.result)
            try:
                race.run(store)
            finally:  # what was measured is shown, however it ended
                print(race.table(), end="\n\n", flush=True)
    problems = [f"{r['size']}: {text}" for r in result["races"] for text in r["problems"]]
    for text in problems + [f"noisy: {t}" for r in result["races"] for t in r.get("noisy", [])]:
        say(text)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
