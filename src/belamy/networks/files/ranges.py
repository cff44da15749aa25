"""How a network may take its pictures: the order of their channels, and the numbers for black and
white. This module imports no torch, so that the command line can read its choices."""

from __future__ import annotations

from typing import Literal

from belamy.networks.backbones import imagenet

__all__ = ["COLORS", "RANGES", "ColorOrder", "Range"]

ColorOrder = Literal["auto", "rgb", "bgr"]
"""Which channel comes first; auto is found out."""

Range = Literal["auto", "0-1", "0-255", "-1-1", "imagenet", "caffe"]
"""What stands for black and white; auto is found out."""

COLORS: tuple[ColorOrder, ...] = ("auto", "rgb", "bgr")

_Triple = tuple[float, float, float]

RANGES: dict[str, tuple[_Triple, _Triple]] = {
    "imagenet": (imagenet.MEAN, imagenet.STD),
    "0-1": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "-1-1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "0-255": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
    "caffe": ((123 / 255, 117 / 255, 104 / 255), (1 / 255, 1 / 255, 1 / 255)),
}
"""Range → mean and deviation of red, green, blue in [0, 1]; caffe's are levels of 255 less the
mean of ImageNet."""
