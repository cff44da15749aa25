"""`belamy style train` and `belamy style apply`: networks that paint in one pass."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.groups import complain
from belamy.cli.options import default, option, takes
from belamy.cli.outputs import Job, plan, save_step, share
from belamy.cli.progress import show_steps
from belamy.cli.style import app
from belamy.cli.training import follow, new_run, require_nothing_else
from belamy.engines.faststyle import StyleTrainConfig, apply_style_steps, stylist, train_style
from belamy.errors import BelamyError, OptionError

__all__ = ["app"]

COMMAND = "belamy style train"


@app.command()
@takes(apply_style_steps, without=["image", "network"])
def apply(
    network: Annotated[
        str,
        typer.Argument(help="A network that belamy trained; or a .t7, .pth or .onnx of others."),
    ],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, or folders of pictures.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The new picture, or a folder for several.")
    ] = "",
    **options: Any,
) -> None:
    """Repaint every IMAGE in the style that NETWORK has learned, in one pass."""
    if not output:
        raise OptionError("no output named; write -o new.png, or -o folder/ for several pictures")
    folders = any(image.is_dir() for image in images)
    jobs = plan(list(_pictures(images)), _as_folder(output) if folders else output)
    steps_of = stylist(network, **options)
    failed = 0
    for job in share(jobs):
        if job.done and len(jobs) > 1:
            typer.echo(f"{job.target} is there already")
            continue
        try:
            _apply(job, steps_of(job.source))
        except BelamyError as error:  # it is said, and does not hold up the others
            failed += 1
            complain(str(error))
    if failed:
        raise typer.Exit(1)


def _apply(job: Job, steps: Any) -> None:
    step, _ = show_steps(steps, f"painting {job.target.name}")
    save_step(step, job.target)
    typer.echo(job.target)


def _as_folder(output: str) -> str:
    if Path(output).suffix and not Path(output).is_dir():
        raise OptionError(f"a folder of pictures cannot become {output}; name a folder")
    return output if output.endswith(("/", os.sep)) else output + "/"


def _pictures(images: Sequence[Path]) -> Iterator[Path]:
    """The files, and the pictures in the folders, by name."""
    from belamy.pixels.encode import SUFFIXES

    for image in images:
        if not image.is_dir():
            yield image
            continue
        found = sorted(path for path in image.iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise OptionError(f"{image} has no pictures in it; name another folder")
        yield from found


@app.command()
@takes(StyleTrainConfig, without=["painting", "data"])
def train(
    painting: Annotated[
        str | None, typer.Argument(help="The picture whose style is learned.")
    ] = None,
    data: Annotated[str | None, option(StyleTrainConfig, "data")] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="The run folder, a new one in runs/ if none is given; a stopped one goes on."
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder, as it was asked for.")
    ] = None,
    device: Annotated[str, option(train_style, "device")] = default(train_style, "device"),
    **options: Any,
) -> None:
    """Train a network to paint like PAINTING; Ctrl-C saves, the same command with --run goes on."""
    if resume is not None:
        asked = {**options, "painting": painting, "data": data, "run": run}
        alone = ("painting", "data", "run")
        require_nothing_else(StyleTrainConfig, asked, alone, {"painting": "PAINTING"})
        config, folder = _saved(resume), resume
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


def _saved(folder: Path) -> StyleTrainConfig:
    from belamy.training.runs import Run

    return Run(folder).configuration("style", StyleTrainConfig)
