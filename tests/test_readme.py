"""What the README and docs/ show works: marked blocks run, commands and options are there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from belamy.cli import app
from belamy.cli.groups import DefaultGroup
from belamy.errors import BelamyError

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNS = "<!-- runs -->\n"
TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)
BLOCKS = re.findall(rf"({re.escape(RUNS)})?```sh\n(.*?)```", TEXT, re.DOTALL)
LINES = sorted(
    {
        line.removeprefix(".venv/bin/")
        for _, block in BLOCKS
        for line in block.splitlines()
        if line.removeprefix(".venv/bin/").startswith("belamy ")
    }
)
SEVERAL = re.findall(r"^torchrun .*", TEXT, re.MULTILINE)
INLINE = sorted(set(re.findall(r"`(belamy [a-z][^`]*)`", TEXT)))


def context_of(words: list[str]) -> Any:
    """The innermost command that the words name, its arguments and options read; nothing runs."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("belamy", list(words))
    while hasattr(context.command, "commands"):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        name, command, others = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, others, parent=context)
    return context


def understand(words: list[str]) -> None:
    """Raises UsageError unless the command line takes the words."""
    try:
        context_of(words)
    except (typer.Exit, NoArgsIsHelpError):
        assert {"--version", "--help"} & set(words)
    except BelamyError:  # settings are read with the line, of a picture that is not here
        if not {"--like", "--preset"} & set(words):
            raise


def run_in(folder: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    """A program of this environment, with its caches in the folder too."""
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": str(folder)}
    return subprocess.run(
        words, cwd=folder, env=os.environ | own, capture_output=True, text=True, check=False
    )


def write_pictures(place: Path) -> None:
    """A few pictures of noise, in a folder or a zip."""
    folder = place.with_suffix("")
    folder.mkdir()
    for index in range(8):
        noise = np.random.default_rng(index).integers(0, 255, (64, 64, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{index}.png")
    if place.suffix == ".zip":
        shutil.make_archive(str(folder), "zip", folder)


@pytest.mark.parametrize("block", [block for marked, block in BLOCKS if marked])
def test_marked_blocks_run(block: str, tmp_path: Path) -> None:
    for line in block.splitlines():
        words = [sys.executable, "-m", *shlex.split(line)]
        done = run_in(tmp_path, words)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout


@pytest.mark.parametrize("line", LINES)
def test_every_line_is_understood_as_it_is_typed(line: str) -> None:
    understand(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize("line", INLINE)
def test_every_command_and_option_in_the_text_is_there(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = line.split()[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if isinstance(command, DefaultGroup) and words:
        command = next(iter(command.commands.values()))  # a default command, as in `classify PHOTO`
    known = {"--help", *(typed for parameter in command.params for typed in parameter.opts)}
    assert {word for word in words if re.match(r"-[-a-z]", word)} <= known


@pytest.mark.parametrize("wrong", ["--no-such-flag", "--device nowhere --octaves many", "--seed"])
def test_a_line_that_is_wrong_is_not_understood(wrong: str) -> None:
    with pytest.raises(UsageError):
        understand(["dream", "photo.jpg", "-o", "dream.png", *wrong.split()])


@pytest.mark.parametrize("line", SEVERAL)
def test_torchrun_understands_its_lines(line: str) -> None:
    from torch.distributed.run import get_args_parser

    parsed = get_args_parser().parse_args(shlex.split(line)[1:])
    assert (parsed.nproc_per_node, parsed.module, parsed.training_script) == ("2", True, "belamy")
    understand([word for word in parsed.training_script_args if word != "--"])


@pytest.mark.slow  # 15 s each: torch is loaded three times
@pytest.mark.parametrize("line", SEVERAL)
def test_torchrun_runs_its_lines(line: str, tmp_path: Path) -> None:
    words = shlex.split(line)
    run = tmp_path / words[words.index("--run") + 1]
    for word in words:  # what the line reads is made
        if word.endswith(("/", ".zip")):
            write_pictures(tmp_path / word)
    few = ["--steps", "2", "--size", "64", "--batch", "2", "--device", "cpu"]
    narrow = ["--blocks", "1", "--channels", "4"] if "translate" in words else ["--evaluate", "0"]
    known = {
        typed
        for one in context_of(words[words.index("--") + 1 :]).command.params
        for typed in one.opts
    }
    extra = [*few, *narrow]
    extra = [
        word
        for flag, value in zip(extra[::2], extra[1::2], strict=True)
        for word in (flag, value)
        if flag in known
    ]
    program = [sys.executable, "-m", "torch.distributed.run", *words[1:], *extra]
    done = run_in(tmp_path, program)
    assert done.returncode == 0, done.stderr
    assert (run / "network.safetensors").is_file()


@pytest.mark.parametrize(
    "page",
    [*PAGES, *(ROOT / "src" / "belamy" / "weights").glob("*.md")],
    ids=lambda page: page.name,
)
def test_files_that_are_named_are_there(page: Path) -> None:
    """In pages and in the cards of networks: code moves."""
    named = re.findall(
        r"`((?:src|scripts|recipes|benchmarks|tests|engines)/[\w./-]+)`", page.read_text()
    )
    roots = (ROOT, ROOT / "src" / "belamy")
    assert [x for x in named if not any((root / x).exists() for root in roots)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
