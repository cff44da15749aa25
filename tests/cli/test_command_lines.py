"""Whatever is typed: a line of error, exit code 1 or 2, nothing left, no end of memory or time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from belamy.cli import app

FAST, MANY = 70, 1200


def outcomes(folder: Path, first: int, count: int) -> Iterator[dict[str, Any]]:
    """Those of `run_command_lines.py`, which copies a process in which nothing ran before."""
    script = Path(__file__).with_name("run_command_lines.py")
    words = [sys.executable, str(script), str(folder / "lines"), str(first), str(count)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    yield from map(json.loads, done.stdout.splitlines())


def check(folder: Path, first: int, count: int) -> Counter[Any]:
    """How many lines ended with each exit code; none has a fault."""
    found = list(outcomes(folder, first, count))
    faults = [f"{one['number']} {one['words']}: {one['faults']}" for one in found if one["faults"]]
    assert not faults, "\n".join(line[:2000] for line in faults)
    assert len(found) == count
    assert [one["code"] for one in found if one["kind"] == "valid"].count(0) > count // 12
    return Counter(one["code"] for one in found)


def test_command_lines(tmp_path: Path) -> None:
    codes = check(tmp_path, 0, FAST)
    assert codes[1] + codes[2] > FAST // 2


@pytest.mark.slow
def test_twelve_hundred_command_lines(tmp_path: Path) -> None:
    codes = check(tmp_path, 0, MANY)
    assert codes[1] + codes[2] > MANY // 2


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("photo.png", "other.png", "own.gif", "own.png"):
        Image.linear_gradient("L").resize((40, 32)).save(name)
    for name in ("own.json", "own.html", "own.safetensors"):
        Path(name).write_text("somebody's")
    return tmp_path


def last_line(*words: str, code: int = 2) -> str:
    result = CliRunner().invoke(app, list(words))
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code
    return result.stderr.splitlines()[-1]


STYLE = "style photo.png other.png -o new.png --size 32 --iterations 1,1 --min-size 32"


@pytest.mark.parametrize(
    ("line", "own"),
    [
        (f"{STYLE} --trace", "own.json"),
        ("gan paint -n 1 -o new.png --save-latents", "own.safetensors"),
        ("gan project photo.png --steps 1 -o new.png --video", "own.gif"),
        ("translate apply impressionism photo.png -o new.png --gallery", "own.html"),
        ("defog photo.png -o new.png --method dcp --transmission", "own.png"),
        ("models atlas iris --layer mixed3a --channels 1 --size 32 --steps 1 -o", "own.png"),
    ],
)
def test_what_is_saved_beside_a_picture_replaces_nobodys_file(
    folder: Path, line: str, own: str
) -> None:
    before = Path(own).read_bytes()
    assert "left as it is" in last_line(*line.split(), own)
    assert Path(own).read_bytes() == before
    assert not Path("new.png").exists()
    result = CliRunner().invoke(app, [*line.split(), own, "--overwrite"])
    assert result.exit_code == 0, result.output
    assert Path(own).read_bytes() != before
    Path("new.png").unlink(missing_ok=True)
    result = CliRunner().invoke(app, [*line.split(), own])  # its own it may replace
    assert result.exit_code == 0, result.output


def test_links_in_a_circle(folder: Path) -> None:
    Path("loop.png").symlink_to("loop.png")
    words = ("style", "apply", "starry-night", "loop.png", "-o", "new.png")
    assert "loop.png" in last_line(*words, code=1)
    assert "loop.png" in last_line("fog", "loop.png", "-o", "new/", code=1)


def test_nobodys_home(folder: Path) -> None:
    said = last_line("fog", "~nobody9/a.png", "-o", "new.png")
    assert "~nobody9/a.png" in said
    for line in ("gan paint ~nobody9 -o new.png", "classify photo.png --model ~nobody9"):
        assert "~nobody9" in last_line(*line.split())
    words = ("models", "import", "squeezenet1_1", "~nobody9/w.pth", "--classes", "~nobody9")
    assert "~nobody9" in last_line(*words)


def test_a_size_without_end(folder: Path) -> None:
    for size in ("9" * 400, "100000", "-1"):
        line = ("translate", "evaluate", "impressionism", ".", ".", "--size", size)
        assert "must be from 16 to 1024 pixels" in last_line(*line)


def test_no_lock_is_left_in_somebodys_folder(folder: Path) -> None:
    for place in (".", ""):
        (folder / "pictures").mkdir(exist_ok=True)
        for number in range(8):
            Image.new("RGB", (32, 32), (number * 30, 0, 9)).save(f"pictures/{number}.png")
        before = sorted(folder.rglob("*"))
        words = ("gan", "train", "pictures", "--size", "16", "--steps", "1", "--run", place)
        assert "is not empty" in last_line(*words, code=1)
        assert sorted(folder.rglob("*")) == before
