#!/usr/bin/env bash
# Puts a CUDA 13 toolkit with cuDNN into an ignored folder (2.1 GB, from PyPI), enough to build and link the feature "cuda" on a
# machine without a toolkit, a driver or a GPU. Usage: .ci/cuda-toolchain.sh [FOLDER]; then: . FOLDER/environment
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${1:-.cuda-toolchain}")
# the flags for the linker cannot hold a blank
case $folder in *[[:space:]]*) echo "choose a folder without blanks, not $folder" >&2; exit 1 ;; esac

mkdir -p "$folder"
[ -x "$folder/bin/pip" ] || python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check \
  "nvidia-cuda-nvcc==13.0.*" "nvidia-nvvm==13.0.*" "nvidia-cuda-crt==13.0.*" "nvidia-cuda-cccl==13.0.*" \
  "nvidia-cuda-runtime==13.0.*" "nvidia-cuda-nvrtc==13.0.*" "nvidia-cublas==13.0.*" "nvidia-curand==10.4.*" "nvidia-cudnn-cu13==9.*"
nvidia=$(echo "$folder"/lib/python3*/site-packages/nvidia)

# The packages have libraries with version numbers only; a linker wants the plain names.
(
  cd "$nvidia/cu13/lib"
  for name in cublas cublasLt cudart curand nvrtc; do
    ln -sf "$(find . -maxdepth 1 -name "lib$name.so.*" ! -name '*alt*' | sort | head -1)" "lib$name.so"
  done
)
ln -sfn lib "$nvidia/cu13/lib64"
ln -sf libcudnn.so.9 "$nvidia/cudnn/lib/libcudnn.so"

# libcuda comes with a driver. To link without one, a stub with its names; it is never loaded.
mkdir -p "$folder/stubs"
cargo fetch --quiet --locked
version=$(awk '/^name = "cudarc"$/ { getline; gsub(/"/, "", $3); print $3; exit }' Cargo.lock)
cudarc=$(find "${CARGO_HOME:-$HOME/.cargo}"/registry/src -maxdepth 2 -type d -name "cudarc-$version" | head -1)
[ -n "$cudarc" ] || { echo "cudarc $version is not in cargo's registry; run cargo fetch" >&2; exit 1; }
grep -ohE "pub unsafe fn cu[A-Za-z0-9_]+" "$cudarc/src/driver/sys/mod.rs" | awk '{ print "void " $4 "(void) {}" }' | sort -u > "$folder/stubs/cuda.c"
gcc -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$folder/stubs/libcuda.so" "$folder/stubs/cuda.c"

cat > "$folder/environment" <<END
# 90 is H100 and H200, 89 the RTX 40, 86 the RTX 30, 75 the RTX 20 series
export CUDA_COMPUTE_CAP=\${CUDA_COMPUTE_CAP:-90}
export CUDA_HOME=$nvidia/cu13 CUDA_PATH=$nvidia/cu13 CUDA_ROOT=$nvidia/cu13 CUDNN_LIB=$nvidia/cudnn
export PATH=$nvidia/cu13/bin:\$PATH
export LIBRARY_PATH=$folder/stubs:$nvidia/cu13/lib:$nvidia/cudnn/lib
export RUSTFLAGS="-L native=$folder/stubs -L native=$nvidia/cu13/lib -L native=$nvidia/cudnn/lib"
END
echo "ready: . $folder/environment && cargo build --release --features cuda"
