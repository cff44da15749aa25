"""L-BFGS whose pixels stay in [0, 1]: its direction, its bounds, its memory, its few steps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.engines.style.plain_case import PAINTINGS, PLAIN, noise
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.style.api import style_steps
from belamy.engines.style.optimizers import Adam, GradientFunction, Optimizer, ProjectedLBFGS

STEEPNESS = torch.logspace(-2, 2, 3 * 5 * 6).view(1, 3, 5, 6)


def bowl(minimum: Tensor) -> GradientFunction:
    """A quadratic loss, 10,000 times as steep in one direction as in another."""

    def gradient_at(image: Tensor) -> tuple[Tensor, dict[str, float]]:
        off = image - minimum
        return STEEPNESS * off, {"bowl": float((STEEPNESS * off.square()).sum() / 2)}

    return gradient_at


def descend(optimizer: Optimizer, gradient_at: GradientFunction, steps: int) -> float:
    """The loss in the end."""
    for _ in range(steps):
        optimizer.step(gradient_at)
    return gradient_at(optimizer.image)[1]["bowl"]


def test_it_needs_fewer_steps_than_adam_where_pixels_hang_together() -> None:
    """A bowl that is steep and shallow across the pixels, as that of a network is."""
    minimum, start = noise(5, 6, 1), noise(5, 6, 2)
    turn = torch.linalg.qr(torch.randn(90, 90, generator=make_rng(0, "turn")))[0]
    matrix = turn @ torch.diag(STEEPNESS.flatten()) @ turn.T

    def gradient_at(image: Tensor) -> tuple[Tensor, dict[str, float]]:
        off = (image - minimum).flatten()
        return (matrix @ off).view_as(image), {"bowl": float(off @ matrix @ off / 2)}

    fast = descend(ProjectedLBFGS(start, 1.0), gradient_at, 40)
    slow = descend(Adam(start, 0.02), gradient_at, 80)
    assert fast < slow


def test_its_pixels_stay_in_range_and_reach_its_edge() -> None:
    minimum = noise(5, 6, 1)
    minimum[:, 0], minimum[:, 1] = -0.5, 1.5
    optimizer = ProjectedLBFGS(noise(5, 6, 2), 1.0)
    descend(optimizer, bowl(minimum), 60)
    assert optimizer.image.min() >= 0
    assert optimizer.image.max() <= 1
    assert float((optimizer.image[:, 0] < 0.01).float().mean()) > 0.9
    assert float((optimizer.image[:, 1] > 0.99).float().mean()) > 0.9


@pytest.mark.parametrize("step_size", [1.0, 0.25])
def test_the_first_step_follows_the_gradient_and_none_goes_too_far(step_size: float) -> None:
    gradient_at = bowl(noise(5, 6, 1))
    start = noise(5, 6, 2)
    optimizer = ProjectedLBFGS(start, step_size)
    gradient, losses = gradient_at(start)
    assert optimizer.step(gradient_at) == losses
    moved = optimizer.image - start
    torch.testing.assert_close(moved, -step_size * 0.01 * gradient / gradient.abs().mean())
    for _ in range(10):
        before = optimizer.image
        optimizer.step(gradient_at)
        assert float((optimizer.image - before).abs().mean()) <= 0.02 * step_size + 1e-6


def test_the_direction_is_the_gradient_times_the_remembered_inverse() -> None:
    """The matrix that Broyden, Fletcher, Goldfarb and Shanno's formula gives, multiplied out."""
    gradient_at = bowl(noise(5, 6, 1))
    optimizer = ProjectedLBFGS(noise(5, 6, 2), 1.0)
    descend(optimizer, gradient_at, 5)
    pairs = [[one.double().flatten() for one in pair] for pair in optimizer._pairs]
    assert len(pairs) == 4
    change, bend = pairs[-1]
    unit = torch.eye(change.numel(), dtype=torch.double)
    inverse = unit * (change @ bend) / (bend @ bend)
    for change, bend in pairs:
        turn = unit - torch.outer(change, bend) / (change @ bend)
        inverse = turn @ inverse @ turn.T + torch.outer(change, change) / (change @ bend)
    gradient = gradient_at(optimizer.image)[0]
    expected = (inverse @ gradient.double().flatten()).view_as(gradient).float()
    torch.testing.assert_close(optimizer._direction(gradient), expected, rtol=1e-3, atol=1e-5)


def test_a_bend_that_is_not_convex_is_not_remembered() -> None:
    optimizer = ProjectedLBFGS(torch.full((1, 3, 5, 6), 0.5), 1.0)
    slope = noise(5, 6, 3)
    for _ in range(2):
        optimizer.step(lambda image: (slope, {}))
    assert not optimizer._pairs
    optimizer = ProjectedLBFGS(torch.full((1, 3, 5, 6), 0.5), 1.0)
    for _ in range(4):
        optimizer.step(lambda image: (-image, {}))
    assert not optimizer._pairs
    assert optimizer.image.min() > 0.5  # down the hill, that is up


def test_it_remembers_eight_steps_in_half_the_memory_and_stands_still_at_the_bottom() -> None:
    minimum = noise(5, 6, 1)
    optimizer = ProjectedLBFGS(noise(5, 6, 2), 1.0)
    descend(optimizer, bowl(minimum), 14)
    assert len(optimizer._pairs) == 8
    assert {one.dtype for pair in optimizer._pairs for one in pair} == {torch.bfloat16}
    still = ProjectedLBFGS(minimum.clone(), 1.0)
    still.step(bowl(minimum))
    assert torch.equal(still.image, minimum)


def test_what_is_shown_is_the_picture_itself(
    eye: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures: list[Tensor] = []
    plain_step = ProjectedLBFGS.step

    def step(self: ProjectedLBFGS, gradient_at: GradientFunction) -> dict[str, float]:
        losses = plain_step(self, gradient_at)
        pictures.append(self.image[..., 2:-2, 2:-2].clone())
        return losses

    monkeypatch.setattr(ProjectedLBFGS, "step", step)
    settings = {**PLAIN, "iterations": 30, "optimizer": "projected-lbfgs", "step_size": None}
    made = [one.image for one in style_steps(photo, PAINTINGS[0], model=eye, **settings)]
    assert len(made) == 30
    assert all(map(torch.equal, made, pictures))
