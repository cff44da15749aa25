"""What the README and docs/ show works: marked blocks run, commands and options are there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from belamy.cli import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNS = "<!-- runs -->\n"
TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)
BLOCKS = re.findall(rf"({re.escape(RUNS)})?```sh\n(.*?)```", TEXT, re.DOTALL)
LINES = sorted(
    {line for _, block in BLOCKS for line in block.splitlines() if line.startswith("belamy ")}
)


@pytest.mark.parametrize("block", [block for marked, block in BLOCKS if marked])
def test_marked_blocks_run(block: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "XDG_CACHE_HOME": str(tmp_path),
    }
    for line in block.splitlines():
        words = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout


@pytest.mark.parametrize("line", LINES)
def test_every_command_and_option_is_there(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        command = next(iter(command.commands.values()))  # a default command, as in `classify PHOTO`
    known = {typed for parameter in command.params for typed in parameter.opts}
    assert {word for word in words if re.match(r"-[-a-z]", word)} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
