"""`belamy dream`: DeepDream on pictures, or from noise. Its films are in `belamy.cli.film`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.existing import Overwrite
from belamy.cli.film.flags import EVERY_FRAME, NO_FILM, FilmFlags, takes_film
from belamy.cli.groups import DefaultGroup
from belamy.cli.options import takes
from belamy.cli.outputs import require_output
from belamy.cli.pictures import make_picture, require_named, work_on
from belamy.engines.dream.api import DreamOptions, dream_steps
from belamy.engines.film.api import DreamFilmOptions

__all__ = ["app"]

app = typer.Typer(
    name="dream",
    cls=DefaultGroup,
    no_args_is_help=True,
    help="Dream on pictures, or from noise (`belamy dream photo.jpg -o dream.png`); on films, and "
    "on journeys.",
)


@app.command()
@takes_film
@takes(dream_steps, without=["image"])
def picture(
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="IMAGE",
            help="Pictures to dream on, folders, zips; or a film; none dreams from noise.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="The new picture, or a folder for several."),
    ] = "",
    every: Annotated[
        int,
        typer.Option(
            min=0,
            help="Save a frame of the work every N steps, beside the result. " + EVERY_FRAME,
        ),
    ] = 0,
    overwrite: Overwrite = False,
    film: FilmFlags = NO_FILM,
    **options: Any,
) -> None:
    """Change pictures until a network sees more of what it looks for; `picture` may be left out."""
    require_named(output)
    if film.is_film(images or (), output):
        assert images is not None
        given = {"image": images[0], **options}
        film.make(DreamFilmOptions, output, "dreaming", every=every, overwrite=overwrite, **given)
        return
    settings = DreamOptions(**options)
    if not images:
        make_picture(
            dream_steps(**options), require_output(output), "dreaming", every, overwrite=overwrite
        )
        return
    from belamy.engines.dream.render import Dreamer  # brings torch

    dreamer = Dreamer(settings)
    work_on(
        images,
        output,
        lambda image, _: dreamer.steps(image),
        "dreaming",
        every=every,
        overwrite=overwrite,
    )
