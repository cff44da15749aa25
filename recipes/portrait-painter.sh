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
#    EPYC with bfloat16; then as many more as make 40,000. The rate falls towards the end of what
#    was asked for, so that it rises once more where it was prolonged.
if ! grep -qs '"steps": 40000' "$runs/portraits/config.json"; then
    belamy gan train "$runs/portraits-clean.zip" --steps 25000 --run "$runs/portraits"
fi
belamy gan train --resume "$runs/portraits" --steps 40000

# 3. Take away the lines like worms, without an adversary (docs/gan.md): three stages, the mean of
#    which is the painter. A quarter of an hour of one core. FIRST=FILE goes on from another painter,
#    such as src/belamy/weights/older/portraits-61db7ffb.safetensors, which step 2 made in its time.
first=${FIRST:-"$runs/portraits/network.safetensors"}
finish() {
    stage=$1
    shift
    python "$here/portrait-finish.py" "$runs/portraits-clean.zip" "$first" "$stage" \
        "$runs/portraits-finish-$stage" "$@"
}
finish 0 "$first"
finish 1 "$runs/portraits-finish-0/step-1000.safetensors"
finish 2 "$runs/portraits-finish-1/step-0250.safetensors"
python "$here/portrait-finish.py" "$runs/portraits-clean.zip" "$first" mean "$runs/portraits.safetensors" \
    "$runs/portraits-finish-0/step-1000.safetensors" \
    "$runs/portraits-finish-1/step-0250.safetensors" \
    "$runs/portraits-finish-2/step-0600.safetensors"

# 4. Look: how good it is, its pictures beside the nearest true ones, and the curves. The sheet
#    shows paintings by others and stays here.
belamy gan evaluate "$runs/portraits.safetensors" "$runs/portraits-clean.zip" -o "$runs/portraits-nearest.png"
"$here/../scripts/curves" "$runs/portraits" "$runs/portraits-curve.png"

# Before its end, the painter as it is at the last checkpoint:
#   belamy gan export RUNS/portraits -o portraits.safetensors
