"""The toy GAN: the default covers every cloud, an unfair fight collapses, seeds decide."""

from __future__ import annotations

import inspect
import time
from typing import Any

import numpy as np
import pytest
import torch

from belamy.devices import make_rng
from belamy.errors import OptionError, UnknownName
from belamy.learn.drawings.style import render
from belamy.learn.lessons.gan import gan_toy
from belamy.learn.toy_gan import (
    GOOD,
    MODES,
    RADIUS,
    SPREAD,
    Snapshot,
    ToyGan,
    _sample_target,
    centres,
)
from belamy.objectives.adversarial import LOSSES

DEFAULTS = {name: one.default for name, one in inspect.signature(gan_toy).parameters.items()}


def end_of(loss: str, **options: Any) -> Snapshot:
    """The last snapshot of a game, with the lesson's defaults where nothing else is said."""
    names = ("momentum", "discriminator_steps", "steps", "seed")
    asked = {name: options.get(name, DEFAULTS[name]) for name in names}
    penalty = options.get("penalty", LOSSES[loss].toy_penalty)
    (last,) = ToyGan(loss, penalty, **asked).snapshots({asked["steps"]})
    return last


def test_the_usual_penalties() -> None:
    usual = {name: row.toy_penalty for name, row in LOSSES.items() if row.toy_penalty}
    assert usual == {"relativistic": 0.1, "wasserstein": 0.1}


def test_the_target_is_eight_clouds_and_its_points_are_good() -> None:
    points = _sample_target(4000, make_rng(0, "test"))
    distance, mode = torch.cdist(points, centres()).min(dim=1)
    assert np.allclose(centres().norm(dim=1), RADIUS)
    assert torch.bincount(mode).min() > 4000 / MODES * 0.8
    assert (distance < GOOD).float().mean() > 0.98
    assert abs(float(distance.square().mean()) - 2 * SPREAD**2) < 2e-4


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_default_covers_all_clouds_in_under_a_minute(seed: int) -> None:
    began = time.process_time()
    last = end_of(str(DEFAULTS["loss"]), seed=seed)
    assert last.covered == MODES
    assert last.good > 0.8
    assert time.process_time() - began < 60


@pytest.mark.slow
def test_a_strong_discriminator_makes_minimax_collapse_and_not_the_default() -> None:
    unfair = {"discriminator_steps": 3, "steps": 2000}
    assert end_of("minimax", **unfair).covered <= 4
    assert end_of("relativistic", **unfair).covered == MODES


@pytest.mark.parametrize("loss", LOSSES)
def test_a_few_steps_bring_points_nearer_to_the_ring(loss: str) -> None:
    first, last = ToyGan(loss, LOSSES[loss].toy_penalty, 0.5, 1, 60, 0).snapshots({0, 60})
    far, near = (np.abs(np.linalg.norm(one.fake, axis=1) - RADIUS).mean() for one in (first, last))
    assert np.isfinite(last.history).all()
    if loss != "wasserstein":  # which begins by leaping past it
        assert near < 0.7 * far


def test_a_penalty_flattens_the_field() -> None:
    free, held = (end_of("relativistic", penalty=each, steps=80) for each in (0.0, 10.0))
    slopes = [np.abs(np.diff(one.field, axis=0)).max() for one in (free, held)]
    assert slopes[1] < 0.5 * slopes[0]


def test_the_same_seed_fights_the_same_and_every_option_matters() -> None:
    usual = {"steps": 8, "penalty": 0.1}
    made = end_of("hinge", **usual).fake
    assert np.array_equal(made, end_of("hinge", **usual).fake)
    others = ({"seed": 1}, {"momentum": 0.9}, {"discriminator_steps": 2}, {"penalty": 5.0})
    for other in others:
        assert not np.array_equal(made, end_of("hinge", **{**usual, **other}).fake), other


def test_the_lesson_says_how_it_went_and_shows_it() -> None:
    shown = list(gan_toy(steps=12, seed=5))
    lines = [one for one in shown if isinstance(one, str)]
    assert "seed 5" in lines[0]
    assert "of 8 clouds" in lines[-1]
    drawings = [one for one in shown if not isinstance(one, str)]
    assert len(drawings) == 13
    first, last = (np.asarray(render(one, 320)) for one in (drawings[0], drawings[-1]))
    assert first.shape == (180, 320, 3)
    assert not np.array_equal(first, last)


def test_several_losses_stand_side_by_side() -> None:
    shown = list(gan_toy(loss="minimax,relativistic", steps=3, language="it"))
    lines = [one for one in shown if isinstance(one, str)]
    assert lines[-2].startswith("minimax (γ = 0)")
    assert lines[-1].startswith("relativistic (γ = 0.1)")
    assert np.asarray(render(shown[-3], 320)).std() > 10  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loss": "hing"}, "did you mean 'hinge'"),
        ({"loss": ""}, "unknown loss ''"),
        ({"loss": "minimax,hinge,wasserstein,relativistic,least-squares"}, "4 at most"),
        ({"penalty": -1.0}, "penalty is -1"),
        ({"penalty": float("nan")}, "penalty is nan"),
        ({"momentum": 1.0}, "momentum is 1"),
        ({"discriminator_steps": 0}, "discriminator-steps is 0"),
        ({"steps": 0}, "steps is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_input_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises((OptionError, UnknownName), match=said) as error:
        next(iter(gan_toy(**options)))
    assert "\n" not in str(error.value)


class Slope(torch.nn.Module):
    """D(x) = w·x₁, whose gradient has the length w everywhere."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return self.weight * points[:, :1]


@pytest.mark.parametrize(
    ("loss", "penalty"),
    [("hinge", 0.8 / 2 * 2 * 2 * 0.5), ("wasserstein", 0.8 * 2 * (0.5 - 1))],
)
def test_the_penalty_is_of_both_sides_or_towards_one(loss: str, penalty: float) -> None:
    """γ/2·(w² + w²) for all but wasserstein, whose is γ·(w − 1)²; and the loss is told without."""
    game = ToyGan(loss, 0.8, 0.5, 1, 10, 0)
    game.discriminator = Slope(0.5)  # type: ignore[assignment]
    game.discriminator_optimizer = torch.optim.SGD(game.discriminator.parameters(), lr=1.0)  # type: ignore[assignment]
    real, fake = torch.full((4, 2), 0.25), torch.full((4, 2), -0.25)
    told = float(game.discriminator_step(real, fake).detach())
    apart = 0.5  # of real and fake in x₁
    assert told == pytest.approx((2 if loss == "hinge" else 0) - 0.5 * apart)
    assert float(game.discriminator.weight.detach()) == pytest.approx(0.5 + apart - penalty)  # type: ignore[arg-type]
