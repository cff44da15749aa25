"""`belamy defog`: fog taken out of pictures, how well, and how a network learns it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy.cli.groups import DefaultGroup
from belamy.cli.options import default, option, takes
from belamy.cli.outputs import require_output, save_step
from belamy.cli.pictures import work_on
from belamy.cli.training import follow, new_run, require_nothing_else
from belamy.engines.defog import (
    DefogTrainConfig,
    defog_steps,
    defogger,
    evaluate_defog,
    train_defog,
)
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.steps import Step

__all__ = ["app"]

COMMAND = "belamy defog train"

app = typer.Typer(
    name="defog",
    cls=DefaultGroup,
    no_args_is_help=True,
    help="Take fog out of pictures (`belamy defog hazy.jpg -o clear.png`); train a network for it.",
)


@app.command()
@takes(defog_steps, without=["image"])
def clear(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, folders or zips of them.")
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
    **options: Any,
) -> None:
    """Take the fog out of every IMAGE; `clear` may be left out."""
    steps_of = defogger(**options)
    several = len(images) > 1 or output.endswith("/") or any(not one.suffix for one in images)
    if transmission and not several:
        require_output(transmission)
    work_on(
        images,
        output,
        lambda image, job: _with_map(steps_of(image), transmission, job.target.name),
        "clearing",
    )


def _with_map(steps: Iterable[Step], place: str, name: str) -> Iterator[Step]:
    """The steps, the first of which is saved in `place` if that is named."""
    for step in steps:
        if place and step.index == 1:
            target = Path(place)
            folder = target.is_dir() or not target.suffix or place.endswith("/")
            target = target / name if folder else target
            save_step(step, require_output(target))
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
    found = evaluate_defog(hazy, clear, network=network, device=device)
    if as_json:
        typer.echo(json.dumps({"pictures": found.pictures, **found.measures}))
        return
    typer.echo(f"{found.pictures} pictures   PSNR    SSIM")
    for name, row in found.measures.items():
        typer.echo(f"{name:<12} {row['psnr']:6.2f}  {row['ssim']:.4f}")


@app.command()
@takes(DefogTrainConfig, without=["data"])
def train(
    data: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATA]...", help="Folders and zips of clear pictures."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="The run folder, a new one in runs/ if none is given; a stopped one goes on."
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder, as it was asked for.")
    ] = None,
    device: Annotated[str, option(train_defog, "device")] = default(train_defog, "device"),
    **options: Any,
) -> None:
    """Train a network on DATA in fog made up; Ctrl-C saves, the same command with --run goes on."""
    if resume is not None:
        asked = {**options, "data": data or None, "run": run}
        require_nothing_else(DefogTrainConfig, asked, ("data", "run"), {"data": "DATA"})
        follow(train_defog(_saved(resume), resume, device=device), resume, COMMAND)
        return
    if not data:
        raise OptionError("name folders or zips of clear pictures, or a run folder with --resume")
    config = DefogTrainConfig(data=tuple(data), **options)
    folder = run or new_run("defog")
    follow(train_defog(config, folder, device=device), folder, COMMAND)


def _saved(folder: Path) -> DefogTrainConfig:
    from belamy.training.runs import Run

    return Run(folder).configuration("defog", DefogTrainConfig)
