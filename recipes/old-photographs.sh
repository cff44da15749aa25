#!/bin/sh
# Photographs of today become photographs of about 1890, and old ones get colours and depth back.
#
#   recipes/old-photographs.sh LANDSCAPES PHOTOS SMALL [RUNS]
#
#   LANDSCAPES  landscapes-100.zip: forests, glaciers, mountains, seas, streets, buildings
#   PHOTOS      photos-192.zip: of them, what is photographed out of doors
#   SMALL       tiny-imagenet-64.zip: of it, people, houses, coasts, animals
#   RUNS        where the two worlds and the run folders go; runs/ if it is not given
#
# Stopped at any moment (Ctrl-C, kill -9, a power cut), the same line goes on where it was.
set -eu

usage="recipes/old-photographs.sh landscapes-100.zip photos-192.zip tiny-imagenet-64.zip"
landscapes=${1:?"name the data: $usage"}
photos=${2:?"name the photos too: $usage"}
small=${3:?"name the small pictures too: $usage"}
runs=${4:-runs}
worlds="$runs/old-photographs-worlds"

# Half of the photographs as they are, the others old; none is in both worlds.
if [ ! -d "$worlds" ]; then
    python "$(dirname "$0")/old_photographs.py" "$landscapes" "$photos" "$small" "$worlds.part"
    mv "$worlds.part" "$worlds"
fi

# A network that adds to the picture, so that every detail stays. Neither it nor its judges have
# instance norms: light, contrast and tints are what is learned. The judges see patches of 70 pixels,
# and of 140 in the picture at half its size.
learn() {
    belamy translate train "$worlds/new" "$worlds/old" --a-label "photographs of today" \
        --b-label "photographs of about 1890" --crop zoom \
        --generator residual --generator-norm none --generator-channels 16 --blocks 6 \
        --discriminator-channels 32 --discriminator-layers 3 --discriminator-scales 2 \
        --discriminator-norm none --identity-weight 0 "$@"
}

# 1. Without the way there and back, which holds both directions where they are until both have
#    moved.
learn --run "$runs/old-photographs-first" --size 64 --cycle-weight 0 --pool 0 \
    --learning-rate 5e-4 --ema 0.98 --steps 400

# 2. With it: what colours a picture had is learned from the network's own old photographs, in which
#    noise leaves no room to hide them. It weighs a tenth of the usual: with a half of it, colours that
#    cannot be brought back cost more than the judges could give, and a picture hardly turned brown.
learn --run "$runs/old-photographs" --from "$runs/old-photographs-first" --warm-up 60 --size 128 \
    --cycle-weight 1 --cycle-noise 0.03 --learning-rate 4e-4 --ema 0.998 --steps 2400

# What it is worth, on pictures that it never saw, and on features that taught it nothing:
for direction in a-to-b b-to-a; do
    belamy translate evaluate "$runs/old-photographs/network.safetensors" \
        "$worlds/new-held" "$worlds/old-held" --direction $direction --size 128
done
