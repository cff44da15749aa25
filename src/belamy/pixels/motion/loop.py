"""How a zoom comes back to its beginning: its first frame grows out of the middle of the last ones.

A frame far ahead is as small, in the one that is shown, as the way there is long. So the first
frame, which is the one after the last, is put where it would lie, at an eighth of its size to begin
with, and the dream goes on around it. A mere change from the last picture to the first would show
both at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.pixels.motion.resample import move

__all__ = ["Return", "fade_back"]

_FADING_SECONDS = 1.0  # in which it comes back where nothing comes nearer
_SMALLEST = 8.0  # times as small as it is, the first frame comes into sight
_LEAST = 2.0  # times as small at least; a zoom too slow for it fades
_FEATHER = 0.7  # of half a side, over which the first frame passes into what is around it
_ROUND = 4.0  # of the norm that is as large along its edge: 2 for an ellipse, more for a rectangle


def fade_back(left: int, frames: int, fps: float) -> float:
    """How much the first frame counts: nothing until the last second, then more and more, below 1.

    Args:
        left: frames until the first one comes again, from 1.
        frames: of the whole journey.
        fps: frames a second.
    """
    return _ease(1 - left / (_fading_length(frames, fps) + 1))


def _fading_length(frames: int, fps: float) -> int:
    return min(frames // 2, round(_FADING_SECONDS * fps))


def _ease(part: float) -> float:
    """From 0 to 1, slowly at both ends."""
    part = min(1.0, max(0.0, part))
    return part * part * (3 - 2 * part)


@dataclass(frozen=True)
class Return:
    """The way back to the first frame.

    Args:
        frames: of the whole journey.
        fps: frames a second.
        zoom: of one frame.
        degrees: by which one frame turns, clockwise.
        shift: pixels to the right and downwards in one frame.
    """

    frames: int
    fps: float
    zoom: float
    degrees: float
    shift: tuple[float, float]

    @property
    def length(self) -> int:
        """How many of the last frames show something of the first."""
        if self.zoom > 1:
            length = min(self.frames // 2, math.ceil(math.log(_SMALLEST) / math.log(self.zoom)))
            if self.zoom**length >= _LEAST:
                return length
        return _fading_length(self.frames, self.fps)

    def put(self, image: Tensor, first: Tensor, left: int) -> Tensor:
        """A frame with so much of the first in it as is seen so many frames before the end.

        Args:
            image: (1, 3, H, W), the frame as it is dreamt.
            first: (1, 3, H, W).
            left: frames until the first one comes again, from 1.
        """
        if left > self.length:
            return image
        now, before = self._opacity(first, left, left), self._opacity(first, left + 1, left)
        # what the frame before showed of it came along: so little is new
        weight = ((now - before) / (1 - before).clamp_min(1e-6)).clamp(0, 1)
        weight = torch.where(before >= 1, torch.ones_like(weight), weight)
        return image + weight * (self._ahead(first, left) - image)

    def _opacity(self, first: Tensor, left: int, seen: int) -> Tensor:
        """(H, W): how much of the first frame is seen at one moment.

        Args:
            seen: frames left at the moment where its pixels lie as they do in the map.
        """
        done = 1 - left / (self.length + 1)
        # the feather lies within the first frame, and leaves it as that fills the picture
        reach = 1 + _FEATHER * _ease(2 * done - 1)
        distance = self._distance(first, seen)
        inside = ((reach - distance) / _FEATHER).clamp(0, 1)
        return _ease(2 * done) * inside * inside * (3 - 2 * inside)

    def _distance(self, first: Tensor, left: int) -> Tensor:
        """(H, W): from the middle of the first frame, in halves of its sides."""
        height, width = first.shape[-2:]
        right, down = self._shift_back(left)
        x = torch.arange(width, dtype=torch.float64) - (width - 1) / 2 - right
        y = (torch.arange(height, dtype=torch.float64) - (height - 1) / 2 - down)[:, None]
        angle, scale = math.radians(self.degrees * left), self.zoom**left
        across = scale * (math.cos(angle) * x - math.sin(angle) * y) / (width / 2)
        along = scale * (math.sin(angle) * x + math.cos(angle) * y) / (height / 2)
        distance = (across.abs() ** _ROUND + along.abs() ** _ROUND) ** (1 / _ROUND)
        return distance.to(first)

    def _ahead(self, first: Tensor, left: int) -> Tensor:
        """The first frame where it lies so many frames before it comes."""
        zoom, degrees = self.zoom**-left, -self.degrees * left
        return move(first, zoom=zoom, degrees=degrees, shift=self._shift_back(left)).clamp(0, 1)

    def _shift_back(self, left: int) -> tuple[float, float]:
        """Where the first frame's middle lies so many frames before: pixels right and down."""
        angle = math.radians(-self.degrees)
        cosine, sine = math.cos(angle) / self.zoom, math.sin(angle) / self.zoom
        x = y = 0.0
        for _ in range(left):
            x, y = x - self.shift[0], y - self.shift[1]
            x, y = cosine * x - sine * y, sine * x + cosine * y
        return x, y
