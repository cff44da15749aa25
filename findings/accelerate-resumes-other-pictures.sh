#!/bin/sh
# Guess: `save_state` in the middle of an epoch, then `load_state` and `skip_first_batches`, and the
# training goes on with the pictures that were left. Seen: it goes on with those of another order, some a
# second time and some never. An epoch's order is drawn at its beginning, and what is saved and restored
# is the generator as it was after that. With `use_seedable_sampler`, and `set_epoch`, it is as guessed.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    accelerate==1.15.0 torch==2.13.0 numpy==2.4.6

cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import accelerate
import torch
from accelerate.utils import DataLoaderConfiguration, set_seed
from torch.utils.data import DataLoader, TensorDataset

print("accelerate", accelerate.__version__, "torch", torch.__version__)
DONE = 3  # batches of two out of twelve


def begin(seedable):
    set_seed(1)
    how = DataLoaderConfiguration(use_seedable_sampler=seedable)
    accelerator = accelerate.Accelerator(cpu=True, dataloader_config=how)
    pictures = DataLoader(TensorDataset(torch.arange(12)), batch_size=2, shuffle=True)
    return accelerator, *accelerator.prepare(torch.nn.Linear(1, 1), pictures)


def go_on(seedable):
    """What was left of the epoch, and what came after the training was resumed."""
    accelerator, _, loader = begin(seedable)
    loader.set_epoch(0)
    left = []
    for index, (batch,) in enumerate(loader):
        if index == DONE - 1:
            accelerator.save_state("checkpoint")
        left += batch.tolist() if index >= DONE else []
    accelerator, _, loader = begin(seedable)
    accelerator.load_state("checkpoint")
    loader.set_epoch(0)
    resumed = [one for (batch,) in accelerator.skip_first_batches(loader, DONE) for one in batch.tolist()]
    return left, resumed


for seedable in (False, True):
    left, resumed = go_on(seedable)
    print(f"use_seedable_sampler={seedable}: left were {left}, then came {resumed}")
    assert (left == resumed) is seedable
    assert (set(left) == set(resumed)) is seedable
PYTHON
