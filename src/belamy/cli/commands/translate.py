"""`belamy translate`: image-to-image translation between two domains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.existing import Overwrite
from belamy.cli.film.flags import NO_FILM, Every, FilmFlags, takes_film
from belamy.cli.gallery import require_page, write_gallery
from belamy.cli.groups import PlainGroup
from belamy.cli.many.cores import share_cores
from belamy.cli.options import arguments_of, default, option, takes
from belamy.cli.outputs import Job
from belamy.cli.pictures import require_named, work_on
from belamy.cli.shell.completion import translators
from belamy.cli.training import Resumed, RunFolder, follow, new_run, resume_config
from belamy.engines.film.api import TranslateFilmOptions
from belamy.engines.translate.api import (
    TranslateConfig,
    TranslateOptions,
    evaluate_translation,
    train_translation,
    translate_steps,
)
from belamy.errors import OptionError

__all__ = ["app"]

COMMAND = "belamy translate train"

app = typer.Typer(
    name="translate",
    cls=PlainGroup,
    no_args_is_help=True,
    help="Learn to turn pictures of one domain into those of another, without pairs.",
)


@app.command()
@takes_film
@takes(translate_steps, without=["image", "network"])
def apply(
    network: Annotated[
        str,
        typer.Argument(
            help="A network that `belamy translate train` made, old-photographs or impressionism.",
            autocompletion=translators,
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Pictures, folders, zips; or a film."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The new picture, or a folder for several.")
    ] = "",
    gallery: Annotated[
        Path | None, typer.Option(help="An HTML page with all of them, before and after.")
    ] = None,
    every: Every = 0,
    overwrite: Overwrite = False,
    film: FilmFlags = NO_FILM,
    **options: Any,
) -> None:
    """Translate every IMAGE with what NETWORK has learned."""
    require_named(output)
    if film.is_film(images, output):
        given = {"image": images[0], "network": network, **options}
        form = TranslateFilmOptions
        film.make(form, output, "translating", every=every, overwrite=overwrite, **given)
        return
    if gallery is not None:
        require_page(gallery, overwrite)
    settings = TranslateOptions(network=network, **options)
    from belamy.engines.translate.render import Translator  # brings torch

    done: list[Job] = []
    try:
        with share_cores(images, settings.device) as workers:
            translator = Translator(settings)
            work_on(
                images,
                output,
                lambda source, _: translator.steps(source),
                "translating",
                overwrite=overwrite,
                planned=translator.recipe,
                workers=workers,
                on_made=done.append,
            )
    finally:  # those that were made are shown even where others failed
        if gallery is not None and done:
            write_gallery(gallery, done, title=f"{Path(network).stem}, {settings.direction}")
            typer.echo(gallery)


@app.command()
@takes(TranslateConfig, without=["a", "b"], flags={"start": ["--from"]})
def train(
    context: typer.Context,
    a: Annotated[
        str | None, typer.Argument(help="Folder or zip of pictures of one domain.")
    ] = None,
    b: Annotated[
        str | None,
        typer.Argument(help=arguments_of(TranslateConfig)["b"].help),
    ] = None,
    run: RunFolder = None,
    resume: Resumed = None,
    device: Annotated[str, option(train_translation, "device")] = default(
        train_translation, "device"
    ),
    **options: Any,
) -> None:
    """Learn to translate between A and B; Ctrl-C saves, the same command with --run goes on."""
    if resume is not None:
        config, folder = resume_config(context, resume, "translate", TranslateConfig), resume
        follow(train_translation(config, folder, device=device), folder, COMMAND)
        return
    if a is None:
        raise OptionError("name the two domains, A and B, or a run folder with --resume")
    config = TranslateConfig(a=a, b=b or "", **options)
    names = dict.fromkeys(Path(place).stem for place in (config.a, config.b))
    folder = run or new_run("-".join(("translate", *names)))
    follow(train_translation(config, folder, device=device), folder, COMMAND)


@app.command()
@takes(evaluate_translation, without=["network", "a", "b"])
def evaluate(
    network: Annotated[
        str,
        typer.Argument(
            help="A network that `belamy translate train` made, old-photographs or impressionism.",
            autocompletion=translators,
        ),
    ],
    a: Annotated[str, typer.Argument(help="Folder or zip of pictures of domain A.")],
    b: Annotated[str, typer.Argument(help="The same of domain B.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    **options: Any,
) -> None:
    """Measure how near translations come to the other domain."""
    metrics = evaluate_translation(network, a, b, **options)
    if as_json:
        typer.echo(json.dumps(metrics))
        return
    for name, value in metrics.items():
        shown = value if isinstance(value, str) else f"{value:.4g}"
        typer.echo(f"{name.replace('_', ' ')}: {shown}")
