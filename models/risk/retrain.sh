#!/bin/sh
# Trains the risk model again, from the flights to risk.onnx: after every change of topologies/flight-features.ts.
# Needs Python 3.11 or newer; its packages go into a virtual environment beside the exported rows, outside the repository.
set -eu
cd "$(dirname "$0")/../.."
work="${1:-${TMPDIR:-/tmp}/millrace-risk}"
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then python3 -m venv "$work/venv"; fi
"$work/venv/bin/pip" install --quiet --requirement models/risk/requirements.txt
node --conditions=millrace-source --import tsx models/risk/export.ts "$work/rows"
"$work/venv/bin/python" -W ignore models/risk/train.py "$work/rows"
