#!/bin/sh
# The network inside the package that sees fog: first on fog made up, then on real fog.
#
#   recipes/defog.sh DATA [RUNS]
#
#   DATA  a folder of landscapes-100.zip, photos-192.zip, tiny-imagenet-64.zip
#   RUNS  where the run folders go; runs/ if it is not given
#
# Stopped at any moment (Ctrl-C, kill -9, a power cut), the same line goes on where it was; on the
# same machine, with as many threads, the files at the end are the same, byte for byte.
set -eu

data=${1:?"name the data: recipes/defog.sh FOLDER"}
runs=${2:-runs}

# The file inside the package was trained as long as step 1 says, but in several runs, while the code
# grew (its card, src/belamy/weights/defog.md, says how); this recipe is the one that it grew to.

# 1. Clear pictures in fog made up, whose truth is known: 4,800 steps of about 16 pictures, less than
#    half an hour of one core. Each set gives the same share; the photos are the largest, and named
#    twice. Of each set the 100 pictures whose names have the smallest SHA-256 are held out;
#    benchmarks/defog.py measures on those of the landscapes.
belamy defog train "$data/landscapes-100.zip" "$data/photos-192.zip" "$data/photos-192.zip" \
  "$data/tiny-imagenet-64.zip" --steps 4800 --run "$runs/defog"

# 2. Real fog, whose truth nobody knows: the foggiest tenth of the landscapes, as the network itself
#    sees it, against the others. Two or three minutes of one core.
belamy defog adapt "$runs/defog/network.safetensors" \
  --foggy "$data/landscapes-100.zip" --clear "$data/landscapes-100.zip" --foggiest 0.1 \
  --steps 200 --run "$runs/defog-adapt"

# Which of the two is better is measured, not believed:
for network in "$runs/defog/network.safetensors" "$runs/defog-adapt/network.safetensors"; do
  python benchmarks/defog.py "$data" --network "$network" || true
done
