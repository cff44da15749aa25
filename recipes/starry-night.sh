#!/bin/sh
# The style that ships inside the package: van Gogh's starry night, painted in one pass.
#
#   recipes/starry-night.sh PAINTING PHOTOS [RUNS]
#
#   PAINTING  starry_night.jpg
#   PHOTOS    photos-192.zip: photographs in folders or not
#   RUNS      where the run folders go; runs/ if it is not given
#
# Stopped at any moment, the same line goes on where it was.
set -eu

painting=${1:?"name the painting: recipes/starry-night.sh starry_night.jpg photos-192.zip"}
photos=${2:?"name the photographs: recipes/starry-night.sh starry_night.jpg photos-192.zip"}
runs=${3:-runs}

# 1. Strokes of one size: clear, but a woven hatch.
belamy style train "$painting" --data "$photos" --run "$runs/starry-night-first" \
    --steps 3000 --size 192 --style-size 400 --scales 1 --variation 0 --precision bfloat16

# 2. Stars, from three scales and noise; of the first, which shows better what is seen, two thirds
#    are kept.
belamy style train "$painting" --data "$photos" --run "$runs/starry-night" \
    --start "$runs/starry-night-first" --keep 0.65 --steps 1200 --size 160 --style-size 256 \
    --batch 1 --precision bfloat16

# 3. For other styles to go on from (recipes/styles.sh): the same with nothing kept, and then more
#    of what is seen.
belamy style train "$painting" --data "$photos" --run "$runs/starry-night-bold" \
    --start "$runs/starry-night-first" --steps 1200 --size 160 --style-size 256 \
    --batch 1 --precision bfloat16
belamy style train "$painting" --data "$photos" --run "$runs/starry-night-clear" \
    --start "$runs/starry-night-bold" --steps 240 --size 160 --style-size 256 --batch 1 \
    --content-weight 0.35 --learning-rate 1.5e-3 --precision bfloat16
