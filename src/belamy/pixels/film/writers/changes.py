"""What changes from frame to frame: the rest need not be written again, and equal frames merge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Change", "ChangeWriter", "Changes"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Change:
    """A part of the picture that is drawn over the one before.

    Args:
        pixels: (h, w, 3) or (h, w, 4) of that part.
        mask: (h, w), where they differ from what is there; None: everywhere.
        left, top: where it lies.
        ticks: how long it stands.
    """

    pixels: Pixels
    mask: NDArray[np.bool_] | None
    left: int
    top: int
    ticks: int


class Changes:
    """Frames as changes, each with a duration that is a whole number of ticks.

    A format that counts in ticks rounds the times at which frames come, not their durations, so
    that the film keeps its length. What comes sooner than `shortest` after the one before is left
    out: browsers would hold such a frame for a tenth of a second.

    Args:
        tick: seconds.
        shortest: ticks that a frame stands at least.
        longest: ticks that can be written.
        whole: whether each frame is written whole.
        grid: pixels of which the place of a part is a multiple.
    """

    def __init__(
        self,
        tick: Fraction,
        shortest: int,
        longest: int,
        *,
        whole: bool = False,
        grid: int = 1,
    ) -> None:
        self._tick, self._shortest, self._longest = tick, shortest, longest
        self._whole, self._grid = whole, grid
        self._shown: Pixels | None = None
        self._waiting: Change | None = None
        self._since = 0
        self._end = Fraction(0)

    def add(self, pixels: Pixels, time: Fraction, duration: Fraction) -> Iterator[Change]:
        """Give what is complete once this frame has come."""
        self._end = time + duration
        place = round(time / self._tick)
        if self._shown is None:
            self._shown, self._since = pixels, 0
            self._waiting = Change(pixels, None, 0, 0, 0)
            return
        if place - self._since < self._shortest:
            return
        change = self._compare(self._shown, pixels)
        if change is None:
            return
        yield from self._release(place)
        self._shown, self._waiting, self._since = pixels, change, place

    def finish(self) -> Iterator[Change]:
        """Give the last."""
        yield from self._release(max(round(self._end / self._tick), self._since + self._shortest))

    def _release(self, place: int) -> Iterator[Change]:
        found = self._waiting
        if found is not None:
            ticks = min(place - self._since, self._longest)
            yield Change(found.pixels, found.mask, found.left, found.top, ticks)

    def _compare(self, before: Pixels, after: Pixels) -> Change | None:
        """What differs; None where nothing does."""
        mask = (before != after).any(axis=2)
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            return None
        if self._whole:
            return Change(after, None, 0, 0, 0)
        top, left = (int(found[0]) // self._grid * self._grid for found in (rows, columns))
        part = (slice(top, rows[-1] + 1), slice(left, columns[-1] + 1))
        return Change(after[part], mask[part], left, top, 0)


class ChangeWriter(ABC):
    """A file that is written as changes come.

    Args:
        path: where.
        changes: finds them.
    """

    def __init__(self, path: Path, changes: Changes) -> None:
        self._file = path.open("wb")
        self._changes = changes

    def write(self, pixels: Pixels, time: Fraction, duration: Fraction) -> None:
        """A frame, (H, W, 3) or (H, W, 4)."""
        for change in self._changes.add(pixels, time, duration):
            self._write(change)

    def finish(self) -> None:
        """The last frame, and what the file ends with."""
        for change in self._changes.finish():
            self._write(change)
        self._end()
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @abstractmethod
    def _write(self, change: Change) -> None: ...

    @abstractmethod
    def _end(self) -> None: ...
