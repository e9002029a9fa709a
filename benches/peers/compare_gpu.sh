#!/usr/bin/env bash
# What to run on a machine with an NVIDIA GPU: the self-test, our training steps and epochs on it, PyTorch's, and the ratios. About
# a quarter of an hour, most of it torch.compile. The results go to benches/results/gpu.json.
#
#   benches/peers/compare_gpu.sh                  all rows
#   benches/peers/compare_gpu.sh --no-compile     without torch.compile
#   benches/peers/compare_gpu.sh --try            tiny rows on the processor, which only show that everything works
#
# PYTHON names an interpreter that has torch for CUDA; without it a virtual environment is made under target/.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${PYTHON:-}" ]; then
  PYTHON=target/peers-gpu/bin/python
  if ! "$PYTHON" -c 'import numpy, torch, torchvision' 2>/dev/null; then
    python3 -m venv target/peers-gpu
    "$PYTHON" -m pip install --quiet torch torchvision numpy
  fi
fi
# PyTorch for CUDA brings cuDNN, cuBLAS and nvrtc, where the machine has no toolkit of its own
libraries=$("$PYTHON" -c 'import glob, os, torch; print(":".join(glob.glob(os.path.dirname(os.path.dirname(torch.__file__)) + "/nvidia/*/lib")))')
if [ -n "$libraries" ]; then
  export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries"
fi
cargo build --release --features cuda
exec "$PYTHON" benches/peers/compare_gpu.py --program "${CARGO_TARGET_DIR:-target}/release/tuning-fork" "$@"
