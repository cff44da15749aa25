from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from belamy.errors import OptionError
from belamy.objectives.features import (
    channel,
    direction,
    energy,
    guide,
    neuron,
    strongest,
    weakest,
)
from belamy.objectives.objective import (
    IMAGE,
    Objective,
    objective,
    scale_crop_gradients,
    total,
)
from belamy.objectives.priors import (
    nine_point_variation,
    range_penalty,
    squared_variation,
    total_variation,
)
from belamy.pixels.tiles import apply_tiled

A, B = (
    Objective(lambda activations, name=name: activations[name].sum(), frozenset({name}), name)
    for name in "ab"
)
VALUES = {"a": torch.tensor([3.0]), "b": torch.tensor([5.0])}


@pytest.mark.parametrize(
    ("objective", "value", "name"),
    [
        (A + B, 8, "a + b"),
        (A - B, -2, "a - b"),
        (-A, -3, "-a"),
        (A.__neg__().__neg__(), 3, "a"),
        (2 * A, 6, "2*a"),
        (A * 0.5, 1.5, "0.5*a"),
        (-2 * A, -6, "-2*a"),
        (-(2 * A), -6, "-2*a"),
        (-(A + B), -8, "-(a + b)"),
        (A - (A + B), -5, "a - (a + b)"),
        (A + -B, -2, "a - b"),
        (3 * (A + B), 24, "3*(a + b)"),
        (2 * -A, -6, "2*(-a)"),
        (-A + B, 2, "-a + b"),
        (-(-A + B), -2, "-(-a + b)"),
        (A - -B, 8, "a + b"),
        (total([A]), 3, "a"),
        (total([-A, B, 2 * A]), 8, "-a + b + 2*a"),
        (np.float32(2) * A, 6, "2*a"),
    ],
)
def test_algebra_of_values_and_names(objective: Objective, value: float, name: str) -> None:
    assert objective(VALUES).item() == value
    assert objective.name == name
    # The name is itself an expression of the same value.
    assert eval(name, {}, {"a": 3, "b": 5}) == value


def test_layers_are_united() -> None:
    assert (A + 2 * -B).layers == {"a", "b"}
    assert (-A).layers == (A * 3).layers == {"a"}


def test_laws() -> None:
    def value(objective: Objective) -> float:
        return objective(VALUES).item()

    assert value(A + B) == value(B + A)
    assert value((A + B) + A) == value(A + (B + A))
    assert value(3 * (A + B)) == value(3 * A + 3 * B)
    assert value(A - B) == value(A + -B) == value(-(B - A))
    assert value(A + 0 * B) == value(A)


@pytest.mark.parametrize(
    "operation",
    [
        lambda: A + 3,
        lambda: 3 + A,
        lambda: A - 3,
        lambda: 3 - A,
        lambda: sum([A, B]),
        lambda: A * B,
        lambda: A * torch.tensor(2.0),
        lambda: A * "2",
        lambda: A * True,
        lambda: A + None,
    ],
)
def test_what_is_no_objective_is_a_type_error(operation: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="objective"):
        operation()


def test_objectives_are_not_divided() -> None:
    with pytest.raises(TypeError):
        A / 2  # type: ignore[operator]


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_weights_are_finite(weight: float) -> None:
    with pytest.raises(OptionError, match="not finite"):
        weight * A


def test_total_of_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match="no objective"):
        total([])


def test_objectives_are_frozen() -> None:
    with pytest.raises(AttributeError):
        A.name = "c"  # type: ignore[misc]


