"""A film out of steps that say when they are seen."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from belamy.engines.film.frames import SoundTrack
from belamy.errors import ImageError
from belamy.pixels.film.writer import QUALITY, THREADS, create_film
from belamy.steps import Step

if TYPE_CHECKING:
    from belamy.pixels.film.writer import VideoCodec

__all__ = ["encode"]


def encode(
    steps: Iterable[Step],
    path: str | os.PathLike[str],
    *,
    frame_rate: Fraction | None = None,
    sound: SoundTrack | None = None,
    quality: int = QUALITY,
    codec: VideoCodec | None = None,
    threads: int = THREADS,
) -> None:
    """Save a film of frames that say when they are seen, whole or not at all.

    Args:
        steps: each with its `time` and `duration`; all of one size. The recipe is the last one's.
        path: see `belamy.pixels.film.create_film`, as are `quality`, `codec` and `threads`.
        frame_rate: frames a second, nominal. None: as the first frame's duration says.
        sound: None: silent.

    Raises:
        ImageError: there are no frames, or they are of several sizes; a place that cannot be
            written; an unknown suffix.
        MissingExtra: PyAV is needed, and not installed.
    """
    going = iter(steps)
    first = next(going, None)
    if first is None:
        raise ImageError(f"cannot save {path}: there are no frames")
    assert first.duration is not None, "frames of a film say how long they are seen"
    film = create_film(
        path,
        size=(first.image.shape[-2], first.image.shape[-1]),
        frame_rate=frame_rate or 1 / first.duration,
        sound_from=None if sound is None else sound.path,
        start=None if sound is None else sound.start,
        end=None if sound is None else sound.end,
        quality=quality,
        codec=codec,
        recipe=None if first.recipe is None else replace(first.recipe, step=first.total),
        threads=threads,
    )
    with film:
        for step in itertools.chain([first], going):
            assert step.time is not None, "frames of a film say when they are seen"
            assert step.duration is not None
            film.write(step.image, step.time, step.duration, step.alpha)
