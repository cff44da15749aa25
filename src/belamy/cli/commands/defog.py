"""`belamy defog`: dehazing of pictures, how well, and how a network learns it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy.cli.existing import Overwrite, recipe_there
from belamy.cli.film.flags import NO_FILM, Every, FilmFlags, takes_film
from belamy.cli.groups import DefaultGroup
from belamy.cli.inputs import inputs
from belamy.cli.many.cores import share_cores
from belamy.cli.options import arguments_of, default, option, takes
from belamy.cli.outputs import require_output, save_step
from belamy.cli.pictures import require_named, work_on
from belamy.cli.training import Resumed, RunFolder, follow, new_run, resume_config
from belamy.engines.defog.api import (
    DefogAdaptConfig,
    DefogOptions,
    DefogTrainConfig,
    adapt_defog,
    defog_steps,
    evaluate_defog,
    train_defog,
)
from belamy.engines.film.api import DefogFilmOptions
from belamy.errors import OptionError
from belamy.renamed import CONFIGS, current_options

if TYPE_CHECKING:
    from belamy.steps import Step

__all__ = ["app"]

TRAIN, ADAPT = "belamy defog train", "belamy defog adapt"
SIZE = f"Of a film: {arguments_of(DefogFilmOptions)['size'].help}"

app = typer.Typer(
    name="defog",
    cls=DefaultGroup,
    no_args_is_help=True,
    help="Take fog out of pictures (`belamy defog hazy.jpg -o clear.png`); train a network for it.",
)


@app.command()
@takes_film
@takes(defog_steps, without=["image"])
def clear(
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Pictures, folders, zips; or a film."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The new picture, or a folder for several.")
    ] = "",
    transmission: Annotated[
        str,
        typer.Option(
            help="Save the map of what comes through too, white for all of it: a picture, or a "
            "folder for several."
        ),
    ] = "",
    every: Every = 0,
    size: Annotated[int | None, typer.Option(help=SIZE)] = None,
    overwrite: Overwrite = False,
    film: FilmFlags = NO_FILM,
    **options: Any,
) -> None:
    """Take the fog out of every IMAGE; `clear` may be left out."""
    require_named(output)
    if film.is_film(images, output):
        given = {"image": images[0], "size": size, **options}
        film.make(DefogFilmOptions, output, "clearing", every=every, overwrite=overwrite, **given)
        return
    if size is not None:
        raise OptionError("--size is for films: name one film, and a film as the output")
    settings = DefogOptions(**options)
    if transmission and _is_file(transmission):
        recipe_there(require_output(transmission), overwrite)
        if len(inputs(images)) > 1:
            raise OptionError(f"several maps cannot all become {transmission}; name a folder")
    from belamy.engines.defog.large import large_steps
    from belamy.engines.defog.remove import Defogger  # brings torch

    with share_cores(images, settings.device) as workers:
        defogger = Defogger(settings)
        work_on(
            images,
            output,
            lambda image, job: (
                _save_map(
                    defogger.steps(image), transmission, job.relative or Path(job.target.name)
                )
                if transmission or every
                else large_steps(defogger, image)
            ),
            "clearing",
            overwrite=overwrite,
            workers=workers,
        )


def _is_file(place: str) -> bool:
    return bool(Path(place).suffix) and not Path(place).is_dir()


def _save_map(steps: Iterable[Step], place: str, name: Path) -> Iterator[Step]:
    """The steps, the first of which is saved in `place` if that is named."""
    for step in steps:
        if place and step.index == 1:
            save_step(step, require_output(place if _is_file(place) else Path(place) / name))
        yield step


@app.command()
def evaluate(
    hazy: Annotated[str, typer.Argument(help="Folder or zip of hazy pictures, or one picture.")],
    clear: Annotated[str, typer.Argument(help="The same scenes without haze, of the same names.")],
    network: Annotated[str, option(evaluate_defog, "network")] = default(evaluate_defog, "network"),
    device: Annotated[str, option(evaluate_defog, "device")] = default(evaluate_defog, "device"),
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Measure PSNR and SSIM against the truth: of HAZY untouched, of dcp, and of the network."""
    metrics = evaluate_defog(hazy, clear, network=network, device=device)
    if as_json:
        typer.echo(json.dumps({"pictures": metrics.pictures, **metrics.values}))
        return
    typer.echo(f"{metrics.pictures} pictures   PSNR    SSIM")
    for name, row in metrics.values.items():
        typer.echo(f"{name:<12} {row['psnr']:6.2f}  {row['ssim']:.4f}")


# what was typed before there was --precision
Mixed = Annotated[
    bool | None,
    typer.Option("--mixed/--no-mixed", hidden=True, help="Of old: --precision auto, or float32."),
]


def _without_mixed(run_type: str, options: dict[str, Any], mixed: bool | None) -> dict[str, Any]:
    """The options with the old one by its name and value of today."""
    if mixed is None:
        return options
    current = current_options(run_type, {"mixed": mixed}, CONFIGS)
    return {**options, "precision": current["precision"]}


@app.command()
@takes(DefogTrainConfig, without=["data"], flags={"start": ["--from"]})
def train(
    context: typer.Context,
    data: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATA]...", help="Folders and zips of clear pictures."),
    ] = None,
    run: RunFolder = None,
    resume: Resumed = None,
    device: Annotated[str, option(train_defog, "device")] = default(train_defog, "device"),
    mixed: Mixed = None,
    **options: Any,
) -> None:
    """Train a network on DATA in synthetic fog; Ctrl-C saves, and --run or --resume goes on."""
    if resume is not None:
        config = resume_config(context, resume, "defog", DefogTrainConfig)
        follow(train_defog(config, resume, device=device), resume, TRAIN)
        return
    if not data:
        raise OptionError("name folders or zips of clear pictures, or a run folder with --resume")
    config = DefogTrainConfig(data=tuple(data), **_without_mixed("defog", options, mixed))
    folder = run or new_run("defog")
    follow(train_defog(config, folder, device=device), folder, TRAIN)


@app.command()
@takes(DefogAdaptConfig, without=["start"])
def adapt(
    context: typer.Context,
    start: Annotated[
        str | None, typer.Argument(metavar="[NETWORK]", help="What `belamy defog train` made.")
    ] = None,
    foggy: Annotated[list[str] | None, option(DefogAdaptConfig, "foggy")] = None,
    clear: Annotated[list[str] | None, option(DefogAdaptConfig, "clear")] = None,
    run: RunFolder = None,
    resume: Resumed = None,
    device: Annotated[str, option(adapt_defog, "device")] = default(adapt_defog, "device"),
    mixed: Mixed = None,
    **options: Any,
) -> None:
    """Train NETWORK further on real fog without its truth; Ctrl-C saves, --resume goes on."""
    if resume is not None:
        settings = resume_config(context, resume, "defog-adapt", DefogAdaptConfig)
        follow(adapt_defog(settings, resume, device=device), resume, ADAPT)
        return
    if start is None or not foggy or not clear:
        raise OptionError(
            "name the network, --foggy and --clear pictures, or a run folder with --resume"
        )
    rest = _without_mixed("defog-adapt", options, mixed)
    config = DefogAdaptConfig(start=start, foggy=tuple(foggy), clear=tuple(clear), **rest)
    folder = run or new_run("defog-adapt")
    follow(adapt_defog(config, folder, device=device), folder, ADAPT)