class Network(nn.Module):
    """Two layers, `low` (stride 2) inside `high` (stride 4); sees 18 pixels."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.low = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.high = nn.Sequential(
            nn.Conv2d(6, 6, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 4, 3, padding=1)
        )
        self.double()

    def forward(self, image: Tensor) -> Mapping[str, Tensor]:
        low = self.low(image)
        return {IMAGE: image, "low": low, "high": self.high(low)}


def noise(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(height)
    image = torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)
    return 1.4 * image - 0.2


REFERENCE = Network()(noise(24, 20))
ADDITIVE = {
    "energy": -energy("high"),
    "channel": -channel("low", 3),
    "direction": direction("high", torch.tensor([1.0, -2.0, 0.5, 0.0])),
    "guide": -guide("high", REFERENCE["high"]),
    "strongest": -strongest("low", REFERENCE["low"], 2),
    "weakest": -weakest("high", REFERENCE["high"], 3),
    "total variation": total_variation(),
    "squared variation": squared_variation(),
    "nine points": nine_point_variation(),
    "range": range_penalty(),
}
ADDITIVE["all, weighted"] = total((n + 1) * part for n, part in enumerate(ADDITIVE.values()))


@pytest.mark.parametrize("name", ADDITIVE)
def test_gradients_of_tiles_add_up_to_the_whole_gradient(name: str) -> None:
    objective, network, image = ADDITIVE[name], Network(), noise(75, 62)
    whole = {layer: a.shape[2] * a.shape[3] for layer, a in network(image).items()}

    def gradient(picture: Tensor) -> Tensor:
        picture = picture.detach().requires_grad_()
        objective(scale_crop_gradients(network(picture), whole)).backward()
        assert picture.grad is not None
        return picture.grad

    expected = gradient(image)  # all of it is one part: its shares are 1
    found = apply_tiled(gradient, image, tile=52, margin=17, offset=(5, 11), align=4)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)
    assert expected.abs().max() > 1e-6


def test_a_part_keeps_values_and_the_networks_own_gradient() -> None:
    network, image = Network(), noise(16, 16).requires_grad_()
    activations = network(image)
    parts = scale_crop_gradients(activations, {"low": 4 * 64})
    for layer, activation in activations.items():
        assert torch.equal(parts[layer], activation)
    # `low` is scored at a quarter, `high` (reached through it) in full.
    found = torch.autograd.grad(parts["low"].mean() + parts["high"].mean(), image)[0]
    activations = network(image)
    wanted = torch.autograd.grad(activations["low"].mean() / 4 + activations["high"].mean(), image)
    torch.testing.assert_close(found, wanted[0])


def test_a_part_without_gradient_passes() -> None:
    with torch.no_grad():
        activations = Network()(noise(8, 8))
    assert scale_crop_gradients(activations, {"low": 100})["low"] is activations["low"]


@objective("x", IMAGE)
def bright_contrast(features: Tensor, image: Tensor) -> Tensor:
    """What a user might write: two layers, in the order of the decorator."""
    return 2 * image.mean() - features.square().mean()


def test_a_function_of_ones_own_is_an_objective() -> None:
    features, image = torch.rand(1, 4, 3, 5), torch.rand(1, 3, 6, 10)
    activations = {"x": features, IMAGE: image, "y": torch.zeros(1)}
    expected = 2 * image.mean() - features.square().mean()
    assert torch.equal(bright_contrast(activations), expected)
    assert bright_contrast.layers == {"x", IMAGE}
    mixed = 3 * -bright_contrast + total_variation()
    assert mixed.name == "3*(-bright_contrast) + total_variation"
    torch.testing.assert_close(
        mixed(activations), -3 * expected + total_variation()({IMAGE: image})
    )


def test_the_gradient_of_ones_own_objective() -> None:
    rng = torch.Generator().manual_seed(3)
    features = torch.rand(2, 3, 4, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    image = torch.rand(2, 3, 5, 4, generator=rng, dtype=torch.float64, requires_grad=True)
    vector = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    mixed = -bright_contrast + 0.5 * total_variation() + neuron("x", 1, 2, 0)
    mixed = mixed + direction("x", vector)
    assert torch.autograd.gradcheck(lambda x, i: mixed({"x": x, IMAGE: i}), (features, image))


@pytest.mark.parametrize("layers", [(), ("x", "x")])
def test_an_objective_names_each_layer_once(layers: tuple[str, ...]) -> None:
    with pytest.raises(OptionError, match="layers"):
        objective(*layers)
