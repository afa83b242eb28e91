#!/usr/bin/env bash
# likeness and diffusers + PEFT on a GPU, in one command and under ten minutes.
#
#   benches/gpu.sh --engine cuda=FOLDER [--engine tch:cuda=FOLDER] [--cpu FOLDER] [--python PYTHON] [--size SIZE]
#                  [--photos DIR] [--steps N] [--turns N] [--compile yes|no] [--tolerance X] [--seconds N] [--out FILE]
#
# Builds and downloads nothing: a FOLDER holds prebuilt `likeness` and `race` (or `examples/race`), as target/release
# does; PYTHON has race/requirements.txt. The machine needs CUDA's driver and libraries and nothing else.
#
# 1. Correctness: N training steps by each engine, and by the CPU if --cpu is given; the losses must agree within 2 %,
#    since photos, noise and timesteps are functions of the seed. Then one picture by each engine, and, with --cpu, the
#    gradient of every LoRA factor beside the CPU's, in f32 and bf16 (race/gradients.py has the limits).
# 2. race/race.py in f32, then in bf16 (engines without it are left out there): speed and memory of each engine beside
#    the peer, plain and by torch.compile, with the first results held against the peer's.
#
# SIZE is sd15 (512 px, the default), small or tiny; `--engine cpu=FOLDER --size tiny` tries the script without a GPU.
# Exit status: 0 if all that was asked for ran and agreed, 1 otherwise; the JSON then says what did not.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

engines=() photos="" cpu="" python=python3 size=sd15 steps=3 turns="" compile=yes tolerance="" deadline=570 out=gpu.json
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { echo "$1 wants a value" >&2; exit 2; }
  case "$1" in
    --engine) engines+=("$2") ;;
    --photos) photos=$2 ;;
    --cpu) cpu=$2 ;;
    --python) python=$2 ;;
    --size) size=$2 ;;
    --steps) steps=$2 ;;
    --turns) turns=$2 ;;
    --compile) compile=$2 ;;
    --tolerance) tolerance=$2 ;;
    --seconds) deadline=$2 ;;
    --out) out=$2 ;;
    *) echo "unknown option $1; see the head of $0" >&2; exit 2 ;;
  esac
  shift 2
done
[ ${#engines[@]} -gt 0 ] || { echo "give --engine DEVICE=FOLDER" >&2; exit 2; }

work=$(mktemp -d) watcher=""
# Only the sampler that this script started is ended.
trap '[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true; rm -rf "$work"' EXIT
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
  timeout --kill-after=10 "$(left)" "$@" >"$work/$name.out" 2>"$work/$name.err" || status=$?
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

race=("$python" "$here/race/race.py" --python "$python" --work "$work/race" --size "$size")
[ -z "$turns" ] || race+=(--turns "$turns")
[ -z "$tolerance" ] || race+=(--tolerance "$tolerance")
for engine in "${engines[@]}"; do race+=(--device "$engine"); done

side=256 sample_steps=4
if [ "$size" = sd15 ]; then side=512 sample_steps=20; fi
checkpoint=$work/race/$size/checkpoint
stage make "${race[@]}" --parts || exit 1

# train NAME DEVICE FOLDER, then one picture from what came out.
train() {
  local name=$1 device=$2 folder=$3
  stage "$name-train" "$folder/likeness" train --device "$device" --base "$checkpoint" --dataset "$work/zorp.dataset" \
    --out "$work/$name" --steps "$steps" --set train.log_every=1 || return 1
}
picture() {
  local name=$1 device=$2 folder=$3
  stage "$name-picture" "$folder/likeness" generate --device "$device" --base "$checkpoint" --size "${side}x$side" \
    --steps "$sample_steps" --guidance 7.5 --sampler ddim --lora "$work/$name/adapter.safetensors" \
    --prompt "a photo of zorp person" --out "$work/$name.png" || return 1
}

folders=("${engines[@]#*=}")
stage curate "${folders[0]}/likeness" curate "${photos:-$work/race/$size/photos}" --trigger zorp --no-faces \
  --resolution "$side" --min-side "$side" --out "$work/zorp.dataset" || exit 1
for engine in "${engines[@]}"; do
  device=${engine%%=*} folder=${engine#*=}
  name=engine-${device//:/-}
  if train "$name" "$device" "$folder"; then picture "$name" "$device" "$folder" || true; fi
done
if [ -n "$cpu" ]; then
  train cpu cpu "$cpu" || true
  for engine in "${engines[@]}"; do
    for dtype in f32 bf16; do
      [ "$dtype-${engine%%=*}" != bf16-cpu ] || continue
      stage "gradients-$dtype-${engine%%=*}" "$python" "$here/race/gradients.py" "cpu=$cpu" "$engine" --dtype "$dtype" \
        --checkpoint "$checkpoint" --inputs "$work/race/$size/inputs.safetensors" || true
    done
  done
fi

race+=(--launches 2)
[ "$compile" = no ] || race+=(--compile)
stage race-f32 "${race[@]}" --dtype f32 --out "$work/race-f32.json" || true
stage race-bf16 "${race[@]}" --dtype bf16 --parts train sample vae text --out "$work/race-bf16.json" || true
cat "$work"/race-*.out

WORK=$work OUT=$out CPU=$cpu STEPS=$steps "$python" - "${engines[@]%%=*}" <<'PY'
import json, os, sys

work, steps = os.environ["WORK"], int(os.environ["STEPS"])


def read(path, of_text):
    try:
        with open(path) as f:
            return of_text(f.read())
    except (OSError, ValueError):
        return None


def lines(path):
    return read(path, lambda text: [json.loads(line) for line in text.splitlines()]) or []


def run(name):
    log = lines(f"{work}/{name}/steps.jsonl")
    return {"step_s": [round(1 / s["images_per_second"], 4) for s in log], "losses": [s["loss"] for s in log]}


stages = lines(f"{work}/stages.jsonl")
engines = {device: run("engine-" + device.replace(":", "-")) for device in sys.argv[1:]}
races = {dtype: read(f"{work}/race-{dtype}.json", json.loads) for dtype in ("f32", "bf16")}
any_race = next((r for r in races.values() if r), {})
result = {"machine": any_race.get("machine"), "commit": any_race.get("commit"), "date": any_race.get("date")}
result |= {"steps": steps, "stages": stages, "train": engines}
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
for dtype, race in races.items():
    done = race["races"][0] if race else None
    result[f"race_{dtype}"] = done
    problems += [f"{dtype}: {text}" for text in done["problems"]] if done else [f"{dtype}: no race"]
result["gradients"] = {
    s["stage"].removeprefix("gradients-"): read(f"{work}/{s['stage']}.out", json.loads)
    for s in stages
    if s["stage"].startswith("gradients-")
}
result["problems"] = problems
with open(os.environ["OUT"], "w") as f:
    json.dump(result, f, indent=1)
for text in problems:
    print(text, file=sys.stderr)
sys.exit(1 if problems else 0)
PY
