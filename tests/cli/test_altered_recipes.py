"""A stranger's recipe: one line, nothing written but the output, no end of memory or time."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.cli import altered_recipes
from typer.testing import CliRunner

from belamy.cli import app
from belamy.engines import ENGINES

LONGEST = 60  # seconds
MOST_MEMORY = 2 << 30  # bytes


class Hang(BaseException):
    """Longer than any refusal takes."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "pictures"
    altered_recipes.make_folder(folder)
    monkeypatch.chdir(folder)

    def stop(*_: Any) -> None:
        raise Hang

    usual = signal.signal(signal.SIGALRM, stop)
    yield folder
    signal.alarm(0)
    signal.signal(signal.SIGALRM, usual)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Everything around, and when it was changed."""
    found = {}
    for path in folder.parent.rglob("*"):
        status = path.lstat()
        if path.name not in ("again.png", "made.png"):
            found[str(path)] = (status.st_size, status.st_mtime_ns if path.is_file() else 0)
    return found


def replay(folder: Path, text: bytes, *, trust: bool = False) -> tuple[int, str]:
    """The exit code and what was said last; anything but a refusal or a picture is raised."""
    altered_recipes.write_picture(folder / "made.png", text)
    signal.alarm(LONGEST)
    try:
        words = ["replay", "made.png", "-o", "again.png", *(["--trust"] if trust else [])]
        result = CliRunner().invoke(app, words)
    finally:
        signal.alarm(0)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    lines = result.stderr.splitlines()
    if result.exit_code != 0:
        assert result.exit_code == 1, result.stderr
        assert not (folder / "again.png").exists()
        assert lines[-1].startswith("belamy: "), lines
        assert len(lines[-1]) < 1500
    assert all(line.isprintable() for line in lines)
    (folder / "again.png").unlink(missing_ok=True)
    return result.exit_code, lines[-1] if lines else ""


def run_altered(folder: Path, count: int, seed: int) -> Counter[str]:
    random = Random(seed)
    bases = {name: altered_recipes.base_recipe(name, folder) for name in ENGINES}
    before = tree(folder)
    outcomes: Counter[str] = Counter()
    failed = []
    for number in range(count):
        altered = altered_recipes.alter(random, bases)
        start = time.monotonic()
        try:
            code, said = replay(folder, altered.text, trust=altered.trust)
        except (Exception, Hang) as error:
            failed.append(f"number {number}: {error!r}: {altered.text[:2000]!r}")
            continue
        outcomes["made" if code == 0 else "refused"] += 1
        if os.environ.get("SHOW_ALTERED"):
            print(f"{time.monotonic() - start:6.2f} s {code} {said[:200]}", flush=True)
    assert not failed, "\n".join(failed)
    assert tree(folder) == before  # nothing was written but the output
    return outcomes


@pytest.mark.parametrize("name", ["dream", "fog", "gan-paint", "learn-neuron", "style"])
def test_a_recipe_that_was_not_altered_is_replayed(folder: Path, name: str) -> None:
    code, said = replay(folder, json.dumps(altered_recipes.base_recipe(name, folder)).encode())
    assert code == 0, said


def test_altered_recipes(folder: Path) -> None:
    outcomes = run_altered(folder, 60, 1)
    assert outcomes["refused"] > 30


@pytest.mark.slow
def test_two_thousand_altered_recipes(folder: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # of the tests before it
    run_altered(folder, 2000, 2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_MEMORY + before
