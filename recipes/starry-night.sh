#!/bin/sh
# The style that ships inside the package: van Gogh's starry night, painted in one pass.
#
#   recipes/starry-night.sh PAINTING PHOTOS LANDSCAPES [RUNS]
#
#   PAINTING    starry_night.jpg
#   PHOTOS      photos-192.zip: photographs in folders or not
#   LANDSCAPES  landscapes-100.zip: photographs with skies
#   RUNS        where the run folders go; runs/ if it is not given
#
# Stopped at any moment, the same line goes on where it was.
set -eu

usage="recipes/starry-night.sh starry_night.jpg photos-192.zip landscapes-100.zip"
painting=${1:?"name the painting: $usage"}
photos=${2:?"name the photographs: $usage"}
landscapes=${3:?"name the landscapes too: $usage"}
runs=${4:-runs}
# Of nearest neighbours, and judged to the edge, as all were at first.
first="--border 0 --enlarging nearest"

# 1. Strokes of one size: clear, but a woven hatch.
belamy style train "$painting" --data "$photos" --run "$runs/starry-night-first" \
    --steps 3000 --size 192 --style-size 400 --scales 1 --variation 0 --precision bfloat16 $first

# 2. Stars, from three scales and noise; of the first, which shows better what is seen, two thirds
#    are kept.
belamy style train "$painting" --data "$photos" --run "$runs/starry-night-second" \
    --start "$runs/starry-night-first" --keep 0.65 --steps 1200 --size 160 --style-size 256 \
    --batch 1 --precision bfloat16 $first

# 3. Stars that are whorls: the painting is small enough for the network to see across its spirals,
#    and there are skies among the photographs. 70 minutes on a core that was shared.
if [ ! -d "$runs/starry-night-photos" ]; then
    python -m zipfile -e "$photos" "$runs/starry-night-photos.part/objects"
    python -m zipfile -e "$landscapes" "$runs/starry-night-photos.part/landscapes"
    mv "$runs/starry-night-photos.part" "$runs/starry-night-photos"
fi
belamy style train "$painting" --data "$runs/starry-night-photos" --run "$runs/starry-night-whorls" \
    --start "$runs/starry-night-second" --steps 6000 --size 192 --style-size 208 \
    --content-weight 0.06 --precision bfloat16 $first

# 4. More of what is seen, and a fifth of what it was before the whorls: this is what ships.
belamy style train "$painting" --data "$runs/starry-night-photos" --run "$runs/starry-night" \
    --start "$runs/starry-night-whorls" --steps 1000 --size 192 --style-size 208 \
    --content-weight 0.16 --learning-rate 1e-3 --precision bfloat16 $first
python "$(dirname "$0")/average.py" "$runs/starry-night/network.safetensors" \
    "$runs/starry-night-second/network.safetensors" 0.2 "$runs/starry-night/starry-night.safetensors"

# 5. For other styles to go on from (recipes/styles.sh): the same with nothing kept, and then more
#    of what is seen.
belamy style train "$painting" --data "$photos" --run "$runs/starry-night-bold" \
    --start "$runs/starry-night-first" --steps 1200 --size 160 --style-size 256 \
    --batch 1 --precision bfloat16 $first
belamy style train "$painting" --data "$photos" --run "$runs/starry-night-clear" \
    --start "$runs/starry-night-bold" --steps 240 --size 160 --style-size 256 --batch 1 \
    --content-weight 0.35 --learning-rate 1.5e-3 --precision bfloat16 $first

# 6. Without the grid and the frame: what enlarged by nearest neighbours enlarges smoothly, what is
#    painted along the edges is not judged any more, and strokes are learned anew so. Nearer by the
#    figures (docs/style.md); a reader preferred the stars of 4, so that it does not ship.
belamy style train "$painting" --data "$runs/starry-night-photos" --run "$runs/starry-night-smooth" \
    --start "$runs/starry-night/starry-night.safetensors" --steps 440 --size 192 --style-size 216 \
    --content-weight 0.12 --smoothness 0.1 --precision bfloat16
belamy style train "$painting" --data "$runs/starry-night-photos" --run "$runs/starry-night-ready" \
    --start "$runs/starry-night-smooth/network.safetensors" --steps 130 --size 192 --style-size 216 \
    --content-weight 0.25 --learning-rate 1e-3 --smoothness 0.1 --precision bfloat16
python "$(dirname "$0")/pack_style.py" "$runs/starry-night-ready/network.safetensors" \
    "$runs/starry-night.safetensors"
