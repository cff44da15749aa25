"""The engines that films go through, by the names of their recipes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from belamy.devices import choose_device
from belamy.engines.film.begun import like_begun
from belamy.engines.film.clearing import FilmDefogger
from belamy.engines.film.dreaming import LARGEST_SIDE, FilmDreamer
from belamy.engines.film.film_options import (
    AnyStyleFilmOptions,
    ApplyStyleFilmOptions,
    DefogFilmOptions,
    DreamFilmOptions,
    FilmOptions,
    StyleFilmOptions,
    TranslateFilmOptions,
    film_path,
)
from belamy.engines.film.one_pass import (
    OnePass,
    OnePassFilm,
    anystyle_film,
    faststyle_film,
    translate_film,
)
from belamy.engines.film.overlap import choose_threads, choose_workers
from belamy.engines.film.painting import FilmStylist, largest_side
from belamy.engines.film.parts import passes_of
from belamy.engines.film.passes import FilmInPasses
from belamy.engines.film.repaint import FrameRenderer, RepaintedFilm
from belamy.engines.film.source import look_through
from belamy.errors import OptionError
from belamy.pixels.film.reader import open_film
from belamy.pixels.recipe import Recipe

__all__ = ["open_repainted", "threads_of_frames"]

_RENDERERS: dict[type[FilmOptions], Callable[[Any], FrameRenderer]] = {
    AnyStyleFilmOptions: anystyle_film,
    ApplyStyleFilmOptions: faststyle_film,
    DefogFilmOptions: FilmDefogger,
    DreamFilmOptions: FilmDreamer,
    StyleFilmOptions: FilmStylist,
    TranslateFilmOptions: translate_film,
}


def open_repainted(
    options: FilmOptions, folder: Path | None = None, begun: Recipe | None = None
) -> RepaintedFilm:
    """A film that is to be dreamt on, painted, translated or cleared, with its network loaded.

    Args:
        folder: of its parts, where work that was stopped is gone on with; None: there is none.
        begun: the recipe of those parts, which says what the options leave to the machine; None:
            that is decided now, for all frames. Of older recipes each frame may choose its tile.

    Raises:
        ImageError: the film is not there, damaged, or has no frames where they are taken.
        OptionError: options that exclude each other, or make no sense on a film.
        UnknownName, WeightsError: a network that is not here.
        MissingExtra: PyAV or OpenCV is needed, and not installed.
    """
    source: Any = options
    path = film_path(source.content if hasattr(options, "content") else source.image)
    options = like_begun(options, begun)
    chosen = getattr(options, "tile", None) != "auto" or begun is not None
    renderer = _RENDERERS[type(options)](options)
    film = look_through(path, options, _side(path, options))
    if not chosen and isinstance(renderer, (OnePass, FilmDreamer, FilmStylist)):
        renderer.fix_tile(film.plan.size)
    if isinstance(options, DefogFilmOptions) and options.compare:
        height, width = film.plan.size
        film = replace(film, plan=replace(film.plan, size=(height, 2 * width)))
    if isinstance(renderer, FilmStylist) and renderer.options.passes > 1:
        place = None if folder is None else passes_of(folder)
        return FilmInPasses(film, renderer, renderer.options.passes, place)
    if isinstance(renderer, OnePass) and renderer.in_parallel:
        return OnePassFilm(film, renderer, choose_workers(film.plan.size))
    return RepaintedFilm(film, renderer)


def threads_of_frames(options: FilmOptions) -> int | None:
    """On how many threads each frame is painted, where several are at a time; None: as torch has.

    It is to be set before the film is opened, since other programs ask for their threads then.

    Raises:
        ImageError: the film is not there, damaged, or none.
        OptionError: there is no such device.
        MissingExtra: PyAV is needed, and not installed.
    """
    if not isinstance(options, (ApplyStyleFilmOptions, TranslateFilmOptions)):
        return None
    if choose_device(options.device).type != "cpu":
        return None
    path = film_path(options.image)
    with open_film(path, size=_side(path, options)) as film:
        return choose_threads(film.size)


def _side(path: str, options: FilmOptions) -> int | None:
    """The long side of the result, as engines take it of stills; None for the film's own."""
    size: Any = getattr(options, "size", None)
    if isinstance(size, str) and size != "full":
        if not size.isdecimal():
            raise OptionError(f"size is {size!r}; of a film it is a number of pixels, or full")
        size = int(size)
    if size is not None:
        return None if size == "full" else size
    if isinstance(options, DreamFilmOptions):
        largest = LARGEST_SIDE
    elif isinstance(options, StyleFilmOptions):
        largest = largest_side(options)
    else:
        return None
    with open_film(path) as film:
        return largest if max(film.size) > largest else None
