# What a build with the feature `cuda` needs, for a machine without a graphics processor and without CUDA:
# to be sourced, in the root of the repository, by the scripts beside this one.
#
# The compiler, headers and libraries of CUDA 13.0 come from PyPI into `target/cuda/toolkit`. Where CUDA_HOME
# is set, that toolkit is taken, and nothing is fetched.

toolkit="$PWD/target/cuda/toolkit"

fetch_toolkit() {
    local wheels="$toolkit/wheels"
    python3 -m pip install --quiet --no-deps --target "$wheels" \
        "nvidia-cuda-nvcc==13.0.*" "nvidia-cuda-runtime==13.0.*" "nvidia-cuda-cccl==13.0.*" \
        "nvidia-cuda-crt==13.0.*" "nvidia-nvvm==13.0.*" "nvidia-cuda-nvrtc==13.0.*" \
        "nvidia-cublas==13.0.*" nvidia-curand nvidia-cudnn-cu13
    mkdir -p "$toolkit/cuda/lib64"
    ln -sfn "$wheels/nvidia/cu13/bin" "$toolkit/cuda/bin"
    ln -sfn "$wheels/nvidia/cu13/nvvm" "$toolkit/cuda/nvvm"
    ln -sfn "$wheels/nvidia/cu13/include" "$toolkit/cuda/include"
    # The linker asks for `libcublas.so`; the wheels have `libcublas.so.13` alone.
    local library name
    for library in "$wheels"/nvidia/cu13/lib/lib*.{a,so.*} "$wheels"/nvidia/cudnn/lib/lib*.so.*; do
        name=$(basename "$library")
        ln -sf "$library" "$toolkit/cuda/lib64/$name"
        ln -sf "$library" "$toolkit/cuda/lib64/${name%%.so.*}.so"
    done
    rm -f "$toolkit"/cuda/lib64/lib*.a.so
    ln -sfn lib64 "$toolkit/cuda/lib"
    make_driver_stub
    touch "$toolkit/complete"
}

# The library of the driver comes with a graphics processor. To link, a stub stands in for it: every function
# that the header declares, each of which answers CUDA_ERROR_NO_DEVICE, 100. So what is built runs here too,
# and finds no device.
make_driver_stub() {
    mkdir -p "$toolkit/stub"
    grep -ohE '\bcu[A-Z][A-Za-z0-9_]*' "$toolkit/cuda/include/cuda.h" | sort -u \
        | sed 's/.*/int &(void) { return 100; }/' > "$toolkit/stub/driver.c"
    cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$toolkit/stub/libcuda.so.1" "$toolkit/stub/driver.c"
    ln -sf libcuda.so.1 "$toolkit/stub/libcuda.so"
}

if [ -z "${CUDA_HOME:-}" ]; then
    [ -e "$toolkit/complete" ] || fetch_toolkit
    export CUDA_HOME="$toolkit/cuda"
    export LIBRARY_PATH="$toolkit/stub:$CUDA_HOME/lib64${LIBRARY_PATH:+:$LIBRARY_PATH}"
    export LD_LIBRARY_PATH="$CUDA_HOME/lib64:$toolkit/stub${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
export PATH="$CUDA_HOME/bin:$PATH"
export CUDA_COMPUTE_CAP="${CUDA_COMPUTE_CAP:-90}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target/cuda/build}"
