"""The parts of a GAN's training: schedules, adaptive augmentation, the penalty."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.gan.augmentation import AdaptiveAugmentation, sign_mean
from belamy.engines.gan.penalty import DiscriminatorPenalty, penalty_decay, scale_learning_rate
from belamy.pixels.diffaugment import diff_augment


@pytest.mark.parametrize(
    ("step", "retries", "factor"),
    [
        (0, 0, 0.01),  # the first of a hundred steps of the rise
        (49, 0, 0.5 * 0.9955685),
        (500, 0, 0.625),
        (1000, 0, 0.25),
        (500, 1, 0.3125),
        (500, 3, 0.078125),
    ],
)
def test_the_learning_rate_rises_and_falls_to_a_quarter(
    step: int, retries: int, factor: float
) -> None:
    rate = scale_learning_rate(2.0, step, 1000, retries=retries)
    assert rate == pytest.approx(2 * factor, rel=1e-5)


@pytest.mark.parametrize(
    ("step", "factor"), [(0, 1.0), (125, 0.55), (250, 0.1), (600, 0.1), (1000, 0.1)]
)
def test_the_penalty_falls_to_a_tenth_over_a_quarter_of_the_steps(step: int, factor: float) -> None:
    assert penalty_decay(step, 1000) == pytest.approx(factor)


def test_augmentation_grows_while_the_discriminator_is_sure() -> None:
    augmentation = AdaptiveAugmentation(None, batch=1000)
    assert augmentation.probability == 0
    augmentation.adapt(0.5)  # below the target, and it cannot fall further
    assert augmentation.probability == 0
    augmentation.adapt(0.7)
    assert augmentation.probability == pytest.approx(0.01)
    augmentation.adapt(0.61)
    assert augmentation.probability == pytest.approx(0.02)
    augmentation.adapt(0.59)
    assert augmentation.probability == pytest.approx(0.01)
    for _ in range(120):
        augmentation.adapt(1.0)
    assert augmentation.probability == 1
    assert str(augmentation) == "adapting"


def test_a_fixed_probability_stays() -> None:
    augmentation = AdaptiveAugmentation(0.3, batch=1000)
    augmentation.adapt(1.0)
    assert augmentation.probability == 0.3
    assert str(augmentation) == "0.3"


def test_augmentation_is_that_of_the_pixels_at_its_probability() -> None:
    images = torch.rand(6, 3, 8, 8, generator=make_rng(0, "images"))
    assert AdaptiveAugmentation(0.0, 4).augment(images, make_rng(1, "x")) is images
    augmented = AdaptiveAugmentation(0.5, 4).augment(images, make_rng(1, "x"))
    assert torch.equal(augmented, diff_augment(images, make_rng(1, "x"), probability=0.5))
    assert not torch.equal(augmented, images)


def test_the_sign_mean_of_absolute_and_of_relative_logits() -> None:
    real, fake = torch.tensor([[2.0], [-1.0], [3.0]]), torch.tensor([[0.0], [0.0], [5.0]])
    assert float(sign_mean(real, fake, uses_real_logits=False)) == pytest.approx(1 / 3)
    assert float(sign_mean(real, fake, uses_real_logits=True)) == pytest.approx(-1 / 3)


def half_square(images: Tensor) -> Tensor:
    """Its gradient is the picture itself."""
    return images.square().flatten(1).sum(1) / 2


@pytest.fixture
def images() -> tuple[Tensor, Tensor]:
    """Real ones of squared length 12, fake ones of 3."""
    real, fake = torch.ones(5, 3, 2, 2), torch.full((5, 3, 2, 2), 0.5)
    return real.requires_grad_(), fake.requires_grad_()


def test_r1_is_of_the_real_and_r2_of_the_fake(images: tuple[Tensor, Tensor]) -> None:
    penalty = DiscriminatorPenalty(0.8, 4, 1000, needs_gradient_penalty=False)
    logits = half_square(images[0]), half_square(images[1])
    weighted, told = penalty(half_square, images, logits, 125, make_rng(0, "x"))
    assert float(weighted.detach()) == pytest.approx(0.8 / 2 * 0.55 * 4 * (12 + 3))
    assert float(told) == pytest.approx(4 / 2 * (12 + 3))


def test_wassersteins_penalty_is_between_real_and_fake(images: tuple[Tensor, Tensor]) -> None:
    """Gradient lengths run from √3 to √12 there; neither schedule nor interval changes it."""
    logits = half_square(images[0]), half_square(images[1])
    made = []
    for interval, step in ((1, 0), (4, 900)):
        penalty = DiscriminatorPenalty(10.0, interval, 1000, needs_gradient_penalty=True)
        weighted, told = penalty(half_square, images, logits, step, make_rng(0, "x"))
        assert float(weighted.detach()) == pytest.approx(10 * float(told))
        assert (3**0.5 - 1) ** 2 < float(told) < (12**0.5 - 1) ** 2
        made.append(float(told))
    assert made[0] == made[1]


def test_when_a_penalty_is_due() -> None:
    every_third = DiscriminatorPenalty(1.0, 3, 1000, needs_gradient_penalty=False)
    assert [turn for turn in range(8) if every_third.is_due(turn)] == [0, 3, 6]
    assert not DiscriminatorPenalty(0.0, 1, 1000, needs_gradient_penalty=False).is_due(0)
