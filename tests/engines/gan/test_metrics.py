"""A painter measured beside true pictures: itself is best, copies are caught, few are refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.engines.gan.api import gan_evaluate_steps
from belamy.engines.gan.sample_api import gan_paint_steps
from belamy.errors import DataError, OptionError
from belamy.pixels.images import save_image
from belamy.steps import Step

Painters = Callable[..., Path]


def written(path: Path, images: list[Tensor]) -> str:
    picture = path.with_suffix(".png")
    with zipfile.ZipFile(path, "w") as archive:
        for index, image in enumerate(images):
            save_image(image, picture)
            archive.write(picture, f"{index:04}.png")
    return str(path)


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory, painters: Painters) -> tuple[str, str]:
    """A painter, and 80 of its pictures (of another seed) as a data set."""
    painter = str(painters())
    steps = gan_paint_steps(painter, count=80, seed=99, truncation=1.0, sheet=False)
    path = tmp_path_factory.mktemp("true") / "true.zip"
    return painter, written(path, [step.image for step in steps])


def measured(data: str, painter: str, eye: Path, **options: Any) -> Step:
    usual = {"count": 80, "model": str(eye), "shown": 4}
    *_, last = gan_evaluate_steps(data, network=painter, **usual | options)
    return last


def test_pictures_of_the_painter_itself_are_as_good_as_true(
    true: tuple[str, str], eye: Path, tmp_path: Path
) -> None:
    painter, data = true
    own = measured(data, painter, eye).losses
    chance = torch.Generator().manual_seed(0)
    noise = [torch.rand(1, 3, 16, 16, generator=chance) for _ in range(60)]
    others = measured(written(tmp_path / "noise.zip", noise), painter, eye, count=60).losses
    assert own["precision"] > 0.7
    assert own["recall"] > 0.7
    assert abs(own["kid"]) < 0.1 * others["kid"]
    assert others["precision"] < 0.2
    assert own["nearest"] == pytest.approx(1, abs=0.35)


def test_copies_are_caught(true: tuple[str, str], eye: Path) -> None:
    painter, data = true
    assert measured(data, painter, eye, seed=99).losses["nearest"] < 0.2
    assert measured(data, painter, eye, seed=5).losses["nearest"] > 0.5


def test_a_distance_that_would_mean_nothing_is_left_out_with_its_reason(
    true: tuple[str, str], eye: Path
) -> None:
    painter, data = true
    last = measured(data, painter, eye)
    assert "fid" not in last.losses
    assert "no FID" in last.note
    assert "705 of each" in last.note
    assert "on iris mixed5b, 80 painted beside 80 true pictures" in last.note


def test_the_sheet_pairs_each_with_its_nearest(true: tuple[str, str], eye: Path) -> None:
    painter, data = true
    last = measured(data, painter, eye, seed=99, shown=4)
    image = last.image
    assert image.shape[-1] > 8 * 96
    recipe = last.recipe
    assert recipe is not None
    assert recipe.engine == "gan-evaluate"
    assert recipe.options["data"] == data


def test_truncation_trades_recall_for_precision(true: tuple[str, str], eye: Path) -> None:
    painter, data = true
    full, narrow = (measured(data, painter, eye, truncation=amount).losses for amount in (1.0, 0.3))
    assert narrow["recall"] < full["recall"]


def test_too_few_pictures_are_refused(true: tuple[str, str], eye: Path, tmp_path: Path) -> None:
    painter, data = true
    chance = torch.Generator().manual_seed(0)
    few = [torch.rand(1, 3, 16, 16, generator=chance) for _ in range(20)]
    with pytest.raises(DataError, match="has 20 pictures: too few to measure by"):
        measured(written(tmp_path / "few.zip", few), painter, eye)
    with pytest.raises(OptionError, match="count is 3"):
        measured(data, painter, eye, count=3)
    with pytest.raises(DataError):
        measured(str(tmp_path / "none.zip"), painter, eye)
