#!/usr/bin/env bash
# Predicted memory beside measured: one step at 512 px, batch 1 and 2, with and without checkpointing.
#
#   benches/memory.sh --likeness target/release/likeness --base MODEL.safetensors --photos DIR [--out memory.json]
#
# Prints one JSON object and fails if a prediction is more than 15 % off. Peaks are the largest resident memory of the
# process (`peak_memory_mib` in steps.jsonl). While UNets are loaded the pages of their file count, too, so a second figure
# has the largest resident memory after that, sampled ten times a second. `make_sd15.py` makes a base.
set -euo pipefail

likeness="" base="" photos="" out=memory.json
while [ $# -gt 0 ]; do
  case $1 in
    --likeness) likeness=$2 ;;
    --base) base=$2 ;;
    --photos) photos=$2 ;;
    --out) out=$2 ;;
    *) echo "unknown option $1; give --likeness, --base, --photos, --out" >&2; exit 2 ;;
  esac
  shift 2
done
[ -n "$likeness" ] && [ -n "$base" ] && [ -n "$photos" ] || { echo "give --likeness, --base and --photos" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$likeness" curate "$photos" --trigger zorp --no-faces --out "$work/zorp.dataset" >&2

LIKENESS=$likeness BASE=$base WORK=$work OUT=$out python3 - <<'PY'
import json, os, shutil, subprocess, sys, time

work, likeness = os.environ["WORK"], os.environ["LIKENESS"]
MIB = 1 << 20


def status(pid, key):
    """A figure of /proc/PID/status in MiB."""
    with open(f"/proc/{pid}/status") as f:
        lines = [line.split() for line in f if line.startswith(key)]
    return int(lines[0][1]) / 1024 if lines else 0


def training_peak(pid, running):
    """The largest resident memory once the base's file is no longer mapped."""
    peak, mapped = 0, False
    while running():
        try:
            resident, pages = status(pid, "VmRSS:"), status(pid, "RssFile:")
        except (OSError, IndexError):
            break
        mapped = mapped or pages > 256
        peak = max(peak, resident) if mapped and pages < 256 else peak
        time.sleep(0.1)
    return peak


results, worst = [], 0
cache = None
for batch in (1, 2):
    for way in ("none", "attention", "blocks"):
        run = f"{work}/{way}-{batch}"
        command = [likeness, "train", "--base", os.environ["BASE"], "--dataset", f"{work}/zorp.dataset", "--out", run]
        command += ["--steps", "1", "--set", f"train.checkpointing={way}", "--set", f"train.batch={batch}"]
        if cache:
            shutil.copytree(cache, f"{run}/cache")
            open(f"{run}/run.toml", "w").close()
        told = subprocess.run([*command, "--dry-run", "--json"], check=True, capture_output=True, text=True).stdout
        memory = json.loads(told)["memory"]
        process = subprocess.Popen(command, stdout=sys.stderr)
        sampled = training_peak(process.pid, lambda: process.poll() is None)
        if process.wait() != 0:
            sys.exit(f"`{' '.join(command)}` failed")
        cache = f"{run}/cache"
        step = json.loads(open(f"{run}/steps.jsonl").read().splitlines()[-1])
        figures = {
            "batch": batch,
            "checkpointing": way,
            "peak_mib": {"predicted": memory["peak_bytes"] / MIB, "measured": step["peak_memory_mib"]},
            "training_mib": {"predicted": memory["parts"]["training"] / MIB, "measured": sampled},
            "step_s": 1 / step["images_per_second"] * batch,
        }
        for pair in (figures["peak_mib"], figures["training_mib"]):
            pair.update({key: round(value) for key, value in pair.items()})
            pair["off"] = round(pair["predicted"] / max(pair["measured"], 1) - 1, 3)
        # 0: the file was never seen to be mapped.
        pairs = [figures["peak_mib"]] + ([figures["training_mib"]] if sampled else [])
        worst = max(worst, *(abs(pair["off"]) for pair in pairs))
        results.append(figures)
        print(json.dumps(figures), file=sys.stderr, flush=True)

result = {"runs": results, "worst_off": worst}
with open(os.environ["OUT"], "w") as f:
    json.dump(result, f, indent=1)
print(json.dumps(result, indent=1))
sys.exit(1 if worst > 0.15 else 0)
PY
