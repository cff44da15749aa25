#!/bin/sh
# The painter that ships inside the package: portraits of nobody, 64 px, trained on a processor.
#
#   recipes/portrait-painter.sh PORTRAITS PAINTINGS [RUNS]
#
#   PORTRAITS  portraits-96.zip: painted portraits, face-centred, in folders by period
#   PAINTINGS  paintings-128.zip: other paintings, against which the judge of faces is taught
#   RUNS       where the run folder goes; runs/ if it is not given
#
# Stopped at any moment (Ctrl-C, kill -9, a power cut), the same line goes on where it was.
# The contact sheets in RUNS/portraits-sheets show what the cleaning kept and threw out, and why.
set -eu

portraits=${1:?"name the data: recipes/portrait-painter.sh portraits-96.zip paintings-128.zip"}
paintings=${2:?"name the data: recipes/portrait-painter.sh portraits-96.zip paintings-128.zip"}
runs=${3:-runs}
here=$(dirname "$0")

# 1. Clean: false faces, drawings, black bars, copies go; 1,392 of 3,460 stay, most of them baroque
#    and romantic, since dark coats are wanted. A CPU-minute.
if [ ! -e "$runs/portraits-clean.zip" ]; then
    mkdir -p "$runs"
    python "$here/portraits.py" "$portraits" "$paintings" "$runs/portraits-clean.zip" \
        "$runs/portraits-sheets"
fi

# 2. Learn: 25,000 steps of 16 pictures, about a quarter of a CPU-second each on one core of an
#    EPYC with bfloat16.
belamy gan train "$runs/portraits-clean.zip" --steps 25000 --run "$runs/portraits"

# Before its end, the painter as it is at the last checkpoint:
#   belamy gan export RUNS/portraits -o portraits.safetensors
