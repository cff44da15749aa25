#!/bin/sh
# The network inside the package that sees fog: on fog made up, in photos and in rendered scenes.
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

# 1. defog-1, the network before, on photos with invented depths alone: 4,800 steps of about 16
#    pictures, less than half an hour of one core. Each set gives the same share; the photos are the
#    largest, and named twice. Of each set the 100 pictures whose names have the smallest SHA-256 are
#    held out; benchmarks/defog.py measures on those of the landscapes. (The file defog-1 was trained
#    as long, but in several runs while the code grew: its card says how. With FROM=defog-1 in the
#    environment this step is left out and that file gone on from, as the file defog was.)
data_sets="$data/landscapes-100.zip $data/photos-192.zip $data/photos-192.zip $data/tiny-imagenet-64.zip"
if [ -z "${FROM:-}" ]; then
  # shellcheck disable=SC2086
  belamy defog train $data_sets --design 1 --steps 4800 --run "$runs/defog-1"
  FROM="$runs/defog-1/network.safetensors"
fi

# 2. On from there in the second design, half of each step on 1,100 rendered rooms, streets and
#    valleys whose depth is exact. They are rendered first, some three minutes of one core, and kept
#    in the cache. In two parts, as it was done: the learning rate falls twice.
# shellcheck disable=SC2086
belamy defog train $data_sets --rendered 1100 --size 128 --from "$FROM" --learning-rate 0.001 \
  --ema 0.99 --steps 1200 --run "$runs/defog"
belamy defog train --resume "$runs/defog" --steps 1600

# What it has learned is measured, not believed:
for network in "$FROM" "$runs/defog/network.safetensors"; do
  python benchmarks/defog.py "$data" --network "$network" || true
done
