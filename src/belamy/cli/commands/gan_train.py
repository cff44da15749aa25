"""`belamy gan train` and `belamy gan export`: generators of pictures, trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.commands.gan import app
from belamy.cli.existing import require_free
from belamy.cli.options import default, option, takes
from belamy.cli.training import Resumed, RunFolder, follow, new_run, resume_config
from belamy.engines.gan.api import GanConfig, export_gan, plan_gan, train_gan
from belamy.errors import OptionError
from belamy.objectives.adversarial import LOSSES

__all__ = ["app"]

COMMAND = "belamy gan train"


@app.command()
@takes(GanConfig, without=["data"], flags={"start": ["--from"]})
def train(
    context: typer.Context,
    data: Annotated[str | None, typer.Argument(help="Folder or zip of pictures.")] = None,
    run: RunFolder = None,
    resume: Resumed = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", "-n", help="Say what would be done, and what it would cost; do nothing."
        ),
    ] = False,
    loss: Annotated[str, option(GanConfig, "loss", metavar="|".join(LOSSES))] = default(
        GanConfig, "loss"
    ),
    device: Annotated[str, option(train_gan, "device")] = default(train_gan, "device"),
    **options: Any,
) -> None:
    """Train a network to paint what nobody has painted, from the pictures in DATA."""
    if resume is not None:
        config, folder = resume_config(context, resume, "gan", GanConfig), resume
    else:
        if data is None:
            raise OptionError("name the folder or zip of pictures, or a run folder with --resume")
        config = GanConfig(data=data, loss=loss, **options)
        folder = Path() if dry_run else run or new_run(f"gan-{Path(config.data).stem}")
    if dry_run:
        plan = plan_gan(config, device=device)
        width = max(map(len, plan))
        for name, text in plan.items():
            typer.echo(f"{name:{width}}  {text}")
        return
    follow(train_gan(config, folder, device=device), folder, COMMAND)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a run that has not ended.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file; network.safetensors in RUN if none."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is there.")
    ] = False,
) -> None:
    """Write the generator of RUN as it is at the last checkpoint, to paint with."""
    if output is not None:
        require_free(output, overwrite)
    typer.echo(export_gan(run, output))
