"""One picture of a film, and what every kind of film can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from torch import Tensor

__all__ = ["MOST_MEGAPIXELS", "FilmSource", "Frame", "Moment", "Pixels"]

MOST_MEGAPIXELS = 36.0
"""Of a frame: 8K television has 33."""

Pixels = tuple[Tensor, "Tensor | None"]
"""An image (1, 3, H, W) and its alpha (1, 1, H, W)."""


@dataclass(frozen=True)
class Frame:
    """A picture that stands for a while.

    Args:
        image: (1, 3, H, W) float32, sRGB in [0, 1], upright, of square pixels.
        alpha: (1, 1, H, W); None where nothing is transparent.
        time: seconds from the beginning of the film.
        duration: seconds until the next one.
    """

    image: Tensor
    alpha: Tensor | None
    time: Fraction
    duration: Fraction


@dataclass(frozen=True)
class Moment:
    """A frame whose pixels are not converted yet: many are passed over.

    Args:
        time: seconds from the beginning of the film.
        duration: seconds until the next one.
        load: its pixels.
    """

    time: Fraction
    duration: Fraction
    load: Callable[[], Pixels]

    @property
    def end(self) -> Fraction:
        """When the next one comes."""
        return self.time + self.duration

    def spanning(self, time: Fraction, end: Fraction) -> Moment:
        """The same picture at another time."""
        return replace(self, time=time, duration=end - time)


class FilmSource(Protocol):
    """A film that is open: a container, an animated picture, a folder of frames."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of its frames."""

    @property
    def frame_rate(self) -> Fraction:
        """Frames a second, nominal."""

    @property
    def seconds(self) -> Fraction | None:
        """How long it says it is; None where it says nothing."""

    @property
    def frames(self) -> int | None:
        """How many frames it says it has."""

    @property
    def has_sound(self) -> bool:
        """Whether there is sound in it."""

    def moments(self, start: Fraction) -> Iterator[Moment]:
        """Every frame from the one that stands at `start` on, or from an earlier one."""

    def close(self) -> None:
        """Close every file."""
