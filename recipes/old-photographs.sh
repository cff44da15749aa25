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

# A network that changes the colour of each pixel, by its own and by what there is around it, and
# draws nothing, so that every detail stays at any size. Its judges see single pixels, at full size and
# at half (PixelGAN): what an old print is known by is its colours, and a red one is found out at once.
# The way home teaches the network that leads home alone: a brown print cannot hold what colours there
# were, and that shall not keep the other from turning them brown; noise leaves no room to hide them.
# Strong colours are rare, so that photographs of today are shown up to 2.2 times as vivid as they are.
#
# 2,400 steps and 3,600 more, whose rate rises and falls once more: 23 minutes on a core that was shared.
if ! grep -qs '"steps": 6000' "$runs/old-photographs/config.json"; then
    belamy translate train "$worlds/new" "$worlds/old" --run "$runs/old-photographs" \
        --a-label "photographs of today" --b-label "photographs of about 1890" \
        --size 64 --crop zoom --generator tones --generator-norm none --generator-channels 16 --blocks 6 \
        --discriminator-channels 32 --discriminator-layers 0 --discriminator-scales 2 \
        --discriminator-norm none --identity-weight 0 \
        --cycle-weight 3 --cycle-gradient back --cycle-noise 0.03 \
        --learning-rate 1e-3 --ema 0.99 --steps 2400
fi
belamy translate train --resume "$runs/old-photographs" --steps 6000

# Large kernels in 8 bits, as the package holds it.
python "$(dirname "$0")/pack_translation.py" "$runs/old-photographs/network.safetensors" \
    "$runs/old-photographs/old-photographs.safetensors"

# What it is worth, on pictures that it never saw, and on features that taught it nothing:
for direction in a-to-b b-to-a; do
    belamy translate evaluate "$runs/old-photographs/old-photographs.safetensors" \
        "$worlds/new-held" "$worlds/old-held" --direction $direction --size 96
done
