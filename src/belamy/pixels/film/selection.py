"""Which frames are taken, and when: a part of the film, another rate, every so many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from belamy.checks import Between, check_options, require
from belamy.pixels.film.frame import Moment

__all__ = ["Selection", "as_rate", "as_time", "clip", "resample", "thin"]

_MOST_FPS = 1000.0
_LONGEST = 1e6  # seconds; eleven days


@dataclass(frozen=True)
class Selection:
    """What is taken of a film.

    Args:
        fps: frames a second, the same all along; None: each frame when it comes.
        start: seconds into the film at which to begin.
        end: seconds into the film at which to stop; None: where it ends.
        every: only each so many-th frame, which then stands as long as those left out.
        size: long side of the frames in pixels; None: their own.
    """

    fps: Annotated[float, Between(0, _MOST_FPS, above=True)] | None = None
    start: Annotated[float, Between(0, _LONGEST)] | None = None
    end: Annotated[float, Between(0, _LONGEST, above=True)] | None = None
    every: Annotated[int, Between(1, 100_000)] = 1
    size: Annotated[int, Between(8, 32_768)] | None = None

    def __post_init__(self) -> None:
        check_options(self)
        after = self.end is None or self.end > self.beginning
        require(after, "end", self.end, f"later than start, {float(self.beginning):g}")

    @property
    def beginning(self) -> Fraction:
        """When it starts."""
        return as_time(self.start or 0)

    @property
    def rate(self) -> Fraction | None:
        """Frames a second, exactly."""
        return None if self.fps is None else as_rate(self.fps)

    def apply(self, moments: Iterator[Moment]) -> Iterator[Moment]:
        """The frames that are taken out of all those of the film."""
        end = None if self.end is None else as_time(self.end)
        taken = clip(moments, self.beginning, end)
        if self.rate is not None:
            taken = resample(taken, self.rate)
        return taken if self.every == 1 else thin(taken, self.every)

    def count(self, seconds: Fraction | None, frames: int | None, rate: Fraction) -> int | None:
        """About how many frames are taken, of a film that is so long; None where nobody knows."""
        if seconds is None and frames is not None:
            seconds = frames / rate
        if seconds is None:
            return None
        end = seconds if self.end is None else min(seconds, as_time(self.end))
        length = max(Fraction(0), end - self.beginning)
        whole = self.start is None and self.end is None and self.rate is None
        number = frames if whole and frames else round(length * (self.rate or rate))
        return max(1, -(-number // self.every))


def as_time(seconds: float) -> Fraction:
    """Seconds as people type them: 0.1 is a tenth."""
    return Fraction(seconds).limit_denominator(1_000_000)


def as_rate(fps: float) -> Fraction:
    """Frames a second as they are meant: 23.976 is 24000/1001, 29.97 is 30000/1001."""
    whole = round(fps * 1.001)
    television = Fraction(whole * 1000, 1001)
    if abs(float(television) - fps) < 6e-4 and abs(round(fps) - fps) > 1e-9:
        return television
    return Fraction(fps).limit_denominator(1001)


def clip(moments: Iterator[Moment], start: Fraction, end: Fraction | None) -> Iterator[Moment]:
    """From `start` to `end`; the frames that stand there are cut to what is between."""
    for moment in moments:
        if end is not None and moment.time >= end:
            return
        if start > 0 and moment.end <= start:
            continue
        stop = moment.end if end is None else min(moment.end, end)
        yield moment.spanning(max(moment.time, start), stop)


def resample(moments: Iterator[Moment], rate: Fraction) -> Iterator[Moment]:
    """What stands at each tick of a clock that begins with the first frame."""
    tick = 1 / rate
    begin: Fraction | None = None
    count = 0
    for moment in moments:
        begin = moment.time if begin is None else begin
        # in the middle between two ticks, so that a rate that is nearly its own repeats nothing
        while begin + (count + Fraction(1, 2)) * tick <= moment.end:
            yield moment.spanning(begin + count * tick, begin + (count + 1) * tick)
            count += 1
        last = moment
    if begin is not None and count == 0:  # shorter than half a tick
        yield last.spanning(begin, begin + tick)


def thin(moments: Iterator[Moment], every: int) -> Iterator[Moment]:
    """Each so many-th, standing until the next of them."""
    kept: Moment | None = None
    end = Fraction(0)
    for index, moment in enumerate(moments):
        if index % every == 0:
            if kept is not None:
                yield kept.spanning(kept.time, moment.time)
            kept = moment
        end = moment.end
    if kept is not None:
        yield kept.spanning(kept.time, end)
