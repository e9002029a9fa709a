#!/usr/bin/env bash
# Puts a CUDA 13 toolkit with cuDNN into an ignored folder (2 GB, from PyPI): nvcc and nvrtc to compile the kernels, and the libraries that
# the program loads, on a machine without a toolkit, a driver or a GPU. Usage: .ci/cuda-toolchain.sh [FOLDER]; then: . FOLDER/environment
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${1:-.cuda-toolchain}")
# paths in the file below are not quoted
case $folder in *[[:space:]]*) echo "choose a folder without blanks, not $folder" >&2; exit 1 ;; esac

mkdir -p "$folder"
[ -x "$folder/bin/pip" ] || python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check \
  "nvidia-cuda-nvcc==13.0.*" "nvidia-nvvm==13.0.*" "nvidia-cuda-crt==13.0.*" "nvidia-cuda-runtime==13.0.*" \
  "nvidia-cuda-nvrtc==13.0.*" "nvidia-cublas==13.0.*" "nvidia-cudnn-cu13==9.*"
nvidia=$(echo "$folder"/lib/python3*/site-packages/nvidia)

cat > "$folder/environment" <<END
export PATH=$nvidia/cu13/bin:\$PATH
export LD_LIBRARY_PATH=$nvidia/cu13/lib:$nvidia/cudnn/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
END
echo "ready: .ci/cuda"
