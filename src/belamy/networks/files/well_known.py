"""Published files by the names that people know them by."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from belamy.networks.files.ranges import RANGES

__all__ = ["TIMM", "feeding_of", "is_timm", "network_of", "network_of_file"]

TIMM = "timm:"
"""Begins the names of timm's networks."""

_WEIGHTS = re.compile(r"(\w+)_Weights\.(?:IMAGENET1K_V1|DEFAULT)")
_DIGITS = re.compile(r"-([0-9a-f]{8})")

# First digits of a file's SHA-256, in its name → which channel comes first, mean and deviation.
# What jcjohnson and neural-style made of the Caffe models, and what torchvision has of one of them.
_FEEDINGS: dict[str, tuple[bool, tuple[float, ...], tuple[float, ...]]] = {
    "d01eb7cb": (True, *RANGES["caffe"]),  # vgg19-d01eb7cb.pth
    "00b39a1b": (True, *RANGES["caffe"]),  # vgg16-00b39a1b.pth
    "88682ab5": (False, (0.48235, 0.45882, 0.40784), (1 / 255,) * 3),  # vgg16_features-amdegroot
}


def is_timm(model: str) -> bool:
    """Whether a model is one of timm's."""
    return model.startswith(TIMM)


def network_of(name: str) -> str:
    """What belamy calls a network: `VGG19_Weights.IMAGENET1K_V1` of torchvision is `vgg19`."""
    match = _WEIGHTS.fullmatch(name)
    return match[1].lower() if match else name


def network_of_file(path: Path, known: Collection[str]) -> str:
    """The network that a published file's name begins with, as `resnet50-11ad3fa6.pth`; or nothing.

    Args:
        known: the networks.
    """
    begin = re.split(r"[-.]", path.name.lower(), maxsplit=1)[0]
    tidy = begin.removesuffix("_google").removesuffix("_features")
    return tidy if tidy in known else ""


def feeding_of(path: Path) -> tuple[bool, tuple[float, ...], tuple[float, ...]] | None:
    """How a well-known file takes its pictures, told by its name: whether blue comes first, mean
    and deviation; None where the name says nothing."""
    match = _DIGITS.search(path.name)
    return _FEEDINGS.get(match[1]) if match else None
