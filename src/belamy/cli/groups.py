"""The ways in which a group of commands here differs from typer's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

import typer
from typer.core import TyperGroup

from belamy.checks import explain_refusal
from belamy.cli.failures import PipeClosed, plain_failures, shorten
from belamy.cli.no_paths import offer_no_paths
from belamy.cli.streams import PIPE_CLOSED, silence_output
from belamy.errors import BelamyError, PictureWarning
from belamy.spelling import nearest_names

__all__ = [
    "DefaultGroup",
    "PlainGroup",
    "RootGroup",
    "collect_messages",
    "complain",
    "exit_code",
    "one_line",
    "remark",
]

FAILURE = 1
MISUSE = 2  # what click exits with when an option is unknown
_UsageError: Any = typer.BadParameter.__mro__[1]  # click's, which typer keeps to itself
_LESS_MEMORY = ("size", "tile", "batch", "upscale")  # options that take less of it when smaller

INTERRUPTED = 130  # what a shell reports for a process ended by Ctrl-C: 128 + SIGINT


class PlainGroup(TyperGroup):
    """A group whose help says what each command does in a whole sentence, however narrow it is."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, _first_paragraph(one)) for name, one in commands if one and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As usual, but with our own measure of what is near to a name that is unknown."""
        self.suggest_commands = False
        try:
            return super().resolve_command(ctx, args)
        except _UsageError as error:
            if near := nearest_names(args[0], self.list_commands(ctx)):
                words = " or ".join(map(repr, near))
                error.message = f"{error.message.rstrip('.')}; did you mean {words}?"
            raise


def _first_paragraph(command: Any) -> str:
    text: str = (command.help or "").strip()
    return " ".join(text.partition("\n\n")[0].split())


class DefaultGroup(PlainGroup):
    """A group whose first command needs no name: `classify PHOTO` beside `classify train`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        names = self.list_commands(ctx)
        asks_help = bool(args) and args[0] in ctx.help_option_names
        if args and not asks_help and args[0] not in names:
            args = [names[0], *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The options of the first command too, before a word of it is typed."""
        first = self.get_command(ctx, self.list_commands(ctx)[0])
        assert first is not None
        own = super().shell_complete(ctx, incomplete)
        known = {item.value for item in own}
        options = first.shell_complete(ctx, incomplete) if incomplete.startswith("-") else []
        return own + [item for item in options if item.value not in known]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        super().format_options(ctx, formatter)
        name = self.list_commands(ctx)[0]
        command = self.get_command(ctx, name)
        assert command is not None
        rows = [one.get_help_record(ctx) for one in command.get_params(ctx)]
        with formatter.section(f"{name.capitalize()}, whose name may be left out"):
            formatter.write_dl([row for row in rows if row is not None])


class RootGroup(PlainGroup):
    """Turns what users did wrong, and their Ctrl-C, into one line and an exit code.

    A command that was stopped and has saved what it made says so by
    `raise KeyboardInterrupt("what was made so far is in …")`.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        offer_no_paths(self)

    def make_context(self, info_name: Any, args: list[str], *rest: Any, **extra: Any) -> Any:
        with _answering():
            return super().make_context(info_name, args, *rest, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _answering(_options_for_less_memory(self, ctx)):
            return super().invoke(ctx)


@contextmanager
def _answering(smaller: Sequence[str] = ()) -> Iterator[None]:
    """Say in one line what went wrong inside, and end with the exit code for it."""
    try:
        with _warnings_as_lines(), _short_misuse(), plain_failures(smaller):
            yield
    except BelamyError as error:
        complain(str(error))
        raise typer.Exit(exit_code([error])) from error
    except KeyboardInterrupt as error:
        complain(f"stopped; {error}" if error.args else "stopped")
        raise typer.Exit(INTERRUPTED) from error
    except PipeClosed as error:
        silence_output()
        raise typer.Exit(PIPE_CLOSED) from error


def exit_code(errors: Sequence[BelamyError], count: int = 1) -> int:
    """What a command exits with whose works have failed: 2 where what was asked is wrong.

    Args:
        count: how many works there were; where some went well, or failed at work, it is 1.
    """
    return MISUSE if len(errors) == count and all(one.misuse for one in errors) else FAILURE


@contextmanager
def _short_misuse() -> Iterator[None]:
    """click's own messages, too, repeat no more than the beginning of what was typed."""
    try:
        yield
    except _UsageError as error:
        error.message = shorten(one_line(_without_jargon(error)))
        if getattr(error, "possibilities", None) is not None and error.ctx is not None:
            params = error.ctx.command.params
            flags = [flag for one in params for flag in (*one.opts, *one.secondary_opts)]
            error.possibilities = nearest_names(error.option_name, flags)
        raise


def _without_jargon(error: Any) -> str:
    """The message; where pydantic refused the value, ours of it, as options' own checks have it."""
    refused = getattr(error.__cause__, "errors", None)
    if refused is None:
        return str(error.message)
    first = refused()[0]
    if first["type"] == "value_error":  # typer's own words, which have the value in them
        return str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"it {explain_refusal(first)}"


def _options_for_less_memory(command: Any, ctx: Any) -> list[str]:
    """Those of the command that is called, as `--size`."""
    for word in (*getattr(ctx, "_protected_args", ()), *ctx.args):
        inner = getattr(command, "commands", {})
        command = inner.get(word, command)
    while inner := getattr(command, "commands", {}):  # a default group's first
        command = next(iter(inner.values()))
    names = {str(parameter.name) for parameter in command.params}
    return [f"--{name}" for name in _LESS_MEMORY if name in names]


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
                remark(str(message))
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


# Where messages are put, in a thread whose work is told of later.
_LATER: ContextVar[list[str] | None] = ContextVar("messages for later", default=None)


@contextmanager
def collect_messages() -> Iterator[list[str]]:
    """What would be remarked inside is put into a list."""
    messages: list[str] = []
    before = _LATER.set(messages)
    try:
        yield messages
    finally:
        _LATER.reset(before)


def remark(message: str) -> None:
    """Say on standard error, in yellow where there is colour, what is worth knowing."""
    later = _LATER.get()
    if later is not None:
        later.append(message)
        return
    typer.secho(f"belamy: {shorten(one_line(message))}", fg="yellow", err=True)


def complain(message: str) -> None:
    """Say on standard error, in red where there is colour, what went wrong."""
    typer.secho(f"belamy: {shorten(one_line(message))}", fg="red", err=True)


def one_line(message: str) -> str:
    """`message` on one line, without characters that could steer the terminal."""
    flat = " ".join(message.split())
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in flat
    )
