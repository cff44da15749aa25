"""From a stored frame to one that is upright, of square pixels, of the size that is taken."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from belamy.pixels.formats.film_pixels import NO_TURN, read_turn, square
from belamy.pixels.images import fit

__all__ = ["Geometry", "geometry_of"]


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
    matrix: tuple[int, int, int, int] = NO_TURN

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what is seen."""
        height, width = self.scaled
        return (height, width) if self.matrix[0] else (width, height)

    def turn(self, pixels: Tensor) -> Tensor:
        """(1, C, H, W), upright."""
        a, b, c, d = self.matrix
        if (a, b, c, d) == NO_TURN:
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
    height, width = square(stored, Fraction(stream.sample_aspect_ratio or 1))
    if size is not None:
        height, width = fit(height, width, size)
    return Geometry(stored, (height, width), read_turn(frame))
