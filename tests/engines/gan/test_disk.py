"""A disk that is full, in earnest: the system lets no file grow beyond a limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from belamy.engines.gan.api import GanConfig, train_gan
from belamy.training.run_folder import Run

pytest.importorskip("resource")
LIMIT = 20_000  # bytes; a checkpoint has more, a log, a sample and a configuration have less
COMMANDS = """
import json, resource, sys
from typer.testing import CliRunner
from belamy.cli import app

resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, resource.RLIM_INFINITY))
for command in json.loads(sys.argv[1]):
    result = CliRunner().invoke(app, command)
    print(json.dumps([result.exit_code, result.output]))
""".replace("MOST", str(LIMIT))


def on_a_full_disk(*commands: list[str | Path]) -> list[tuple[int, str]]:
    """Exit codes, and the last line of what was said."""
    asked = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, asked],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return [(code, text.splitlines()[-1]) for code, text in results]


@pytest.fixture
def run(coloured: Callable[..., Path], tmp_path: Path) -> Path:
    """A run that was stopped after three of its six steps."""
    data = str(coloured("red", "blue"))
    config = GanConfig(data=data, size=16, enlarge=True, width=0.1, steps=6, batch=4)
    stream = train_gan(config, tmp_path / "run", device="cpu")
    while next(stream).step < 3:
        pass
    stream.close()  # type: ignore[attr-defined]
    return tmp_path / "run"


def test_the_checkpoint_before_stands(run: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (run / "checkpoints").iterdir()}
    config = Run(run).load_config("gan", GanConfig)
    small = ["--size", "16", "--enlarge", "--width", "0.1", "--steps", "2", "--batch", "4"]
    resumed, first = on_a_full_disk(
        ["gan", "train", "--resume", run, "--device", "cpu"],
        ["gan", "train", config.data, *small, "--device", "cpu", "--run", tmp_path / "new"],
    )
    for code, said in (resumed, first):
        assert code == 1
        assert said.startswith("belamy: cannot write ")
        assert said.endswith("make room, then resume the run")
    assert "; the checkpoint before it stands: " in resumed[1]
    assert "stands" not in first[1]  # there is none before it
    assert not list(tmp_path.rglob("*.part*"))
    assert {path: path.read_bytes() for path in (run / "checkpoints").iterdir()} == before
    assert [tick.step for tick in train_gan(config, run, device="cpu")] == [3, 4, 5, 6]


def test_pictures_that_cannot_be_written(painters: Callable[..., Path], tmp_path: Path) -> None:
    painter = painters()
    sheet, film, latents = (tmp_path / name for name in ("a.png", "b.gif", "l.safetensors"))
    results = on_a_full_disk(
        ["gan", "paint", painter, "-n", "4", "--upscale", "5", "-o", sheet],
        ["gan", "walk", painter, "--seconds", "0.5", "--upscale", "8", "-o", film],
        ["gan", "paint", painter, "-n", "40", "-o", f"{tmp_path}/", "--save-latents", latents],
    )
    for code, said in results:
        assert code == 1
        assert said.startswith("belamy: cannot write ")
        assert said.endswith("; choose another place")
    assert not any(path.exists() for path in (sheet, film, latents))
    assert not list(tmp_path.rglob("*.part*"))
