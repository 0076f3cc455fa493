#!/usr/bin/env bash
# Tries the CUDA source that snapc writes on a machine without a graphics processor: its functions against the
# kernels of the CPU, as C++; and each source through NVRTC, as a run on a device would compile it.
set -euo pipefail
cd "$(dirname "$0")/../.."
sources=$(mktemp -d)
trap 'rm -rf "$sources"' EXIT
SNAPC_CUDA_SOURCES="$sources" cargo test --lib cuda_source -- --ignored
. scripts/cuda/environment.sh
python3 scripts/cuda/nvrtc.py "$CUDA_HOME/lib64/libnvrtc.so" "compute_$CUDA_COMPUTE_CAP" "$sources"/*.cu
