"""Journeys and walks through dreams, and films dreamt, painted and cleared.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from belamy.engines.film.options import DreamWalkOptions, DreamZoomOptions
from belamy.steps import Step, with_options

if TYPE_CHECKING:
    from belamy.engines.film.frames import FilmWork
    from belamy.pixels.display.film import Film

__all__ = [
    "DreamWalkOptions",
    "DreamZoomOptions",
    "dream_walk",
    "dream_walk_steps",
    "dream_zoom",
    "dream_zoom_steps",
]


@with_options(DreamZoomOptions)
def dream_zoom_steps(options: DreamZoomOptions) -> Iterator[Step]:
    """Travel into a dream: each frame is dreamt on the one before, moved a little.

    Yields:
        a `Step` for each frame.

    Raises:
        ImageError: a picture cannot be read.
        UnknownName: no such model, layer or class.
        OptionError: a value out of its range, or options that exclude each other.
        WeightsError: the model's weights are not here.
        Diverged: the gradient is no longer a number.

    Source: Mordvintsev, Olah and Tyka 2015, "Inceptionism". **Differs** in how frames are moved,
    in that their colours and detail are held, and in that what is excited changes on the way.
    """
    from belamy.engines.film.frames import steps_of
    from belamy.engines.film.journey import Zoom

    yield from steps_of(Zoom(options))


@with_options(DreamZoomOptions)
def dream_zoom(options: DreamZoomOptions) -> Film:
    """Travel into a dream: the whole film.

    All frames are kept in memory; for a long one there are `belamy.dream_zoom_steps` and
    `belamy.save_video`.

    Returns:
        the `Film`, with its recipe.

    Raises:
        ImageError: a picture cannot be read.
        UnknownName: no such model, layer or class.
        OptionError: a value out of its range, or options that exclude each other.
        WeightsError: the model's weights are not here.
        Diverged: the gradient is no longer a number.

    Source: see `belamy.dream_zoom_steps`.
    """
    from belamy.engines.film.journey import Zoom

    return _film(Zoom(options), options.fps)


@with_options(DreamWalkOptions)
def dream_walk_steps(options: DreamWalkOptions) -> Iterator[Step]:
    """Walk from one dream to the next on a picture that stands still.

    Yields:
        a `Step` for each frame.

    Raises:
        ImageError: a picture cannot be read.
        UnknownName: no such model, layer or class.
        OptionError: a value out of its range, or options that exclude each other.
        WeightsError: the model's weights are not here.
        Diverged: the gradient is no longer a number.
    """
    from belamy.engines.film.frames import steps_of
    from belamy.engines.film.journey import Walk

    yield from steps_of(Walk(options))


@with_options(DreamWalkOptions)
def dream_walk(options: DreamWalkOptions) -> Film:
    """Walk from one dream to the next on a picture that stands still: the whole film.

    Returns:
        the `Film`, with its recipe.

    Raises:
        ImageError: a picture cannot be read.
        UnknownName: no such model, layer or class.
        OptionError: a value out of its range, or options that exclude each other.
        WeightsError: the model's weights are not here.
        Diverged: the gradient is no longer a number.
    """
    from belamy.engines.film.journey import Walk

    return _film(Walk(options), options.fps)


def _film(work: FilmWork, fps: float) -> Film:
    from belamy.engines.film.frames import steps_of
    from belamy.pixels.display.film import Film

    return Film([step.image for step in steps_of(work)], fps, work.recipe)
