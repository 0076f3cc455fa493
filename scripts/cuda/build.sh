#!/usr/bin/env bash
# Builds snapc with the feature `cuda`, on a machine with or without a graphics processor. It is not part of
# `.ci/run`: it takes 21 minutes of processor time. Arguments go to cargo in place of
# `build`: `scripts/cuda/build.sh clippy --all-targets`.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/cuda/environment.sh

if [ $# -eq 0 ]; then
    set -- build
fi
command=$1
shift
exec cargo "$command" --features cuda "$@"
