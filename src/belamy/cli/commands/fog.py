"""`belamy fog`: the physics of fog, put into pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.existing import Overwrite
from belamy.cli.options import takes
from belamy.cli.pictures import work_on
from belamy.engines.defog.fog_api import fog_steps

__all__ = ["app"]

app = typer.Typer()


@app.command()
@takes(fog_steps, without=["image"])
def fog(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, folders or zips of them.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The new picture, or a folder for several.")
    ] = "",
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Put fog into every IMAGE: `belamy fog street.jpg --amount 0.6 -o foggy.png`."""
    work_on(
        images,
        output,
        lambda image, _: fog_steps(image, **options),
        "fogging",
        overwrite=overwrite,
    )
