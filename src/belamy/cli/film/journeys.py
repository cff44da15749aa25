"""`belamy dream zoom` and `belamy dream walk`: films out of one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy.cli.commands.dream import app
from belamy.cli.existing import Overwrite
from belamy.cli.film.making import Resume, make_film
from belamy.cli.films import FILMS, Encoding, FilmCodec, FilmQuality, require_film
from belamy.cli.options import takes
from belamy.cli.pictures import require_named
from belamy.engines.film.api import (
    DreamWalkOptions,
    DreamZoomOptions,
    dream_walk_steps,
    dream_zoom_steps,
)

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = ["app"]

_NOISE = "noise"

Film = Annotated[str, typer.Option("--output", "-o", help=f"The film: {FILMS}.")]


@app.command()
@takes(dream_zoom_steps, without=["image"])
def zoom(
    start: Annotated[
        str, typer.Argument(metavar="PICTURE", help="Where it begins: a picture, or noise.")
    ] = _NOISE,
    output: Film = "",
    quality: FilmQuality = 90,
    codec: FilmCodec = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Travel into a dream: each frame is dreamt on the one before, moved a little.

    Frames are saved in OUTPUT.parts/ as they are made, to be looked at; Ctrl-C keeps them.
    """
    require_named(output)
    source = None if start == _NOISE else Path(start)
    settings = DreamZoomOptions(source, **options)
    encoding = Encoding(quality, codec)
    target = require_film(output, settings.fps, encoding)

    def open_work(begun: Recipe | None) -> Any:
        from belamy.engines.film.begun import like_begun
        from belamy.engines.film.journey import Zoom  # brings torch

        return Zoom(like_begun(settings, begun))

    make_film(
        *(open_work, target, "travelling to"),
        resume=resume,
        overwrite=overwrite,
        encoding=encoding,
    )


@app.command()
@takes(dream_walk_steps, without=["image"])
def walk(
    image: Annotated[Path, typer.Argument(metavar="PICTURE", help="What is dreamt on.")],
    output: Film = "",
    quality: FilmQuality = 90,
    codec: FilmCodec = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Walk from one dream to the next, by layers or classes, on a picture that stands still."""
    require_named(output)
    settings = DreamWalkOptions(image, **options)
    encoding = Encoding(quality, codec)
    target = require_film(output, settings.fps, encoding)

    def open_work(begun: Recipe | None) -> Any:
        from belamy.engines.film.begun import like_begun
        from belamy.engines.film.journey import Walk  # brings torch

        return Walk(like_begun(settings, begun))

    make_film(
        *(open_work, target, "walking to"), resume=resume, overwrite=overwrite, encoding=encoding
    )
