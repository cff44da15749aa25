"""From a stored frame to one that is upright, of square pixels, of the size that is taken."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from belamy.pixels.images import fit

__all__ = ["Geometry", "geometry_of"]

_NO_TURN = (1, 0, 0, 1)
_WIDEST = 8  # a pixel that is said to be longer than so many times its other side is a mistake


@dataclass(frozen=True)
class Geometry:
    """How stored frames are brought to what is seen.

    Args:
        stored: (height, width) as they are stored.
        scaled: (height, width) before they are turned, of square pixels.
        matrix: a, b, c, d of the display matrix, each -1, 0 or 1: right is (a, b), down is (c, d).
    """

    stored: tuple[int, int]
    scaled: tuple[int, int]
    matrix: tuple[int, int, int, int] = _NO_TURN

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what is seen."""
        height, width = self.scaled
        return (height, width) if self.matrix[0] else (width, height)

    def turn(self, pixels: Tensor) -> Tensor:
        """(1, C, H, W), upright."""
        a, b, c, d = self.matrix
        if (a, b, c, d) == _NO_TURN:
            return pixels
        if not a:  # rows become columns
            pixels = pixels.transpose(2, 3)
            a, d = c, b
        flips = [axis for axis, sign in ((3, a), (2, d)) if sign < 0]
        return torch.flip(pixels, flips) if flips else pixels.contiguous()


def geometry_of(frame: Any, stream: Any, size: int | None) -> Geometry:
    """As a frame, or the stream that it came from, says.

    Args:
        frame: PyAV's.
        size: long side of the result; None: as it is.
    """
    stored = (frame.height, frame.width)
    height, width = _square(stored, Fraction(stream.sample_aspect_ratio or 1))
    if size is not None:
        height, width = fit(height, width, size)
    return Geometry(stored, (height, width), _matrix(frame))


def _square(stored: tuple[int, int], shape: Fraction) -> tuple[int, int]:
    """Stretched, never shrunk, so that pixels whose width is `shape` of their height are square."""
    height, width = stored
    if shape == 1 or not Fraction(1, _WIDEST) <= shape <= _WIDEST:
        return stored
    return (height, round(width * shape)) if shape > 1 else (round(height / shape), width)


def _matrix(frame: Any) -> tuple[int, int, int, int]:
    """The nearest of the eight ways to lay a rectangle on its sides."""
    for part in frame.side_data:
        if getattr(part.type, "name", "") == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = struct.unpack("=9i", bytes(part)[:36])
            if max(abs(a), abs(d)) >= max(abs(b), abs(c)):
                return _sign(a), 0, 0, _sign(d)
            return 0, _sign(b), _sign(c), 0
    return _NO_TURN


def _sign(value: int) -> int:
    return -1 if value < 0 else 1
