#!/bin/sh
# Guess: torchrun hands all that stands behind the script's name on to the script. Seen: its parser
# looks for its own options there too, and for beginnings of them, so that a script's own `--run`
# ends in "ambiguous option: --run could match --run-path, --run_path". With `--` in front of the
# script's options they arrive, without the `--`.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy

printf 'import sys\nprint("arguments", sys.argv[1:])\n' >"$folder/script.py"
"$folder/venv/bin/python" -c 'import torch; print("torch", torch.__version__)'
cd "$folder"

if venv/bin/torchrun --nproc-per-node 1 script.py --run here >out 2>&1; then
    echo "torchrun no longer minds --run"; exit 1
fi
grep -o 'ambiguous option: --run.*' out
venv/bin/torchrun --nproc-per-node 1 script.py -- --run here >out 2>/dev/null
cat out
grep -q "arguments \['--run', 'here'\]" out
