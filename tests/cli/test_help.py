"""Help is whole: on narrow terminals, with brackets in it, of a command that needs no name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from belamy.cli import app


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def help_of(path: tuple[str, ...], width: int) -> str:
    command = COMMANDS[path]
    context = command.make_context("belamy", [], resilient_parsing=True, terminal_width=width)
    text: str = command.get_help(context)
    return text


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_name_and_no_metavar_is_cut(path: tuple[str, ...], width: int) -> None:
    text = help_of(path, width)
    long = [line for line in text.splitlines() if len(line) > width]
    assert [line for line in long if len(line.split()) > 2] == []  # a name and its metavar
    context = COMMANDS[path].make_context("belamy", [], resilient_parsing=True)
    flat = " ".join(text.split())
    for parameter in COMMANDS[path].get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            names, says = record
            assert " ".join(names.split()) in flat
            # a word that is longer than its column goes on in the next line
            assert "".join(says.split())[:200] in "".join(flat.split())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("gan", "walk"), "webm (with [video])"),
        (("style",), "--content-weight"),  # of `style paint`, whose name may be left out
        (("defog",), "--transmission"),
        (("classify",), "--top"),
        (("style", "paint"), "--pooling max|average|l2"),  # and --average is an old flag
        (("style",), "Paint CONTENT in the manner of each STYLE, by steps or --fast"),
    ],
)
def test_what_used_to_be_missing(path: tuple[str, ...], words: str) -> None:
    assert words in " ".join(help_of(path, 80).split())
