#!/bin/sh
# The style that ships inside the package: van Gogh's starry night, painted in one pass.
#
#   recipes/starry-night.sh PAINTING PHOTOS [RUNS]
#
#   PAINTING  starry_night.jpg
#   PHOTOS    photos-192.zip: photographs in folders or not
#   RUNS      where the run folder goes; runs/ if it is not given
#
# Stopped at any moment, the same line goes on where it was.
set -eu

painting=${1:?"name the painting: recipes/starry-night.sh starry_night.jpg photos-192.zip"}
photos=${2:?"name the photographs: recipes/starry-night.sh starry_night.jpg photos-192.zip"}
runs=${3:-runs}

belamy style train "$painting" --data "$photos" --run "$runs/starry-night" \
    --steps 3000 --style-size 400 --precision bfloat16
