#!/usr/bin/env bash
# Training steps and forward passes, ours against PyTorch, on this machine, in one run.
#
#   benches/peers/compare.sh                          all rows, five rounds: about half an hour
#   benches/peers/compare.sh --whole-run FOLDER       and three whole runs on a folder of class folders
#   benches/peers/compare.sh --rounds 7 seed-64-f32   one row
#
# PYTHON names an interpreter that has torch; without it a virtual environment is made under target/.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${PYTHON:-}" ]; then
  PYTHON=target/peers/bin/python
  [ -x "$PYTHON" ] || { python3 -m venv target/peers && "$PYTHON" -m pip install --quiet torch torchvision numpy pillow; }
fi
cargo build --release
exec "$PYTHON" benches/peers/compare.py --program "${CARGO_TARGET_DIR:-target}/release/tuning-fork" \
  --json benches/results/peers.json "$@"
