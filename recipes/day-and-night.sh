#!/bin/sh
# Photographs by day become photographs by night, and night becomes day.
#
#   recipes/day-and-night.sh LANDSCAPES PHOTOS [RUNS]
#
#   LANDSCAPES  landscapes-100.zip: forests, glaciers, mountains, seas, streets, buildings
#   PHOTOS      photos-192.zip: of them, scenes and animals
#   RUNS        where the two worlds and the run folder go; runs/ if it is not given
#
# Stopped at any moment (Ctrl-C, kill -9, a power cut), the same line goes on where it was.
set -eu

landscapes=${1:?"name the data: recipes/day-and-night.sh landscapes-100.zip photos-192.zip"}
photos=${2:?"name the photos too: recipes/day-and-night.sh landscapes-100.zip photos-192.zip"}
runs=${3:-runs}
worlds="$runs/day-and-night-worlds"

# Half of the photographs as they are, the other half by night; none is in both worlds.
if [ ! -d "$worlds" ]; then
    python "$(dirname "$0")/day_and_night.py" "$landscapes" "$photos" "$worlds.part"
    mv "$worlds.part" "$worlds"
fi

# A network that adds to the picture, and small enough for a laptop. Neither it nor its judges have
# instance norms, which even out how light a picture is: with them, night was hardly darker than day
# after 900 steps. The judges see patches of 34 pixels, and of 68 in the picture at half its size.
learn() {
    belamy translate train "$worlds/day" "$worlds/night" --a-label day --b-label night \
        --size 64 --crop zoom --generator residual --generator-norm none \
        --generator-channels 16 --blocks 5 --discriminator-channels 32 \
        --discriminator-layers 2 --discriminator-scales 2 --discriminator-norm none \
        --identity-weight 0 "$@"
}

# 1. Without the way there and back, which holds both directions where they are until both have
#    moved: night is dark after 150 steps, where it had hardly begun after 400.
learn --run "$runs/day-to-night" --cycle-weight 0 --pool 0 --learning-rate 5e-4 --ema 0.98 \
    --steps 1200

# 2. With it, and with the features of the picture, which see its forms and hardly its light: rims and
#    false colours go. The judges begin anew, and learn alone at first: without that, the way there
#    and back took the night away again within 50 steps.
learn --run "$runs/day-and-night" --from "$runs/day-to-night" --warm-up 120 --cycle-weight 1 \
    --content-weight 0.5 --learning-rate 4e-4 --ema 0.98 --steps 760

# What it is worth, on pictures that it never saw, and on features that taught it nothing:
for direction in a-to-b b-to-a; do
    belamy translate evaluate "$runs/day-and-night/network.safetensors" \
        "$worlds/day-held" "$worlds/night-held" --direction $direction --size 96
done
