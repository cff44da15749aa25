"""At which size a style is painted, and how far each step of a scale brings the work."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.engines.style.plain_case import QUICK
from torch import Tensor

from belamy.engines.style.api import style_steps


@pytest.fixture
def stripes() -> Tensor:
    """(1, 3, 45, 70): red and yellow stripes, as a style."""
    image = torch.zeros(1, 3, 45, 70)
    image[:, 0] = 0.9
    image[:, 1, ::6] = 0.8
    return image


def test_a_small_picture_is_enlarged_where_a_size_says_so_alone(eye: Path, stripes: Tensor) -> None:
    grey = torch.full((1, 3, 30, 20), 0.5)
    settings = {**QUICK, "iterations": 1, "min_size": 16}
    (*_, own) = style_steps(grey, stripes, model=eye, **{**settings, "size": None})
    assert own.image.shape[-2:] == (30, 20)
    assert own.recipe is not None
    assert own.recipe.options["size"] == "full"
    (*_, large) = style_steps(grey, stripes, model=eye, **{**settings, "size": 36})
    assert large.image.shape[-2:] == (36, 24)


def test_a_step_counts_by_the_pixels_of_its_scale(
    eye: Path, photo: Tensor, stripes: Tensor
) -> None:
    settings = {**QUICK, "size": 64, "min_size": 32, "iterations": "2,1"}
    steps = list(style_steps(photo, stripes, model=eye, **settings))
    pixels = [step.image.shape[-1] * step.image.shape[-2] for step in steps]
    done = [sum(pixels[: count + 1]) / sum(pixels) for count in range(len(steps))]
    assert [step.fraction for step in steps] == pytest.approx(done)
    assert done[0] < 1 / len(steps)
