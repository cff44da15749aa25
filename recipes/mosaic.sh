#!/bin/sh
# A second style, not in the package: stained glass, painted in one pass.
#
#   recipes/mosaic.sh PAINTING PHOTOS [RUNS]
#
#   PAINTING  mosaic.jpg: a window of leaded glass
#   PHOTOS    photos-192.zip: photographs in folders or not
#   RUNS      where the run folder goes; runs/ if it is not given
#
# Stopped at any moment, the same line goes on where it was.
set -eu

painting=${1:?"name the painting: recipes/mosaic.sh mosaic.jpg photos-192.zip"}
photos=${2:?"name the photographs: recipes/mosaic.sh mosaic.jpg photos-192.zip"}
runs=${3:-runs}

belamy style train "$painting" --data "$photos" --run "$runs/mosaic" \
    --steps 3000 --style-size 400 --precision bfloat16
