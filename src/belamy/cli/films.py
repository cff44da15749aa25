"""Films out of an engine's steps: each step is a frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from belamy.checks import Between, check_options
from belamy.cli.existing import recipe_there
from belamy.cli.outputs import require_folder
from belamy.cli.progress import track_steps
from belamy.errors import BelamyError, OptionError, RecipeError

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe
    from belamy.steps import Step

__all__ = [
    "FILMS",
    "FPS",
    "USUAL",
    "Encoding",
    "FilmCodec",
    "FilmQuality",
    "encoding_of",
    "film_there",
    "require_film",
    "save_film",
]

FPS = 25.0
"""Frames a second of films that were not asked for a speed."""

FILMS = "mp4, mov, mkv, webm (with [video]), gif, webp, avif, apng, or a folder of PNGs"
"""What can be written, for help."""

_Codec = Literal["h264", "vp9", "av1"]

FilmQuality = Annotated[
    int,
    typer.Option("--quality", help="Of a film that loses something: from 1 to 100."),
]
FilmCodec = Annotated[
    _Codec | None, typer.Option("--codec", help="h264, vp9 or av1: the usual is the container's.")
]


@dataclass(frozen=True)
class Encoding:
    """How a film is encoded.

    Args:
        quality: 1 to 100.
        codec: None: the usual one of the container.
        threads: of the encoder, whose bytes depend on them.
    """

    quality: Annotated[int, Between(1, 100)] = 90
    codec: _Codec | None = None
    threads: Annotated[int, Between(1, 64)] = 4

    def __post_init__(self) -> None:
        check_options(self)


USUAL = Encoding()


def encoding_of(film: Mapping[str, Any], output: Path) -> Encoding:
    """As a recipe says of a film; the codec only where its container is written again.

    Raises:
        RecipeError: it says what cannot be.
    """
    from belamy.pixels.film.writers.container import CONTAINERS

    container = CONTAINERS.get(output.suffix.lower())
    codec = film.get("codec") if container and film.get("codec") in container.codecs else None
    try:
        return Encoding(film.get("quality", 90), codec, film.get("threads", 4))
    except BelamyError as error:
        raise RecipeError(f"the recipe's film: {error}") from error


def require_film(path: str | Path, fps: float = FPS, encoding: Encoding = USUAL) -> Path:
    """Check that a film can be saved at `path`.

    Raises:
        ImageError: the suffix is none of a film.
        MissingExtra: it needs a package that is not installed.
        OptionError: it is a folder that holds other things, or its folder cannot be made or
            written; or the format cannot have that many frames a second, or that codec.
    """
    from belamy.pixels.carriers import FILM_FILE
    from belamy.pixels.film.save import check_video

    target = Path(path)
    if target.is_dir() and not (target / FILM_FILE).is_file() and any(target.iterdir()):
        raise OptionError(f"{target} is a folder; name a film in it, such as {target / 'new.gif'}")
    check_video(target, fps, codec=encoding.codec)
    require_folder(target.parent)
    return target


def film_there(target: Path, encoding: Encoding, overwrite: bool) -> Recipe | None:
    """The recipe of the film at `target`; None where nothing is, or it is to be replaced.

    One of belamy's that was encoded otherwise is replaced, too.

    Raises:
        OptionError: it carries no recipe, so that it is somebody's own.
    """
    from belamy.pixels.film.writer import check_film, describe_encoding

    if target.is_dir() and not any(target.iterdir()):
        return None
    found = recipe_there(target, overwrite)
    _, codec = check_film(target, codec=encoding.codec)
    same = found is not None and found.film == describe_encoding(
        codec, encoding.quality, encoding.threads
    )
    return found if same else None


def save_film(
    steps: Iterable[Step],
    path: Path,
    description: str,
    fps: float = FPS,
    encoding: Encoding = USUAL,
) -> None:
    """Drain `steps` into a film with the recipe of its last frame, and a bar meanwhile.

    Ctrl-C leaves no film: the half of one would not be what its recipe says.
    """
    from belamy.pixels.film.save import save_video

    watched = track_steps(steps, description)
    first = next(watched)
    recipe = None if first.recipe is None else replace(first.recipe, step=first.total)
    frames = (step.image for step in itertools.chain([first], watched))
    save_video(
        frames,
        path,
        fps=fps,
        quality=encoding.quality,
        codec=encoding.codec,
        recipe=recipe,
        threads=encoding.threads,
    )
