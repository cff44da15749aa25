"""The command itself: help for everything, at once and without torch; errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import belamy
from belamy import cli
from belamy.cli.groups import DefaultGroup, RootGroup, one_line
from belamy.cli.options import REQUIRED, arguments_of
from belamy.errors import OptionError

WHOLE = typer.main.get_command(cli.app)


def commands(command: Any = WHOLE, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group of commands."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


PATHS = list(commands())


def named(path: tuple[str, ...]) -> Any:
    command = WHOLE
    for name in path:
        command = command.commands[name]
    return command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments), env={"COLUMNS": "100"})


def python(code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_everything_has_help(path: tuple[str, ...]) -> None:
    command = named(path)
    assert command.help
    assert command.help.strip().endswith((".", ")"))
    for parameter in command.params:
        assert parameter.help, f"{' '.join(path)}: {parameter.name} has no help"
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.output


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_options_are_kebab_case(path: tuple[str, ...]) -> None:
    for parameter in named(path).params:
        for typed in (*parameter.opts, *parameter.secondary_opts):
            assert typed == typed.lower() or len(typed) == 2, typed
            assert "_" not in typed or not typed.startswith("-"), typed


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_an_unknown_option_is_misuse(path: tuple[str, ...]) -> None:
    # What is saved as a preset are another command's options, which come behind its name.
    words = ("mine", "dream") if path == ("preset", "save") else ()
    result = run(*path, *words, "--no-such-option")
    assert result.exit_code == 2
    assert "--no-such-option" in result.stderr


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_defaults_and_texts_are_those_of_the_engine(path: tuple[str, ...]) -> None:
    command = named(path)
    function = getattr(command.callback, "__takes__", None)
    if function is None:  # it takes no engine's arguments
        return
    arguments = arguments_of(function)
    for parameter in command.params:
        argument = arguments.get(parameter.name)
        if argument is None or argument.default is REQUIRED:  # the command's own
            continue
        # None leaves it to the engine
        assert parameter.default in (None, as_typer_has_it(argument.default)), parameter.name
        assert parameter.help.replace("\\[", "[") == argument.help, parameter.name


def as_typer_has_it(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_no_help_imports_torch() -> None:
    result = python(f"""
import sys
from typer.testing import CliRunner
from belamy.cli import app
for path in {PATHS!r}:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0, result.output
    assert "torch" not in sys.modules, path
""")
    assert result.returncode == 0, result.stderr


def test_the_module_is_the_command() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "belamy", "--version"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, f"belamy {belamy.__version__}\n")


def test_without_a_command_comes_help() -> None:
    assert "doctor" in run().output


def test_a_misspelt_command_is_misuse_with_a_hint() -> None:
    result = run("docter")
    assert result.exit_code == 2
    assert "did you mean 'doctor'?" in result.stderr
    assert "did you mean" not in run("nope").stderr


@pytest.mark.parametrize(
    ("typed", "said"), [("--octavs", "(Possible options: --octaves)"), ("--nope", "option: --nope")]
)
def test_a_misspelt_option_is_misuse_with_a_hint(typed: str, said: str) -> None:
    result = run("dream", "x.png", typed, "3")
    assert result.exit_code == 2
    assert said in result.stderr
    assert ("Possible" in result.stderr) == ("Possible" in said)


@pytest.fixture
def app() -> typer.Typer:
    """A command line that fails in every way."""
    app = typer.Typer(cls=RootGroup, pretty_exceptions_enable=False)
    failures = {
        "wrong": OptionError("size is -1;\nit must be\x1b[31m positive"),
        "stop": KeyboardInterrupt(),
        "saved": KeyboardInterrupt("what was made so far is in a.png"),
        "bug": ZeroDivisionError("ours"),
    }

    @app.command()
    def fail(how: str) -> None:
        raise failures[how]

    @app.command()
    def other() -> None: ...

    return app


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ("wrong", 2, "belamy: size is -1; it must be�[31m positive\n"),
        ("stop", 130, "belamy: stopped\n"),
        ("saved", 130, "belamy: stopped; what was made so far is in a.png\n"),
    ],
)
def test_what_a_user_does_is_answered_in_one_line(
    app: typer.Typer, how: str, code: int, said: str
) -> None:
    result = CliRunner().invoke(app, ["fail", how])
    assert (result.exit_code, result.stderr, result.stdout) == (code, said, "")


def test_the_line_is_red(app: typer.Typer) -> None:
    assert CliRunner().invoke(app, ["fail", "wrong"], color=True).stderr.startswith("\x1b[31m")


def test_a_bug_of_ours_shows_its_traceback(app: typer.Typer) -> None:
    assert isinstance(CliRunner().invoke(app, ["fail", "bug"]).exception, ZeroDivisionError)


def test_a_traceback_is_plain_and_keeps_values_to_itself() -> None:
    result = python("""
import sys
from belamy import cli
from belamy.cli import doctor
def broken():
    secret = "in a local variable"
    raise ZeroDivisionError("ours")
doctor._examination = broken
sys.argv = ["belamy", "doctor"]
cli.main()
""")
    assert result.returncode == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert "in a local variable" not in result.stderr.replace('secret = "in a local variable"', "")
    assert "╭" not in result.stderr


def test_ctrl_c_before_a_command_has_begun() -> None:
    result = python("""
from belamy import cli
def interrupted(**settings):
    raise KeyboardInterrupt
cli.app = interrupted
cli.main()
""")
    assert (result.returncode, result.stderr) == (130, "belamy: stopped\n")


def test_one_line_keeps_what_can_be_printed() -> None:
    assert one_line("naïve “text”\n\tof two") == "naïve “text” of two"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["photo.jpg"], "ask photo.jpg 5"),
        (["--top", "3", "photo.jpg"], "ask photo.jpg 3"),
        (["ask", "photo.jpg"], "ask photo.jpg 5"),
        (["train", "folder"], "train folder"),
    ],
)
def test_the_first_command_of_a_default_group_needs_no_name(
    typed: list[str], expected: str
) -> None:
    app = typer.Typer(cls=DefaultGroup)

    @app.command()
    def ask(image: str, top: int = 5) -> None:
        typer.echo(f"ask {image} {top}")

    @app.command()
    def train(data: str) -> None:
        typer.echo(f"train {data}")

    assert CliRunner().invoke(app, typed).output.strip() == expected
    assert "train" in CliRunner().invoke(app, ["--help"]).output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("recipe x.png --as yaml", "--as': 'yaml' is not one of 'table', 'command',"),
        ("dream x.png --octaves x", "--octaves': it is 'x'; it must be a whole number"),
        ("dream x.png --strength x", "--strength': it is 'x'; it must be a number"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_in_our_words(line: str, said: str) -> None:
    result = run(*line.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Value error" not in result.stderr
