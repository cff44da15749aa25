#!/bin/sh
# The network that ships inside the package: iris, 200 things told apart, made to be looked through.
#
#   recipes/iris.sh DATA [RUNS]
#
#   DATA  tiny-imagenet-64.zip: train/CCC/KKK.webp, val/CCC/KK.webp, classes.json
#   RUNS  where the run folders go; runs/ if it is not given
#
# Stopped at any moment (Ctrl-C, kill -9, a power cut), the same line goes on where it was; on the
# same machine, with as many threads, the file at the end is the same, byte for byte.
set -eu

data=${1:?"name the data: recipes/iris.sh tiny-imagenet-64.zip"}
runs=${2:-runs}

# 1. To see: 16 rounds through 100,000 pictures that grow from 32 to 64 px, an hour on two cores.
#    What the options leave open stands in the run's config.json: 128 pictures a step, one cycle of
#    the learning rate up to 0.2, label smoothing 0.1, crops of a quarter of the area and more.
belamy classify train "$data" --stages 32:10,48:4,64:2 --run "$runs/iris"

belamy classify evaluate "$data" --model "$runs/iris/network.safetensors"
