#!/usr/bin/env bash
# Predicted memory beside measured: one step at 512 px, batch 1 and 2, with and without checkpointing.
#
#   benches/memory.sh --likeness target/release/likeness --base MODEL.safetensors --photos DIR [--out memory.json]
#
# Prints one JSON object and fails if a prediction is more than 15 % off. Peaks are the largest resident memory of the
# process (`peak_memory_mib` in steps.jsonl); the first run encodes the photos, too. `make_sd15.py` makes a base.
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
import json, os, shutil, subprocess, sys

work, likeness = os.environ["WORK"], os.environ["LIKENESS"]
MIB = 1 << 20


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
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            sys.exit(f"`{' '.join(command)}` failed")
        cache = f"{run}/cache"
        step = json.loads(open(f"{run}/steps.jsonl").read().splitlines()[-1])
        predicted, measured = memory["peak_bytes"] / MIB, step["peak_memory_mib"]
        figures = {
            "batch": batch,
            "checkpointing": way,
            "predicted_mib": round(predicted),
            "measured_mib": round(measured),
            "off": round(predicted / measured - 1, 3),
            "step_s": round(1 / step["images_per_second"] * batch, 2),
        }
        worst = max(worst, abs(figures["off"]))
        results.append(figures)
        print(json.dumps(figures), file=sys.stderr, flush=True)

result = {"runs": results, "worst_off": worst}
with open(os.environ["OUT"], "w") as f:
    json.dump(result, f, indent=1)
print(json.dumps(result, indent=1))
sys.exit(1 if worst > 0.15 else 0)
PY
