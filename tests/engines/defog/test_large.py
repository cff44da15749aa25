"""Large pictures, worked on in strips: what comes out is what the whole picture would give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from belamy.engines.defog import large
from belamy.engines.defog.options import DefogOptions
from belamy.engines.defog.remove import Defogger
from belamy.pixels.images import save_image
from belamy.pixels.recipe import read_recipe


def hazy(height: int, width: int) -> Tensor:
    """A picture with structure at every scale, in fog that is denser above."""
    rng = torch.Generator().manual_seed(0)
    image = torch.zeros(1, 3, height, width)
    for side in (4, 32, 128):
        noise = torch.rand(1, 3, side, side, generator=rng)
        image += F.interpolate(noise, (height, width), mode="bilinear") / 3
    through = torch.linspace(0.35, 0.9, height)[:, None]
    return image * through + 0.85 * (1 - through)


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture is large, and has several strips."""
    monkeypatch.setattr(large, "LARGE", 1)
    monkeypatch.setattr(large, "_STRIP", 40_000)
    monkeypatch.setattr(large, "_BAND", 30)


@pytest.mark.parametrize(("height", "width"), [(640, 803), (811, 610)])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_strips_give_what_the_whole_gives(
    height: int, width: int, suffix: str, tmp_path: Path, small_bounds: None
) -> None:
    path = tmp_path / f"hazy.{suffix}"
    save_image(hazy(height, width), path)
    defogger = Defogger(DefogOptions())
    expected = np.asarray(defogger(path).pil).astype(int)
    *_, last = large.large_steps(defogger, path)
    assert last.whole is not None
    found = np.asarray(last.whole).astype(int)
    with Image.open(path) as picture:
        assert np.abs(expected - np.asarray(picture).astype(int)).mean() > 8  # fog has gone
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 0.001


def test_recipes_are_the_same(tmp_path: Path, small_bounds: None) -> None:
    save_image(hazy(300, 400), tmp_path / "hazy.png")
    defogger = Defogger(DefogOptions())
    *_, last = large.large_steps(defogger, tmp_path / "hazy.png")
    assert last.recipe == defogger(tmp_path / "hazy.png").recipe


@pytest.mark.parametrize("kind", ["grey", "transparent", "array", "compared"])
def test_others_are_left_to_the_usual_way(kind: str, tmp_path: Path, small_bounds: None) -> None:
    image, path = hazy(100, 120), tmp_path / "hazy.png"
    alpha = torch.full((1, 1, 100, 120), 0.5) if kind == "transparent" else None
    save_image(image, path, alpha=alpha)
    if kind == "grey":
        with Image.open(path) as picture:
            grey = picture.convert("L")
        grey.save(path)
    defogger = Defogger(DefogOptions(compare=kind == "compared"))
    *_, last = large.large_steps(defogger, image if kind == "array" else path)
    assert last.whole is None
    assert torch.equal(last.image, defogger(image if kind == "array" else path).image)


def test_the_command_saves_the_whole(tmp_path: Path, small_bounds: None) -> None:
    from typer.testing import CliRunner

    from belamy.cli import app

    save_image(hazy(640, 803), tmp_path / "hazy.jpg")
    made = tmp_path / "clear.png"
    found = CliRunner().invoke(app, ["defog", str(tmp_path / "hazy.jpg"), "-o", str(made)])
    assert found.exit_code == 0, found.output
    with Image.open(made) as picture:
        assert picture.size == (803, 640)
    recipe = read_recipe(made)
    assert recipe is not None
    assert recipe.engine == "defog"
