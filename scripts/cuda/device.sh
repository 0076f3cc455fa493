#!/usr/bin/env bash
# Runs snapc on a graphics processor and prints what came out: whether every operation, every net of the zoo and
# the optimizers compute what they compute on the CPU, and how long steps of training take next to stock candle
# (the modules of `snapc emit rust`) and PyTorch, eager and compiled.
#
#     scripts/cuda/device.sh pack     on a machine with cargo: builds everything into target/cuda/device
#     scripts/cuda/device.sh          on the machine with the graphics processor, which needs no cargo and no network
#
# The second takes the libraries of CUDA from CUDA_HOME, or those that came with PyTorch.
set -euo pipefail
cd "$(dirname "$0")/../.."
packed="$PWD/target/cuda/device"

pack() {
    . scripts/cuda/environment.sh
    mkdir -p "$packed"
    # What cargo has built for a target, from its messages.
    executable() {
        python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == sys.argv[1]:
        print(message["executable"])' "$1"
    }
    local name
    for name in backend zoo; do
        cp "$(cargo test --release --features cuda --no-run --test $name --message-format json | executable $name)" "$packed/$name"
    done
    cp "$(cargo bench --features cuda --no-run --bench side_by_side --message-format json | executable side_by_side)" \
        "$packed/side_by_side"
    cp "$(cargo build --release --features cuda --bin snapc --message-format json | executable snapc)" "$packed/snapc"
    strip "$packed"/*
    du -sh "$packed"
}

# The folders of the libraries that PyTorch's packages bring.
libraries_of_torch() {
    python3 -c '
import glob, os, site, sys
folders = [path for path in sys.path + site.getsitepackages() if path]
print(":".join(sorted({found for folder in folders for found in glob.glob(os.path.join(folder, "nvidia", "*", "lib"))})))'
}

if [ "${1:-}" = pack ]; then
    pack
    exit
fi
device=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1 || true)
if [ -z "$device" ]; then
    echo "there is no graphics processor of NVIDIA here: nothing was run"
    exit 0
fi
if [ ! -x "$packed/snapc" ]; then
    echo "target/cuda/device is empty: run \`scripts/cuda/device.sh pack\` first"
    exit 1
fi
torch=$(libraries_of_torch)
export LD_LIBRARY_PATH="${CUDA_HOME:+$CUDA_HOME/lib64:}$torch${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export CARGO_MANIFEST_DIR="$PWD" SNAPC_TEST_DEVICE=cuda

echo "device: $device"
verdict() {
    local log
    log=$(mktemp)
    if "$@" > "$log" 2>&1; then echo "agree"; else echo "DIFFER"; tail -n 40 "$log" >&2; fi
    rm -f "$log"
}
printf '%-58s %s\n' "every operation and fused net, f32 and bf16, to the CPU" \
    "$(verdict "$packed/backend" tensors:: --test-threads 1)"
printf '%-58s %s\n' "every net of the zoo, f32 and bf16, to the CPU" \
    "$(verdict "$packed/zoo" tensors:: --test-threads 1)"
"$packed/snapc" train examples/digits.snap --device cuda --epochs 2 --output "$(mktemp -d)/run" 2>&1 | tail -n 1
for precision in f32 bf16; do
    echo "steps of training on $device, $precision"
    python3 benches/side_by_side/side_by_side.py train --built "$packed/side_by_side" "$packed/snapc" \
        --device cuda --precision "$precision" --compile --candle --batch 32 128
done
