"""Gradient descent on pictures, against the same written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from belamy.errors import Diverged
from belamy.networks.backbone import Backbone
from belamy.objectives.features import channel, energy
from belamy.objectives.objective import IMAGE
from belamy.objectives.priors import total_variation
from belamy.optimise import (
    Tiling,
    activations_of,
    descend,
    fit,
    gradient_of,
    tiled_gradient_of,
)
from belamy.pixels.canvas import PixelCanvas


class Small(nn.Module):
    """Two convolutions with a pooling of 2 between them."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(5)
            self.first = nn.Conv2d(3, 4, 3, padding=1)
            self.second = nn.Conv2d(4, 5, 3, padding=1)

    def stages(self) -> list[tuple[str, nn.Module]]:
        return [("first", self.first), ("pool", nn.AvgPool2d(2)), ("second", self.second)]


def network() -> Backbone:
    return Backbone(Small(), name="small", mean=(0.5,) * 3, std=(0.25,) * 3)


def picture(height: int = 12, width: int = 10, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def identity(gradient: Tensor) -> Tensor:
    return gradient


def test_activations_and_the_picture_itself() -> None:
    image, backbone = picture(), network()
    found = activations_of(backbone, image, ["second", IMAGE])
    assert found.keys() == {"second", IMAGE}
    assert found[IMAGE] is image
    assert torch.equal(found["second"], backbone(image, ["second"])["second"])
    assert activations_of(backbone, image, ["first"]).keys() == {"first"}


def test_the_gradient_is_that_of_the_objective_itself_not_of_its_negative() -> None:
    image, backbone = picture(), network()
    goal = -energy("second") + 0.3 * total_variation()
    pixels = image.clone().requires_grad_()
    features = backbone(pixels, ["second"])["second"]
    loss = -features.square().mean() + 0.3 * total_variation()({IMAGE: pixels})
    (expected,) = torch.autograd.grad(loss, pixels)
    with torch.no_grad():  # whoever calls may have switched gradients off
        gradient, value = gradient_of(backbone, goal, image)
    torch.testing.assert_close(gradient, expected)
    assert value == pytest.approx(loss.item())
    assert not image.requires_grad


def test_the_gradients_of_tiles_are_those_of_the_whole_picture() -> None:
    image, backbone = picture(40, 36), network()
    goal = -energy("second") + 2 * channel("first", 1) + 0.5 * total_variation()
    expected, value = gradient_of(backbone, goal, image)
    gradient, mean = tiled_gradient_of(backbone, goal, image, Tiling(24, 8, 2), (3, 5))
    inner = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(gradient[inner], expected[inner], rtol=1e-3, atol=1e-7)
    assert mean == pytest.approx(value, rel=0.2)


def test_the_value_in_tiles_is_the_mean_over_their_pixels() -> None:
    image = torch.zeros(1, 3, 12, 30)
    image[..., 10:] = 1  # of tiles of 12 × 12 without a margin: some bright, some dark
    bright = channel(IMAGE, 0)
    _, value = tiled_gradient_of(network(), bright, image, Tiling(12, 0, 1), (0, 0))
    assert value == pytest.approx(2 / 3)


def test_a_step_goes_against_the_gradient_by_the_mean_change_asked_for() -> None:
    image, slopes = picture(), torch.randn(1, 3, 12, 10, generator=torch.Generator().manual_seed(2))
    mask = picture(seed=3)[:, :1]
    expected = image
    steps = descend(
        image,
        lambda shown, index: (slopes * (index + 1), float(shown.sum())),
        steps=3,
        step_size=0.05,
        smooth=lambda gradient: gradient.roll(1, -1),
        mask=mask,
    )
    for moved, value in steps:
        assert value == pytest.approx(float(expected.sum()))
        change = slopes.roll(1, -1) / slopes.abs().mean() * 0.05
        expected = (expected - change * mask).clamp(0, 1)
        torch.testing.assert_close(moved, expected)
    assert torch.equal(image, picture())  # not changed in place
    assert float(expected.min()) == 0 or float(expected.max()) == 1  # the clamp was reached


def test_a_gradient_of_zero_moves_nothing() -> None:
    image = picture()
    (moved, _), *_ = descend(
        image, lambda shown, _: (shown * 0, 0.0), steps=1, step_size=1, smooth=identity
    )
    assert torch.equal(moved, image)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_said(number: float) -> None:
    steps = descend(
        picture(), lambda shown, _: (shown * number, 0.0), steps=3, step_size=1, smooth=identity
    )
    with pytest.raises(Diverged, match="step 1"):
        next(steps)
    fitting = fit(
        PixelCanvas(picture()), lambda shown, _: shown.mean() * number, steps=3, step_size=1
    )
    with pytest.raises(Diverged, match="step 1"):
        next(fitting)


def test_a_canvas_is_fitted_by_adam_downhill() -> None:
    target = picture(seed=4)
    fitted = list(
        fit(
            PixelCanvas(picture()),
            lambda shown, index: (shown - target).square().sum() * (index + 1),
            steps=4,
            step_size=0.02,
        )
    )
    values = nn.Parameter(picture())
    optimizer = torch.optim.Adam([values], lr=0.02)
    for index, (image, value) in enumerate(fitted):
        optimizer.zero_grad()
        loss = (values.clamp(0, 1) - target).square().sum() * (index + 1)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        assert value == pytest.approx(loss.item())
        torch.testing.assert_close(image, values.detach().clamp(0, 1), rtol=1e-3, atol=1e-3)
    assert fitted[-1][1] / 4 < fitted[0][1]
