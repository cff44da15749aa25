from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from belamy.errors import OptionError
from belamy.objectives.comparisons import caricature, diversity, interpolation, inversion
from belamy.objectives.features import LEAST_COSINE, channel, neuron
from belamy.objectives.objective import Objective


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def at(objective: Objective, activation: Tensor) -> float:
    return objective({"x": activation}).item()


OBJECTIVES: dict[str, Callable[[Tensor], Objective]] = {
    "caricature": lambda own: caricature("x", own, 2.0),
    "inversion": lambda own: inversion("x", own),
    "diversity": lambda own: diversity("x"),
    "interpolation": lambda own: interpolation(channel("x", 1), neuron("x", 0)),
}


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("shape", [(2, 4, 5, 4), (3, 3, 1, 3)])
def test_gradients(name: str, shape: tuple[int, ...]) -> None:
    objective = OBJECTIVES[name](noise(1, *shape[1:], seed=9))
    activation = noise(*shape).requires_grad_()
    assert objective.layers == {"x"}
    assert objective.name.startswith(f"{name}(")
    assert torch.autograd.gradcheck(lambda x: objective({"x": x}), activation)


@pytest.mark.parametrize("name", sorted(set(OBJECTIVES) - {"interpolation"}))
def test_layers_without_places_work_too(name: str) -> None:
    flat, own = noise(3, 4), noise(1, 4, seed=9)
    wide = at(OBJECTIVES[name](own[..., None, None]), flat[..., None, None])
    assert at(OBJECTIVES[name](own), flat) == pytest.approx(wide)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_silent_layer_has_a_finite_gradient(name: str) -> None:
    silent = torch.zeros(2, 4, 3, 3, requires_grad=True)  # single precision, as behind a ReLU
    OBJECTIVES[name](noise(1, 4, 3, 3).float())({"x": silent}).backward()
    assert silent.grad is not None
    assert silent.grad.isfinite().all()


def test_a_caricature_of_the_picture_itself_is_one_and_grows_with_it() -> None:
    own = noise(1, 4, 3, 5)
    assert at(caricature("x", own), own) == pytest.approx(1)
    assert at(caricature("x", own, 4), 3 * own) == pytest.approx(3)
    turned = own.clone()
    turned[:, :, 0] = 0  # a row silent
    share = own[:, :, 1:].square().sum() / own.square().sum()
    assert at(caricature("x", own, 4), turned) == pytest.approx(float(share))


def test_a_caricature_pays_for_the_angle_at_each_position() -> None:
    own = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    seen = torch.tensor([5.0, 0.0]).view(1, 2, 1, 1)
    assert at(caricature("x", own, 0), seen) == pytest.approx(15 / 25)
    assert at(caricature("x", own, 2), seen) == pytest.approx(15 / 25 * 0.6**2)
    assert at(caricature("x", own, 1), -seen) == pytest.approx(-15 / 25 * LEAST_COSINE)


def test_inversion_is_the_relative_squared_distance() -> None:
    own, seen = noise(1, 4, 3, 5), noise(1, 4, 3, 5, seed=1)
    expected = (seen - own).square().sum() / own.square().sum()
    assert at(inversion("x", own), seen) == pytest.approx(float(expected))
    assert at(inversion("x", own), own) == 0
    assert at(inversion("x", own), 0 * own) == pytest.approx(1)


def test_diversity_is_one_less_the_mean_cosine_of_the_grams() -> None:
    batch = noise(3, 4, 5, 6)
    grams = [torch.einsum("cp,dp->cd", one, one).flatten() for one in batch.flatten(2)]
    pairs = [(0, 1), (0, 2), (1, 2)]
    cosines = [torch.cosine_similarity(grams[n], grams[m], dim=0) for n, m in pairs]
    assert at(diversity("x"), batch) == pytest.approx(1 - float(sum(cosines)) / 3)


def test_diversity_does_not_ask_where_things_are() -> None:
    one = noise(1, 4, 5, 6)
    assert at(diversity("x"), torch.cat([one, one.flip(-1)])) == pytest.approx(0)
    apart = torch.zeros(2, 4, 1, 1)
    apart[0, 0], apart[1, 3] = 1, 2
    assert at(diversity("x"), apart) == pytest.approx(1)


def test_an_interpolation_goes_from_one_to_the_other() -> None:
    activation = noise(5, 2, 1, 1)
    mixed = interpolation(channel("x", 0), channel("x", 1))
    first, second = activation[:, 0, 0, 0], activation[:, 1, 0, 0]
    shares = torch.linspace(0, 1, 5, dtype=torch.float64)
    expected = ((1 - shares) * first + shares * second).mean()
    assert at(mixed, activation) == pytest.approx(float(expected))


def test_an_interpolation_reads_the_layers_of_both() -> None:
    mixed = interpolation(channel("x", 0), channel("y", 1))
    assert mixed.layers == {"x", "y"}
    x, y = noise(2, 1, 1, 1), noise(2, 2, 1, 1)
    expected = (x[0, 0, 0, 0] + y[1, 1, 0, 0]) / 2
    assert mixed({"x": x, "y": y}).item() == pytest.approx(float(expected))


@pytest.mark.parametrize("name", ["diversity", "interpolation"])
def test_one_picture_alone_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="make two or more"):
        at(OBJECTIVES[name](noise(1)), noise(1, 4, 3, 3))


@pytest.mark.parametrize("make", [caricature, inversion])
def test_another_grid_and_silence_are_refused(make: Callable[..., Objective]) -> None:
    with pytest.raises(OptionError, match="give both one size"):
        at(make("x", noise(1, 4, 3, 3)), noise(1, 4, 3, 4))
    with pytest.raises(OptionError, match="excites nothing in 'x'"):
        make("x", torch.zeros(1, 4, 3, 3))


def test_a_negative_power_is_refused() -> None:
    with pytest.raises(OptionError, match="must be 0 or more"):
        at(caricature("x", noise(1, 4, 3, 3), -1), noise(1, 4, 3, 3))
