"""The command `belamy`.

Each row of `COMMANDS` is a module with an `app`: one that has a name is a group of commands
(`belamy models list`), one that has none adds its commands to the top (`belamy doctor`). None of
them imports torch before it works, so that help comes at once.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from belamy import __version__
from belamy.cli.commands import (
    classify,
    defog,
    demo,
    doctor,
    dream,
    export,
    fog,
    gan_paint,
    gan_toy,
    gan_train,
    learn,
    models,
    recipe,
    style_any,
    style_networks,
    tour,
    translate,
)
from belamy.cli.film import journeys, live
from belamy.cli.groups import INTERRUPTED, RootGroup, complain
from belamy.cli.settings import defaults, presets
from belamy.cli.settings.offer import offer_settings
from belamy.cli.signals import stoppable
from belamy.cli.streams import close_streams, open_streams
from belamy.renamed import current_flag
from belamy.studio import command as studio

__all__ = ["COMMANDS", "app", "main"]

# Several modules may add their commands to one app, as `style_networks` to that of `style`; each
# has a row, so that it is imported.
COMMANDS = (
    dream,
    journeys,
    live,
    style_networks,
    style_any,
    gan_paint,
    gan_train,
    gan_toy,
    translate,
    defog,
    fog,
    classify,
    learn,
    tour,
    studio,
    models,
    export,
    recipe,
    presets,
    defaults,
    demo,
    doctor,
)


class _Belamy(RootGroup):
    """All the commands, with what those that make pictures have in common."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        offer_settings(self)


app = typer.Typer(
    cls=_Belamy,
    no_args_is_help=True,
    # plain text: rich's columns cut the names of options, and its markup eats what is in brackets
    rich_markup_mode=None,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": current_flag,  # old spellings of options go on working
    },
    # a traceback is for us: plain, and without the values of what was being worked on
    pretty_exceptions_enable=False,
)
for group in dict.fromkeys(command.app for command in COMMANDS):
    app.add_typer(group)


def _version(given: bool) -> None:
    if given:
        typer.echo(f"belamy {__version__}")
        raise typer.Exit


@app.callback()
def belamy(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Make pictures with neural networks, and understand how."""


def main() -> None:
    """Run the command line.

    Exit code 0 is success, 1 a failure, 2 misuse, 130 Ctrl-C, 143 SIGTERM, 129 a closed terminal.
    """
    open_streams()
    with stoppable() as stop:
        code = close_streams(_run())
    sys.exit(stop.exit_code(code) if code == INTERRUPTED else code)


def _run() -> int:
    try:
        app(prog_name="belamy")
    except KeyboardInterrupt:  # before a command had begun
        complain("stopped")
        return INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
