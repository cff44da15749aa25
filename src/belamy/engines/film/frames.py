"""A film that is being made: scenes, frames, and what each frame leaves to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Protocol

from torch import Tensor

from belamy.pixels.recipe import Recipe
from belamy.steps import Step

__all__ = ["FilmFrame", "FilmPlan", "FilmWork", "SoundTrack", "even_plan", "step_of", "steps_of"]


@dataclass(frozen=True)
class SoundTrack:
    """Where a film's sound comes from.

    Args:
        path: a film.
        start, end: what of it, in seconds; None: from its beginning, to its end.
    """

    path: str | os.PathLike[str]
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class FilmPlan:
    """Which frames there will be.

    Args:
        times: when each frame is seen, and for how long, in seconds.
        scenes: the frames of each scene, one after another; each scene is made by itself.
        size: (height, width).
        frame_rate: frames a second, nominal.
        sound: what is heard with them; None: nothing.
    """

    times: tuple[tuple[Fraction, Fraction], ...]
    scenes: tuple[range, ...]
    size: tuple[int, int]
    frame_rate: Fraction
    sound: SoundTrack | None = None


@dataclass(frozen=True)
class FilmFrame:
    """One frame, and what the next one is made of.

    Args:
        index: from 0 on, in the whole film.
        image: (1, 3, H, W) in [0, 1].
        state: what the next frame of the scene needs of this one, exactly, by name.
        alpha: (1, 1, H, W), or None.
        note: a line for the user.
        losses: what is minimised, by name.
        fraction: how much of the work on the film is done, where frames are worked on several
            times; None: as many frames as are made.
        is_draft: whether it is painted further, and not yet a frame of the film.
    """

    index: int
    image: Tensor
    state: Mapping[str, Tensor]
    alpha: Tensor | None = None
    note: str = ""
    losses: Mapping[str, float] = field(default_factory=dict)
    fraction: float | None = None
    is_draft: bool = False


class FilmWork(Protocol):
    """What makes a film, a scene at a time."""

    @property
    def plan(self) -> FilmPlan:
        """Which frames there will be."""

    @property
    def recipe(self) -> Recipe:
        """How to make the film again."""

    def frames(self, scene: int, after: FilmFrame | None) -> Iterator[FilmFrame]:
        """The frames of a scene in order, from the first or from the one after `after` on.

        A frame depends on the one before it and on its own number, on nothing else, so that a film
        that was stopped goes on as if it had not been. Drafts may come first.
        """


def even_plan(count: int, fps: float, size: tuple[int, int]) -> FilmPlan:
    """A film of one scene, whose frames all stand equally long."""
    rate = Fraction(fps).limit_denominator(1001)
    times = tuple((index / rate, 1 / rate) for index in range(count))
    return FilmPlan(times, (range(count),), size, rate)


def step_of(work: FilmWork, frame: FilmFrame) -> Step:
    """A frame as a step."""
    time, duration = work.plan.times[frame.index]
    total = len(work.plan.times)
    return Step(
        *(frame.index + 1, total, frame.image, dict(frame.losses), frame.alpha),
        recipe=replace(work.recipe, step=frame.index + 1),
        note=frame.note,
        fraction=frame.fraction,
        time=time,
        duration=duration,
    )


def steps_of(work: FilmWork) -> Iterator[Step]:
    """Every frame of a film as a step, none of them kept."""
    for scene in range(len(work.plan.scenes)):
        for frame in work.frames(scene, None):
            if not frame.is_draft:
                yield step_of(work, frame)
