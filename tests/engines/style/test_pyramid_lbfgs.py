"""Pyramid L-BFGS: what it takes along, what stands still, what a scale begins with, replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engines.style.plain_case import PAINTINGS, QUICK, noise
from torch import Tensor

from belamy.engines.style import render
from belamy.engines.style.api import style, style_steps
from belamy.engines.style.optimizers import GradientFunction, ProjectedLBFGS, PyramidLBFGS
from belamy.pixels.images import resize


def bowl(minimum: Tensor) -> GradientFunction:
    """A mean of squares."""

    def gradient_at(image: Tensor) -> tuple[Tensor, dict[str, float]]:
        off = (image - minimum) / image[0].numel()
        return off, {"bowl": float(((image - minimum).square()).mean() / 2)}

    return gradient_at


def test_it_reaches_the_bottom_and_stays_in_range() -> None:
    minimum = noise(24, 32, 1)
    minimum[:, 0] = -0.5
    optimizer = PyramidLBFGS(noise(24, 32, 2), 1.0)
    for _ in range(60):
        optimizer.step(bowl(minimum))
    assert optimizer.image.min() >= 0
    torch.testing.assert_close(optimizer.image, minimum.clamp(0, 1), atol=0.01, rtol=0)


def test_what_has_no_gradient_stands_still_and_so_does_what_is_at_its_end() -> None:
    start = noise(24, 32, 2)
    start[:, 1, :, :8] = 0.0
    optimizer = PyramidLBFGS(start.clone(), 1.0)
    minimum = noise(24, 32, 1)
    minimum[:, 1, :, :8] = -1.0

    def gradient_at(image: Tensor) -> tuple[Tensor, dict[str, float]]:
        gradient, losses = bowl(minimum)(image)
        gradient[:, :, 12:] = 0
        return gradient, losses

    for _ in range(5):
        optimizer.step(gradient_at)
    assert torch.equal(optimizer.image[:, :, 12:], start[:, :, 12:])
    assert not optimizer.image[:, 1, :12, :8].any()
    assert not torch.equal(optimizer.image[:, :, :12], start[:, :, :12])


def test_a_flat_picture_stays_as_it_is() -> None:
    image = torch.full((1, 3, 1, 1), 0.5)
    optimizer = PyramidLBFGS(image.clone(), 1.0)
    optimizer.step(lambda x: (torch.zeros_like(x), {}))
    assert torch.equal(optimizer.image, image)


def test_large_forms_go_further_than_small_ones_and_quiet_places_than_steep_ones() -> None:
    optimizer = PyramidLBFGS(torch.full((1, 3, 32, 32), 0.5), 1.0)
    rows = torch.arange(32).view(32, 1) + torch.arange(32)
    fine = torch.where(rows % 2 == 0, 1.0, -1.0).expand(1, 3, 32, 32).clone()
    moved = optimizer._direction(fine + 0.5)[..., 8:-8, 8:-8]
    large, small = moved.mean() / 0.5, (moved * fine[..., 8:-8, 8:-8]).mean()
    assert large > 3 * small > 0
    steep = fine.clone()
    steep[..., :16] *= 100
    optimizer = PyramidLBFGS(torch.full((1, 3, 32, 32), 0.5), 1.0)
    moved = optimizer._direction(steep).abs()
    assert moved[..., :12].mean() < 50 * moved[..., 20:].mean()


def test_what_a_scale_has_learned_goes_along_to_the_next() -> None:
    before = PyramidLBFGS(noise(24, 32, 2), 1.0)
    for _ in range(6):
        before.step(bowl(noise(24, 32, 1)))
    after = PyramidLBFGS(noise(34, 45, 3), 1.0, before)
    assert len(after._pairs) == len(before._pairs) == 5
    for (change, bend), (old, old_bend) in zip(after._pairs, before._pairs, strict=True):
        assert change.shape == (1, 3, 34, 45)
        # of a mean over pixels: a step of twice the pixels bends each by half as much
        slope = float((bend * change).sum() / change.square().sum())
        old_slope = float((old_bend * old).sum() / old.square().sum())
        assert slope * 34 * 45 == pytest.approx(old_slope * 24 * 32, rel=0.02)
    assert not PyramidLBFGS(noise(34, 45, 3), 1.0, ProjectedLBFGS(noise(24, 32, 2), 1.0))._pairs


@pytest.mark.parametrize("init", ["content", "grey"])
def test_a_scale_begins_with_what_comes_to_light_of_the_content(
    eye: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch, init: str
) -> None:
    starts: list[Tensor] = []
    make = PyramidLBFGS.__init__

    def note(self: PyramidLBFGS, image: Tensor, *rest: Any) -> None:
        starts.append(image[..., 2:-2, 2:-2])
        make(self, image, *rest)

    monkeypatch.setattr(PyramidLBFGS, "__init__", note)
    settings = {**QUICK, "iterations": 1, "init": init}
    small, _ = (one.image for one in style_steps(photo, PAINTINGS[0], model=eye, **settings))
    enlarged = resize(small, (starts[1].shape[-2], starts[1].shape[-1]))
    size, before = enlarged.shape[-2:], small.shape[-2:]
    ground = resize(photo, size)  # type: ignore[arg-type]
    detail = ground - resize(resize(ground, before), size)  # type: ignore[arg-type]
    wanted = (enlarged + detail).clamp(0, 1) if init == "content" else enlarged
    torch.testing.assert_close(starts[1], wanted)


def test_the_recipe_says_the_optimizer_and_its_steps(eye: Path, photo: Tensor) -> None:
    settings = {**QUICK, "iterations": 1}
    picture = style(photo, PAINTINGS[0], model=eye, **settings)
    assert picture.recipe is not None
    written = picture.recipe.options
    assert (written["optimizer"], written["step_size"]) == ("pyramid-lbfgs", 1.0)
    older = style(photo, PAINTINGS[0], model=eye, **settings, optimizer="adam")
    assert older.recipe is not None
    assert older.recipe.options["step_size"] == 0.02
    assert render.OPTIMIZERS["adam"].detailed is False
