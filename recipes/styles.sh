#!/bin/sh
# Three more styles inside the package, each painted in one pass: Hokusai's great wave, Munch's
# scream and Kandinsky's composition VII.
#
#   recipes/styles.sh PAINTINGS PHOTOS [RUNS]
#
#   PAINTINGS  a folder with great_wave.jpg, the_scream.jpg and composition_vii.jpg
#   PHOTOS     photos-192.zip: photographs in folders or not
#   RUNS       where the run folders go, and where recipes/starry-night.sh has left its own; runs/
#              if it is not given
#
# Stopped at any moment, the same line goes on where it was.
set -eu

paintings=${1:?"name the folder of paintings: recipes/styles.sh paintings/ photos-192.zip"}
photos=${2:?"name the photographs: recipes/styles.sh paintings/ photos-192.zip"}
runs=${3:-runs}
here=$(dirname "$0")

# Of nearest neighbours, and judged to the edge, as all were at first.
first="--border 0 --enlarging nearest"

# 1. The networks before: 560 squares each. Of the first training half is kept where the second
#    leaves too little that can be recognised.
for name in great_wave the_scream composition_vii; do
    belamy style train "$paintings/$name.jpg" --data "$photos" --run "$runs/$name-first" \
        --start "$runs/starry-night-clear" --steps 260 --size 160 --style-size 256 --batch 1 \
        --content-weight 0.35 --learning-rate 2.5e-3 --precision bfloat16 $first
    case "$name" in composition_vii) keep=0.5 ;; *) keep=0 ;; esac
    belamy style train "$paintings/$name.jpg" --data "$photos" --run "$runs/$name" \
        --start "$runs/$name-first" --keep "$keep" --steps 300 --size 160 --style-size 256 --batch 1 \
        --content-weight 0.12 --precision bfloat16 $first
done

# 2. From the starry night that has whorls, with its photographs and skies: 12 to 20 minutes each of
#    a core that was shared. The painting is small enough for the network to see across its waves,
#    bands and forms.
learn() { # NAME STEPS CONTENT STYLE-SIZE LEARNING-RATE SMOOTHNESS START RUN
    belamy style train "$paintings/$1.jpg" --data "$runs/starry-night-photos" --run "$runs/$8" \
        --start "$7" --steps "$2" --size 192 --style-size "$4" --content-weight "$3" \
        --learning-rate "$5" --smoothness "$6" --precision bfloat16 $first
}
start="$runs/starry-night/starry-night.safetensors"
learn great_wave 1500 0.2 240 2e-3 0.3 "$start" great_wave-whole
learn the_scream 1500 0.16 224 2e-3 0.3 "$start" the_scream-whole
learn composition_vii 1100 0.25 240 2e-3 1.0 "$start" composition_vii-whole

# 3. The wave: a grid of alternate pixels, which the judge does not see, is taken out of the last
#    convolution, and a little is learned again. 4 minutes.
python "$here/low_pass.py" "$runs/great_wave-whole/network.safetensors" "$runs/great_wave-low.safetensors"
learn great_wave 220 0.2 240 1e-3 1.0 "$runs/great_wave-low.safetensors" great_wave-again

# 4. The other two: a part of the network before, of which more is legible.
python "$here/average.py" "$runs/the_scream-whole/network.safetensors" \
    "$runs/the_scream/network.safetensors" 0.15 "$runs/the_scream-mean.safetensors"
python "$here/average.py" "$runs/composition_vii-whole/network.safetensors" \
    "$runs/composition_vii/network.safetensors" 0.1 "$runs/composition_vii-mean.safetensors"

# 5. In 8 bits: the first and the last shipped before, the-scream ships.
python "$here/pack_style.py" "$runs/great_wave-again/network.safetensors" "$runs/great-wave-before.safetensors"
python "$here/pack_style.py" "$runs/the_scream-mean.safetensors" "$runs/the-scream.safetensors"
python "$here/pack_style.py" "$runs/composition_vii-mean.safetensors" "$runs/composition-vii-before.safetensors"

# 6. Without the grid and the frame: what enlarged by nearest neighbours enlarges smoothly, what is
#    painted along the edges is not judged any more, and strokes are learned anew so.
first=
learn great_wave 440 0.2 264 2e-3 0.1 "$runs/great-wave-before.safetensors" great_wave-smooth
learn composition_vii 480 0.25 240 2e-3 0.1 "$runs/composition-vii-before.safetensors" composition_vii-smooth
for name in great-wave composition-vii; do
    under=$(echo "$name" | tr - _)
    python "$here/pack_style.py" "$runs/$under-smooth/network.safetensors" "$runs/$name.safetensors"
done
