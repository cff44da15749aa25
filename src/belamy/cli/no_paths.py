"""`--no-paths`, on every command that writes a picture."""

from __future__ import annotations

import functools
from typing import Annotated, Any

import typer

from belamy.cli.options import make_parameters

__all__ = ["offer_no_paths"]

_OUTPUTS = ("output", "folder")  # parameters that name where pictures go
_NO_PICTURES = ("export",)  # commands that write other things there


def offer_no_paths(group: Any) -> None:
    """Give `--no-paths` to each command that makes pictures, in a group and the groups in it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            offer_no_paths(command)
        elif name not in _NO_PICTURES and any(one.name in _OUTPUTS for one in command.params):
            command.params.append(_option())


def _hide(context: typer.Context, given: bool) -> None:
    if given:
        from belamy.pixels.recipe import hiding_paths

        context.with_resource(hiding_paths())


@functools.cache
def _option() -> Any:
    """As typer makes it for a command of its own; all commands share it."""

    def command(
        no_paths: Annotated[
            bool,
            typer.Option(
                "--no-paths",
                callback=_hide,
                expose_value=False,
                help="Write the names of files into recipes, without their folders, in which "
                "people's names may be; always so where the environment has BELAMY_NO_PATHS=1.",
            ),
        ] = False,
    ) -> None:
        """Hold the option."""

    return make_parameters(command)[0]
