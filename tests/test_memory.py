"""What a process that computes starts with: its memory does not grow with the sizes of pictures."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from belamy.memory import has_glibc, memory_settings

pytestmark = pytest.mark.skipif(not has_glibc(), reason="needs GNU's C library")

# Twenty sizes through one convolution, twice.
TWICE = """
import torch
layer = torch.nn.Conv2d(16, 16, 3).to(memory_format=torch.channels_last)
with torch.inference_mode():
    for number in [*range(20)] * 2:
        x = torch.rand(1, 16, 48 + number, 60 + number)
        layer(x.contiguous(memory_format=torch.channels_last))
"""

SIZES = """
import torch
layers = [torch.nn.Conv2d(16, 16, 3, padding=1) for _ in range(12)]
network = torch.nn.Sequential(*layers).to(memory_format=torch.channels_last)
def used():
    return int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]) / 1024
with torch.inference_mode():
    for number in range(300):
        x = torch.rand(1, 16, 32 + number * 37 % 101, 32 + number * 61 % 103)
        network(x.contiguous(memory_format=torch.channels_last))
        if number == 9:
            first = used()
print(used() - first)
"""


FREED = """
import torch
from belamy.memory import PICTURE, free_at_once
def used():
    return int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]) / 1024
{first}
whole, above = torch.ones(PICTURE // 4), torch.ones(1000)
before = used()
del whole
print(before - used())
"""


# As strips of layers do: a few blocks at a time, some a little larger than others.
HOLES = """
import torch
import torch.nn.functional as F
def status(name):
    return int(open("/proc/self/status").read().split(name + ":")[1].split()[0]) / 1024
torch.ones(1).clone()
before = status("VmRSS")
with torch.inference_mode():
    for strip in range(12):
        x = torch.ones(16, 600 + strip % 3, 600)
        for layer in range(3):
            x = F.pad(x * 0.5, (1, 1, 1, 1))[:, 1:-1, 1:-1]
print((status("VmHWM") - before) / (x.nbytes / 2**20))
"""


def run(code: str, settings: dict[str, str]) -> str:
    usual = {name: value for name, value in os.environ.items() if name not in memory_settings()}
    environment = {**usual, "OMP_NUM_THREADS": "1", **settings}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def compiled(settings: dict[str, str]) -> int:
    """How many convolutions oneDNN compiles, by what it says itself."""
    said = run(TWICE, {**settings, "ONEDNN_VERBOSE": "2"}).splitlines()
    return sum(",create:cache_miss," in line and ",convolution," in line for line in said)


def test_few_compiled_convolutions_are_kept() -> None:
    assert compiled({}) == 20
    assert compiled(memory_settings()) == 40  # those of the first round have gone by the second


def test_large_pictures_can_be_given_back_as_soon_as_they_are_freed() -> None:
    kept, freed = (
        float(run(FREED.format(first=first), memory_settings())) for first in ("", "free_at_once()")
    )
    assert kept < 8
    assert freed > 120


def test_blocks_of_one_size_take_each_others_places() -> None:
    assert float(run(HOLES, memory_settings())) < 6  # three are needed, and what torch brings


@pytest.mark.slow
def test_three_hundred_sizes_take_little_more_than_ten() -> None:
    assert float(run(SIZES, memory_settings())) < 150
