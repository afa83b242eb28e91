#!/usr/bin/env bash
# The same small job on a GPU by likeness and by diffusers + PEFT, in one command and under ten minutes.
#
#   benches/gpu.sh --engine cuda=BINARY --photos DIR [--engine tch:cuda=BINARY] [--cpu BINARY] [--python PYTHON]
#                  [--checkpoint FILE] [--steps N] [--out FILE]
#
# Builds nothing. For each engine: N training steps at 512 px, rank 16, on a random checkpoint of Stable Diffusion 1.5's
# size, then one 512 px picture from the result. With --cpu the steps are taken on the CPU, too, and the losses must agree
# within 2 %: photos, noise and timesteps are functions of the seed, so both see the same. With a Python that has torch and
# diffusers, peer_three_steps.py does its share; without one the peer is left out, and the JSON says so.
# Exit status: 0 if all that was asked for ran and agreed, 1 otherwise; the JSON then says what did not.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

engines=() photos="" cpu="" python=python3 checkpoint="" steps=3 out=gpu.json
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { echo "$1 wants a value" >&2; exit 2; }
  case "$1" in
    --engine) engines+=("$2") ;;
    --photos) photos=$2 ;;
    --cpu) cpu=$2 ;;
    --python) python=$2 ;;
    --checkpoint) checkpoint=$2 ;;
    --steps) steps=$2 ;;
    --out) out=$2 ;;
    *) echo "unknown option $1; see the head of $0" >&2; exit 2 ;;
  esac
  shift 2
done
if [ ${#engines[@]} = 0 ] || [ -z "$photos" ]; then
  echo "give --engine DEVICE=BINARY and --photos DIR" >&2; exit 2
fi
[ "$steps" -ge 3 ] || { echo "--steps $steps: give 3 or more, since the first ones compile kernels" >&2; exit 2; }

work=$(mktemp -d) watcher=""
# Only the sampler that this script started is ended.
trap '[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true; rm -rf "$work"' EXIT
deadline=570
left() { local rest=$((deadline - SECONDS)); echo $((rest > 1 ? rest : 1)); }
say() { printf '%4d s  %s\n' "$SECONDS" "$*" >&2; }

# stage NAME COMMAND...: runs it in what is left of the time; its wall seconds, largest GPU memory and status as JSON.
stage() {
  local name=$1 begin=$EPOCHREALTIME status=0 peak=null
  shift
  say "$name"
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits --loop-ms=200 >"$work/memory" 2>/dev/null &
    watcher=$!
  fi
  timeout "$(left)" "$@" >"$work/$name.out" 2>"$work/$name.err" || status=$?
  local end=$EPOCHREALTIME
  if [ -n "$watcher" ]; then
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    watcher=""
    peak=$(sort -n "$work/memory" | tail -n 1)
  fi
  [ "$status" = 0 ] || tail -n 5 "$work/$name.err" >&2
  awk -v n="$name" -v b="$begin" -v e="$end" -v s="$status" -v p="${peak:-null}" \
    'BEGIN { printf "{\"stage\":\"%s\",\"wall_s\":%.2f,\"gpu_memory_used_mib\":%s,\"status\":%d}\n", n, e - b, p, s }' \
    >>"$work/stages.jsonl"
  return "$status"
}

if [ -z "$checkpoint" ]; then
  checkpoint=$work/sd15.safetensors
  stage make-checkpoint "$python" "$here/make_sd15.py" --out "$checkpoint" || exit 1
fi

# train NAME DEVICE BINARY, then one picture from what came out.
train() {
  local name=$1 device=$2 binary=$3
  stage "$name-train" "$binary" train --device "$device" --base "$checkpoint" --dataset "$work/zorp.dataset" \
    --out "$work/$name" --steps "$steps" --set train.log_every=1 || return 1
}
picture() {
  local name=$1 device=$2 binary=$3
  stage "$name-picture" "$binary" generate --device "$device" --base "$checkpoint" --size 512x512 --steps 20 \
    --guidance 7.5 --sampler ddim --lora "$work/$name/adapter.safetensors" \
    --prompt "a photo of zorp person" --out "$work/$name.png" || return 1
}

binaries=("${engines[@]#*=}")
stage curate "${binaries[0]}" curate "$photos" --trigger zorp --no-faces --out "$work/zorp.dataset" || exit 1
for engine in "${engines[@]}"; do
  device=${engine%%=*} binary=${engine#*=}
  name=${device//:/-}
  if train "$name" "$device" "$binary"; then picture "$name" "$device" "$binary" || true; fi
done
[ -z "$cpu" ] || train cpu cpu "$cpu" || true

peer="no Python with torch and diffusers"
if "$python" -c 'import torch, diffusers, peft' 2>/dev/null; then
  first=$(find "$photos" -maxdepth 1 -type f \( -iname '*.jpg' -o -iname '*.png' \) | sort | head -n 1)
  device_option=()
  peer="cpu: this peer_three_steps.py takes no --device"
  if "$python" "$here/peer_three_steps.py" --help | grep -q -- --device; then
    device_option=(--device cuda)
    peer="cuda"
  fi
  stage peer "$python" "$here/peer_three_steps.py" --checkpoint "$checkpoint" --picture "$first" \
    --steps "$steps" --sample-steps 20 --out "$work/peer.png" "${device_option[@]}" || true
fi

WORK=$work OUT=$out PEER=$peer CPU=$cpu STEPS=$steps "$python" - "${engines[@]%%=*}" <<'PY'
import json, os, subprocess, sys

work, steps = os.environ["WORK"], int(os.environ["STEPS"])


def lines(path):
    return [json.loads(line) for line in open(path)] if os.path.exists(path) else []


def query(fields):
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def run(name):
    log = lines(f"{work}/{name}/steps.jsonl")
    return {"step_s": [round(1 / s["images_per_second"], 4) for s in log], "losses": [s["loss"] for s in log]}


stages = lines(f"{work}/stages.jsonl")
engines = {device: run(device.replace(":", "-")) for device in sys.argv[1:]}
result = {"gpu": query("name,driver_version,memory.total"), "steps": steps, "stages": stages, "likeness": engines}
problems = [f"{s['stage']} ended with status {s['status']}" for s in stages if s["status"] != 0]
problems += [f"{d} logged {len(r['losses'])} of {steps} steps" for d, r in engines.items() if len(r["losses"]) != steps]
if os.environ["CPU"]:
    cpu = result["cpu"] = run("cpu")
    if len(cpu["losses"]) != steps:
        problems.append(f"the CPU logged {len(cpu['losses'])} of {steps} steps")
    for device, r in engines.items():
        worst = max((abs(a - b) / abs(b) for a, b in zip(r["losses"], cpu["losses"])), default=None)
        r["worst_relative_loss_difference_to_cpu"] = worst
        if worst is not None and not worst <= 0.02:
            problems.append(f"{device}: losses differ from the CPU's by {worst:.1%}")
result["peer_device"] = os.environ["PEER"]
try:
    text = open(f"{work}/peer.out").read()
    result["peer"] = json.loads(text[text.index("{") :])
except (OSError, ValueError):
    result["peer"] = None
result["problems"] = problems
with open(os.environ["OUT"], "w") as f:
    json.dump(result, f, indent=1)
print(json.dumps(result, indent=1))
sys.exit(1 if problems else 0)
PY
