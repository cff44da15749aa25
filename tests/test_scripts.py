"""scripts/curves draws what a log says, and what was measured beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from belamy.pixels.images import load_image

pytest.importorskip("matplotlib")
ROOT = Path(__file__).parent.parent


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    records = [
        {"step": step, "generator": 1 + 1 / step, "discriminator": 0.5, "seconds": step}
        | ({"novelty": 0.9} if step % 5 == 0 else {})
        for step in range(1, 41)
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in records))
    return folder


def drawn(*arguments: str | Path) -> None:
    command = [sys.executable, ROOT / "scripts" / "curves", *arguments]
    places = os.pathsep.join(sys.path)
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": places},
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_the_curves_of_a_run(run: Path, tmp_path: Path) -> None:
    plain, measured = tmp_path / "plain.png", tmp_path / "measured.png"
    drawn(run, plain)
    drawn(run, measured, "--frechet", "20:7.5", "40:5.25")
    one, other = load_image(plain), load_image(measured)
    assert one.shape == (1, 3, 290, 1040)  # losses, and samples
    assert other.shape == (1, 3, 580, 1040)  # the distances have a panel of their own
    assert float((other[..., 290:, :520] < 0.5).float().mean()) > 0.003  # and are in it
