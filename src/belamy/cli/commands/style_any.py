"""`belamy style train-any`: a network that paints in any style in one pass."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from belamy.cli.commands.style import app
from belamy.cli.options import default, option, takes
from belamy.cli.training import Resumed, RunFolder, follow, new_run, resume_config
from belamy.engines.anystyle.api import AnyStyleConfig, train_any_style
from belamy.errors import OptionError

__all__ = ["app"]

COMMAND = "belamy style train-any"


@app.command()
@takes(AnyStyleConfig, without=["paintings", "data"])
def train_any(
    context: typer.Context,
    paintings: Annotated[
        str | None, typer.Argument(help="Folder or zip of paintings, the styles to learn from.")
    ] = None,
    data: Annotated[str | None, option(AnyStyleConfig, "data")] = None,
    run: RunFolder = None,
    resume: Resumed = None,
    device: Annotated[str, option(train_any_style, "device")] = default(train_any_style, "device"),
    **options: Any,
) -> None:
    """Train a network to paint in any style; Ctrl-C saves, the same command with --run goes on."""
    if resume is not None:
        config = resume_config(context, resume, "any-style", AnyStyleConfig)
        follow(train_any_style(config, resume, device=device), resume, COMMAND)
        return
    if paintings is None or data is None:
        raise OptionError(
            "name the PAINTINGS and the photographs to practise on with --data, or a run folder "
            "with --resume"
        )
    config = AnyStyleConfig(paintings=paintings, data=data, **options)
    folder = run or new_run("any-style")
    follow(train_any_style(config, folder, device=device), folder, COMMAND)
