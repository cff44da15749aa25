"""Three ways in which a group of commands here differs from typer's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import typer
from typer.core import TyperGroup

from belamy.errors import BelamyError, OptionError, PictureWarning, UnknownName

__all__ = ["DefaultGroup", "RootGroup", "StrictGroup", "complain", "one_line"]

MISUSE = 2  # what click exits with when an option is unknown
INTERRUPTED = 130  # what a shell reports for a process ended by Ctrl-C: 128 + SIGINT


class DefaultGroup(TyperGroup):
    """A group whose first command needs no name: `classify PHOTO` beside `classify train`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        names = self.list_commands(ctx)
        asks_help = bool(args) and args[0] in ctx.help_option_names
        if args and not asks_help and args[0] not in names:
            args = [names[0], *args]
        return super().parse_args(ctx, args)


class StrictGroup(TyperGroup):
    """A value that an option cannot have is misuse, as an unknown option is, and exits as that."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (OptionError, UnknownName) as error:
            complain(str(error))
            raise typer.Exit(MISUSE) from error


class RootGroup(TyperGroup):
    """Turns what users did wrong, and their Ctrl-C, into one line and an exit code.

    A command that was stopped and has saved what it made says so by
    `raise KeyboardInterrupt("what was made so far is in …")`.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            with _warnings_as_lines():
                return super().invoke(ctx)
        except BelamyError as error:
            complain(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            complain(f"stopped; {error}" if error.args else "stopped")
            raise typer.Exit(INTERRUPTED) from error


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show each `PictureWarning` as one line on standard error; leave other warnings alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", PictureWarning)
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, PictureWarning):
                typer.secho(f"belamy: {one_line(str(message))}", fg="yellow", err=True)
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def complain(message: str) -> None:
    """Say on standard error, in red where there is colour, what went wrong."""
    typer.secho(f"belamy: {one_line(message)}", fg="red", err=True)


def one_line(message: str) -> str:
    """`message` on one line, without characters that could steer the terminal."""
    flat = " ".join(message.split())
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in flat
    )
