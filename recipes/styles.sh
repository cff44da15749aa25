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

# Of the first training half is kept where the second leaves too little that can be recognised.
for name in great_wave the_scream composition_vii; do
    belamy style train "$paintings/$name.jpg" --data "$photos" --run "$runs/$name-first" \
        --start "$runs/starry-night-clear" --steps 260 --size 160 --style-size 256 --batch 1 \
        --content-weight 0.35 --learning-rate 2.5e-3 --precision bfloat16
    case "$name" in composition_vii) keep=0.5 ;; *) keep=0 ;; esac
    belamy style train "$paintings/$name.jpg" --data "$photos" --run "$runs/$name" \
        --start "$runs/$name-first" --keep "$keep" --steps 300 --size 160 --style-size 256 --batch 1 \
        --content-weight 0.12 --precision bfloat16
done
