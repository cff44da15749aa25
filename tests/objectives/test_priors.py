from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.objectives.objective import IMAGE, Objective
from belamy.objectives.priors import (
    nine_point_variation,
    range_penalty,
    squared_variation,
    total_variation,
)

VARIATIONS = {
    "total_variation": total_variation(),
    "squared_variation": squared_variation(),
    "nine_point_variation": nine_point_variation(),
}
PRIORS = {**VARIATIONS, "range_penalty": range_penalty()}
SIZES = [(1, 1), (1, 5), (5, 1), (6, 7)]


def noise(height: int, width: int, batch: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    image = torch.rand(batch, 3, height, width, generator=generator, dtype=torch.float64)
    return 2 * image - 0.5


def at(prior: Objective, image: Tensor) -> float:
    return prior({IMAGE: image}).item()


@pytest.mark.parametrize("name", PRIORS)
@pytest.mark.parametrize("size", SIZES)
def test_gradients(name: str, size: tuple[int, int]) -> None:
    image = noise(*size).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: PRIORS[name]({IMAGE: x}), image)


@pytest.mark.parametrize("name", PRIORS)
def test_priors_look_at_the_picture(name: str) -> None:
    assert PRIORS[name].layers == {IMAGE}
    assert PRIORS[name].name == name
    assert PRIORS[name]({IMAGE: noise(4, 4)}).shape == ()


@pytest.mark.parametrize("name", PRIORS)
@pytest.mark.parametrize("size", SIZES)
def test_a_flat_picture_in_range_is_free(name: str, size: tuple[int, int]) -> None:
    assert at(PRIORS[name], torch.full((1, 3, *size), 0.3)) == 0


@pytest.mark.parametrize("name", PRIORS)
def test_priors_do_not_mind_mirrors_turns_and_batches(name: str) -> None:
    image = noise(6, 7, batch=2)
    value = at(PRIORS[name], image)
    assert at(PRIORS[name], image.flip(-1)) == pytest.approx(value)
    assert at(PRIORS[name], image.transpose(-1, -2)) == pytest.approx(value)
    each = [at(PRIORS[name], image[n : n + 1]) for n in range(2)]
    assert value == pytest.approx(sum(each) / 2)


@pytest.mark.parametrize("name", VARIATIONS)
def test_variations_do_not_mind_brightness(name: str) -> None:
    image = noise(6, 7)
    assert at(PRIORS[name], image + 0.4) == pytest.approx(at(PRIORS[name], image))


def test_variations_of_a_known_picture() -> None:
    image = torch.tensor([[0.0, 1.0], [3.0, 2.0]]).view(1, 1, 2, 2)
    assert at(total_variation(), image) == (1 + 1 + 3 + 1) / 4
    assert at(squared_variation(), image) == (1 + 1 + 9 + 1) / 4


def test_nine_points_are_crowsons_formula() -> None:
    image = noise(6, 7)
    wide = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="replicate")
    places = image.numel()
    right = (wide[..., 1:-1, 2:] - wide[..., 1:-1, 1:-1]).square().sum() / places
    down = (wide[..., 2:, 1:-1] - wide[..., 1:-1, 1:-1]).square().sum() / places
    falling = (wide[..., 1:, 1:] - wide[..., :-1, :-1]).square().sum() / places
    rising = (wide[..., 1:, :-1] - wide[..., :-1, 1:]).square().sum() / places
    wanted = 2 * ((right + down) / 3 + (falling + rising) / 12)
    assert at(nine_point_variation(), image) == pytest.approx(wanted.item())


def test_nine_points_gradient_is_the_nine_point_laplacian() -> None:
    point = torch.zeros(1, 1, 7, 7, dtype=torch.float64)
    point[..., 3, 3] = 1
    point.requires_grad_()
    nine_point_variation()({IMAGE: point}).backward()
    assert point.grad is not None
    stencil = 3 * point.numel() * point.grad[0, 0, 2:5, 2:5]
    wanted = torch.tensor([[-1.0, -4, -1], [-4, 20, -4], [-1, -4, -1]], dtype=torch.float64)
    torch.testing.assert_close(stencil, wanted)


def test_range_is_zero_inside_and_grows_with_the_square() -> None:
    image = torch.tensor([0.0, 0.5, 1.0, 1.5, -0.25]).view(1, 1, 1, 5)
    assert at(range_penalty(), image) == pytest.approx((0.25 + 0.0625) / 5)
