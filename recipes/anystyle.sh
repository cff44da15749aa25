#!/bin/sh
# The network that paints in any style in one pass: `belamy style CONTENT STYLE -o NEW --fast`.
#
#   recipes/anystyle.sh PAINTINGS PHOTOS [RUNS]
#
#   PAINTINGS  paintings-128.zip: the styles
#   PHOTOS     photos-192.zip: what is painted
#   RUNS       where the run folders go; runs/ if it is not given
#
# Stopped at any moment (Ctrl-C, kill -9, a power cut), the same line goes on where it was. About ten
# minutes of one core that computes in bfloat16.
set -eu

paintings=${1:?"name the paintings: recipes/anystyle.sh paintings-128.zip photos-192.zip"}
photos=${2:?"name the photographs: recipes/anystyle.sh paintings-128.zip photos-192.zip"}
runs=${3:-runs}

# 1. To draw from features that have a style's moments.
belamy style train-any "$paintings" --data "$photos" --precision bfloat16 \
    --patches 0 --steps 1000 --run "$runs/anystyle-first"

# 2. To draw from what is laid of a style's pieces too.
belamy style train-any "$paintings" --data "$photos" --precision bfloat16 \
    --start "$runs/anystyle-first/network.safetensors" --steps 500 --learning-rate 7e-4 \
    --run "$runs/anystyle"
