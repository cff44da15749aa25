#!/bin/sh
# Guess: with one seed, the first numbers of a longer draw are those of a shorter one, so that asking
# for one picture more leaves the pictures before it as they were. Seen: that holds for uniform numbers.
# Normal ones are made by sixteens: below 16 numbers by another way than from 16 on, and where the
# count is no multiple of 16 the last sixteen are drawn once more. Of four rows of ten and five rows
# of ten, two and a half are the same; of rows of sixteen all are.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import torch


def count_same(draw, short, long):
    """How many numbers of the shorter draw stand at their places in the longer one."""
    one, other = (draw(*size, generator=torch.Generator().manual_seed(0)) for size in (short, long))
    return int((one == other[: len(one)]).sum())


print("torch", torch.__version__)
pairs = [((8,), (16,)), ((16,), (17,)), ((16,), (32,)), ((4, 10), (5, 10)), ((4, 16), (5, 16))]
found = {}
for draw in (torch.rand, torch.randn):
    found[draw.__name__] = [count_same(draw, *pair) for pair in pairs]
    for (short, long), same in zip(pairs, found[draw.__name__]):
        print(f"{draw.__name__} of {short} and of {long}: {same} the same")
assert found["rand"] == [8, 16, 16, 40, 64]
assert found["randn"] == [0, 1, 16, 24, 64]
PYTHON
