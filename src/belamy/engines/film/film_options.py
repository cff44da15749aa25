"""What films that are worked on are asked for: an engine's options, and those of all films."""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, TypeAlias, TypeVar

from belamy.checks import Between
from belamy.engines.anystyle.options import AnyStyleOptions
from belamy.engines.defog.options import DefogOptions
from belamy.engines.dream.options import DreamOptions
from belamy.engines.faststyle.options import ApplyStyleOptions
from belamy.engines.style.options import OptimizerName, StyleOptions
from belamy.engines.translate.options import TranslateOptions
from belamy.errors import OptionError

__all__ = [
    "AnyStyleFilmOptions",
    "ApplyStyleFilmOptions",
    "DefogFilmOptions",
    "DreamFilmOptions",
    "FilmOptions",
    "FilmSource",
    "StyleFilmOptions",
    "TranslateFilmOptions",
    "film_path",
]

FilmSource: TypeAlias = "str | os.PathLike[str]"
Form = TypeVar("Form", bound=type)


@dataclass(frozen=True, eq=False, kw_only=True)
class FilmOptions:
    """What every film that is made out of another one is asked for.

    Args:
        fps: frames a second of the result; None: each frame stands as long as in the film.
        start: seconds into the film at which to begin.
        end: seconds into the film at which to stop; None: where it ends.
        every: take only each so many-th frame, which then stands as long as those left out.
        steady: how firmly each frame is held to the one before, moved to where its things are now:
            1 fully, 0 makes each frame by itself, which flickers.
    """

    fps: Annotated[float | None, Between(0, 240, "frames a second", above=True)] = None
    start: Annotated[float | None, Between(0, 864_000, "seconds")] = None
    end: Annotated[float | None, Between(0, 864_000, "seconds", above=True)] = None
    every: Annotated[int, Between(1, 1_000_000)] = 1
    steady: Annotated[float, Between(0, 1)] = 1.0


def _of_film(form: Form) -> Form:
    """The class with the texts of both kinds of options, which the engine's own check checks."""
    engine = form.__mro__[2]
    rest = (engine.__doc__ or "").partition("Args:\n")[2]
    arguments, mark, end = rest.partition("\n\n    Raises:")
    of_films = (FilmOptions.__doc__ or "").partition("Args:\n")[2].rstrip()
    what, _, own = (form.__doc__ or "").partition("\n\n    Args:\n")
    lines = filter(None, (arguments.rstrip(), of_films, own.rstrip()))
    form.__doc__ = "\n".join((f"{what}\n\n    Args:", *lines)) + mark + end
    return form


@_of_film
@dataclass(frozen=True, eq=False)
class DreamFilmOptions(FilmOptions, DreamOptions):
    """What a film that is dreamt on is asked for; its `image` is the film."""


@_of_film
@dataclass(frozen=True, eq=False, kw_only=True)
class StyleFilmOptions(FilmOptions, StyleOptions):
    """What a film that is painted by steps is asked for; its `content` is the film.

    Args:
        passes: how often each scene is painted through, there and back in turn: each pass goes on
            from the one before it, half way to the neighbour that it comes from.
    """

    # each frame goes on from the one before in few steps, as they were tuned for Adam's
    usual_optimizer: ClassVar[OptimizerName] = "adam"

    passes: Annotated[int, Between(1, 20)] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.passes > 1 and self.steady == 0:
            raise OptionError(
                f"steady is 0, which makes each frame by itself, and passes is {self.passes}; "
                "leave one of them out"
            )


@_of_film
@dataclass(frozen=True, eq=False)
class AnyStyleFilmOptions(FilmOptions, AnyStyleOptions):
    """What a film that is painted in any style in one pass is asked for; its `content` is it."""


@_of_film
@dataclass(frozen=True, eq=False)
class ApplyStyleFilmOptions(FilmOptions, ApplyStyleOptions):
    """What a film that a network repaints in its one style is asked for; its `image` is it."""


@_of_film
@dataclass(frozen=True, eq=False)
class TranslateFilmOptions(FilmOptions, TranslateOptions):
    """What a film that is translated is asked for; its `image` is the film."""


@_of_film
@dataclass(frozen=True, eq=False)
class DefogFilmOptions(FilmOptions, DefogOptions):
    """What a film that loses its fog is asked for; its `image` is the film.

    Args:
        size: long side of the result in pixels. None: the film's own.
    """

    _: KW_ONLY
    size: Annotated[int | None, Between(8, 32_768, "pixels")] = None


def film_path(source: object) -> str:
    """The path of a film, which an engine's options have where they have a picture's.

    Raises:
        OptionError: it is no path.
    """
    if not isinstance(source, (str, os.PathLike)):
        raise OptionError("a film is read from a file; give its path")
    return os.fspath(source)
