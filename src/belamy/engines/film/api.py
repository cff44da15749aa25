"""Journeys and walks through dreams, and films dreamt, painted and cleared.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import ParamSpec

from belamy.engines.film.film_options import (
    AnyStyleFilmOptions,
    ApplyStyleFilmOptions,
    DefogFilmOptions,
    DreamFilmOptions,
    FilmOptions,
    StyleFilmOptions,
    TranslateFilmOptions,
)
from belamy.engines.film.options import DreamWalkOptions, DreamZoomOptions
from belamy.steps import Step, run_to_film, with_options

__all__ = [
    "AnyStyleFilmOptions",
    "ApplyStyleFilmOptions",
    "DefogFilmOptions",
    "DreamFilmOptions",
    "DreamWalkOptions",
    "DreamZoomOptions",
    "StyleFilmOptions",
    "TranslateFilmOptions",
    "any_style_film_steps",
    "apply_style_film_steps",
    "defog_film_steps",
    "dream_film_steps",
    "dream_walk",
    "dream_walk_steps",
    "dream_zoom",
    "dream_zoom_steps",
    "save_film",
    "style_film_steps",
    "translate_film_steps",
]

P = ParamSpec("P")


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


dream_zoom = run_to_film(dream_zoom_steps)


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


dream_walk = run_to_film(dream_walk_steps)


_OF_FILMS = """Yields:
    a `Step` for each frame, with its time; `belamy.save_film` makes a film of them.

Raises:
    ImageError: the film is not there, damaged, or none; or another picture cannot be read.
    OptionError: a value out of its range, or options that make no sense on a film.
    UnknownName, WeightsError: a network, layer or class that is not here.
    MissingExtra: PyAV or OpenCV is not installed."""


def _repainting(
    form: Callable[P, FilmOptions], name: str, what: str, source: str = ""
) -> Callable[P, Iterator[Step]]:
    """The public function of an engine that films go through.

    Args:
        form: what it is asked for.
        name: of the function.
        what: it does, for its documentation.
        source: where that is from.
    """

    def work(options: FilmOptions) -> Iterator[Step]:
        from belamy.engines.film.films import open_repainted
        from belamy.engines.film.frames import steps_of

        yield from steps_of(open_repainted(options))

    work.__name__ = work.__qualname__ = name
    work.__doc__ = "\n\n".join(filter(None, (what, _OF_FILMS, source)))
    return with_options(form)(work)


dream_film_steps = _repainting(
    DreamFilmOptions,
    "dream_film_steps",
    "Dream on a film: what a frame was given is carried along with its things, and dreamt on.",
)
style_film_steps = _repainting(
    StyleFilmOptions,
    "style_film_steps",
    "Paint a film by steps: each frame begins as the one before, moved, and is held to it.",
    'Source: Ruder, Dosovitskiy and Brox 2016, "Artistic style transfer for videos".',
)
any_style_film_steps = _repainting(
    AnyStyleFilmOptions,
    "any_style_film_steps",
    "Paint a film in any style, in one pass a frame, held still where the film is.",
)
apply_style_film_steps = _repainting(
    ApplyStyleFilmOptions,
    "apply_style_film_steps",
    "Repaint a film in the one style that a network has learned, held still where the film is.",
)
translate_film_steps = _repainting(
    TranslateFilmOptions,
    "translate_film_steps",
    "Translate a film from one domain into another, held still where it is.",
)
defog_film_steps = _repainting(
    DefogFilmOptions,
    "defog_film_steps",
    "Take the fog out of a film, with transmission and airlight steady in time.",
)


def save_film(
    steps: Iterable[Step],
    path: str | os.PathLike[str],
    *,
    sound_from: str | os.PathLike[str] | None = None,
    start: float | None = None,
    end: float | None = None,
    quality: int = 90,
) -> None:
    """Save a film of steps that say when they are seen, as `dream_film_steps` yields them.

    Args:
        steps: all of one size; their recipe is carried along.
        path: `.mp4`, `.mov`, `.mkv`, `.webm`, `.gif`, `.webp`, `.avif` or `.apng`, or a folder.
        sound_from: a film whose sound it gets; None: silent.
        start, end: what of that film was taken, in seconds.
        quality: 1 to 100, of formats that lose something.

    Raises:
        ImageError: there are no frames, or of several sizes; or an unknown suffix.
        MissingExtra: PyAV is needed, and not installed.
    """
    from belamy.engines.film.encode import encode
    from belamy.engines.film.frames import SoundTrack

    sound = None if sound_from is None else SoundTrack(sound_from, start, end)
    encode(steps, path, sound=sound, quality=quality)
