"""`belamy export`: networks written for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from belamy.cli.existing import require_free
from belamy.cli.options import default, option
from belamy.cli.shell.completion import every_network
from belamy.export import export as write

__all__ = ["app"]

app = typer.Typer()


@app.command()
def export(
    network: Annotated[
        str,
        typer.Argument(
            help="A network that repaints, classifies, paints or defogs: a name, a file, a run.",
            autocompletion=every_network,
        ),
    ],
    output: Annotated[Path, option(write, "output", "--output", "-o")],
    direction: Annotated[str | None, option(write, "direction")] = default(write, "direction"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is there.")
    ] = False,
) -> None:
    """Write NETWORK as ONNX; `belamy style apply` runs one that repaints, too."""
    require_free(output, overwrite)
    write(network, output, direction=direction)
    typer.echo(output)
