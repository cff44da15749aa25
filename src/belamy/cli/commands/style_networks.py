"""`belamy style train` and `belamy style apply`: networks that paint in one pass."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.commands.style import app
from belamy.cli.existing import Overwrite
from belamy.cli.film.flags import NO_FILM, Every, FilmFlags, takes_film
from belamy.cli.many.cores import share_cores
from belamy.cli.options import default, option, takes
from belamy.cli.pictures import require_named, work_on
from belamy.cli.shell.completion import painters
from belamy.cli.training import Resumed, RunFolder, follow, new_run, resume_config
from belamy.engines.faststyle.api import (
    ApplyStyleOptions,
    StyleTrainConfig,
    apply_style_steps,
    train_style,
)
from belamy.engines.film.api import ApplyStyleFilmOptions
from belamy.errors import OptionError

__all__ = ["app"]

COMMAND = "belamy style train"


@app.command()
@takes_film
@takes(apply_style_steps, without=["image", "network"])
def apply(
    network: Annotated[
        str,
        typer.Argument(
            help="A network that belamy trained; or a .t7, .pth or .onnx of others.",
            autocompletion=painters,
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Pictures, folders; or a film."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The new picture, or a folder for several.")
    ] = "",
    every: Every = 0,
    overwrite: Overwrite = False,
    film: FilmFlags = NO_FILM,
    **options: Any,
) -> None:
    """Repaint every IMAGE in the style that NETWORK has learned, in one pass."""
    require_named(output)
    if film.is_film(images, output):
        given = {"image": images[0], "network": network, **options}
        form = ApplyStyleFilmOptions
        film.make(form, output, "painting", every=every, overwrite=overwrite, **given)
        return
    settings = ApplyStyleOptions(network=network, **options)
    from belamy.engines.faststyle.apply import StyleApplier  # brings torch

    with share_cores(images, settings.device) as workers:
        applier = StyleApplier(settings)
        work_on(
            images,
            output,
            lambda source, _: applier.steps(source),
            "painting",
            overwrite=overwrite,
            planned=applier.recipe,
            workers=workers,
        )


@app.command()
@takes(StyleTrainConfig, without=["painting", "data"])
def train(
    context: typer.Context,
    painting: Annotated[
        str | None, typer.Argument(help="The picture whose style is learned.")
    ] = None,
    data: Annotated[str | None, option(StyleTrainConfig, "data")] = None,
    run: RunFolder = None,
    resume: Resumed = None,
    device: Annotated[str, option(train_style, "device")] = default(train_style, "device"),
    **options: Any,
) -> None:
    """Train a network to paint like PAINTING; Ctrl-C saves, the same command with --run goes on."""
    if resume is not None:
        config, folder = resume_config(context, resume, "style", StyleTrainConfig), resume
        follow(train_style(config, folder, device=device), folder, COMMAND)
        return
    if painting is None or data is None:
        raise OptionError(
            "name the PAINTING and the photographs to practise on with --data, or a run folder "
            "with --resume"
        )
    config = StyleTrainConfig(painting=painting, data=data, **options)
    folder = run or new_run(f"style-{Path(config.painting).stem}")
    follow(train_style(config, folder, device=device), folder, COMMAND)
