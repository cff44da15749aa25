"""What belamy 0.1.0 made goes on working: pictures replay, runs resume, networks load."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from belamy.cli import app
from belamy.networks.load import load_network

MADE = Path(__file__).parent / "fixtures" / "before-0.2"
PICTURES = sorted(path.name for path in (MADE / "pictures").iterdir())
RUNS = {
    "cyclegan": ("translate", "train"),
    "dcgan": ("gan", "train"),
    "defog": ("defog", "train"),
    "pix2pix": ("translate", "train"),
    "style": ("style", "train"),
}
NETWORKS = {
    "any": "arbitrary-style",
    "dcgan": "generator",
    "eye": "backbone",
    "fog": "dehaze",
    "light": "generator",
    "style": "image-to-image",
    "translator": "image-to-image",
}
FILM_OF_A_LESSON = "depth.gif"  # replayed, it becomes its last picture, larger

# Other processors add up in another order, which a few steps make visible at most.
CLOSE = 3.0  # levels of 255, in the mean


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the old files, as the folder that one is in."""
    copy = tmp_path / "old"
    shutil.copytree(MADE, copy)
    packed = copy / "networks" / "eye.safetensors.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    monkeypatch.chdir(copy)
    return copy


def run(*words: object) -> None:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.float64)


@pytest.mark.parametrize("name", PICTURES)
def test_an_old_picture_replays(folder: Path, name: str) -> None:
    again = Path(f"again{Path(name).suffix}")
    run("replay", Path("pictures", name), "-o", again, "--trust")  # inputs are a folder above
    if again.suffix == ".mp4" or name == FILM_OF_A_LESSON:
        assert again.stat().st_size > 0
        return
    old, new = pixels(folder / "pictures" / name), pixels(folder / again)
    assert old.shape == new.shape
    assert np.abs(old - new).mean() < CLOSE


@pytest.mark.parametrize("name", PICTURES)
def test_an_old_recipe_is_told_by_today_s_names(folder: Path, name: str) -> None:
    result = CliRunner().invoke(app, ["recipe", str(Path("pictures", name))])
    assert result.exit_code == 0, result.output
    names = [line.split("  ")[0] for line in result.stdout.splitlines()]
    once = [name for name in names if name not in ("image", "content", "style", "weights", "mask")]
    assert len(once) == len(set(once)), names


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_goes_on(folder: Path, name: str) -> None:
    where = Path("runs", name)
    run(*RUNS[name], "--resume", where, "--steps", 4, "--device", "cpu")
    lines = [json.loads(line) for line in (where / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 4
    assert load_network(where).kind in ("generator", "image-to-image", "dehaze")


@pytest.mark.parametrize("name", NETWORKS)
def test_an_old_network_loads(folder: Path, name: str) -> None:
    loaded = load_network(folder / "networks" / f"{name}.safetensors")
    assert loaded.kind == NETWORKS[name]
