from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.errors import OptionError
from belamy.objectives import features
from belamy.objectives.features import (
    channel,
    class_score,
    direction,
    energy,
    guide,
    neuron,
    strongest,
    weakest,
)
from belamy.objectives.objective import Objective


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


REFERENCE = noise(1, 4, 3, 5, seed=9)
OBJECTIVES = {
    "energy": energy("x"),
    "channel": channel("x", 2),
    "neuron": neuron("x", 1),
    "class_score": class_score(3, layer="x"),
    "direction": direction("x", noise(4, seed=8)),
    "guide": guide("x", REFERENCE),
    "strongest": strongest("x", REFERENCE, 2),
    "weakest": weakest("x", REFERENCE, 2),
}
PLACELESS = {name: objective for name, objective in OBJECTIVES.items() if name != "neuron"}


def at(objective: Objective, activation: Tensor) -> float:
    return objective({"x": activation}).item()


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("shape", [(1, 4, 5, 4), (2, 4, 1, 3)])
def test_gradients(name: str, shape: tuple[int, ...]) -> None:
    activation = noise(*shape).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: OBJECTIVES[name]({"x": x}), activation)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_read_one_layer_and_say_so(name: str) -> None:
    objective = OBJECTIVES[name]
    assert objective.layers == {"x"}
    assert objective.name.startswith(f"{name}(")
    assert objective({"x": noise(2, 4, 3, 3), "y": noise(1)}).shape == ()


@pytest.mark.parametrize("name", PLACELESS)
def test_places_may_be_shuffled(name: str) -> None:
    activation = noise(1, 4, 5, 6)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    shuffled = activation.flatten(2)[..., order].unflatten(2, (5, 6))
    assert at(PLACELESS[name], shuffled) == pytest.approx(at(PLACELESS[name], activation))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_batch_scores_the_mean_of_its_pictures(name: str) -> None:
    batch = noise(3, 4, 4, 4)
    each = [at(OBJECTIVES[name], batch[n : n + 1]) for n in range(3)]
    assert at(OBJECTIVES[name], batch) == pytest.approx(sum(each) / 3)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_silent_layer_scores_zero_with_a_finite_gradient(name: str) -> None:
    silent = torch.zeros(1, 4, 3, 3, requires_grad=True)  # single precision, as behind a ReLU
    score = OBJECTIVES[name]({"x": silent})
    score.backward()
    assert score.item() == 0
    assert silent.grad is not None
    assert silent.grad.isfinite().all()


@pytest.mark.parametrize("name", sorted(set(PLACELESS) - {"guide"}))
def test_layers_without_places_work_too(name: str) -> None:
    logits = noise(2, 4)
    assert at(PLACELESS[name], logits) == pytest.approx(
        at(PLACELESS[name], logits[..., None, None])
    )


def test_energy_is_the_mean_square() -> None:
    activation = noise(1, 4, 5, 6)
    assert at(energy("x"), activation) == pytest.approx((activation**2).sum().item() / 120)


def test_channel_and_neuron_pick_what_they_say() -> None:
    activation = torch.arange(2 * 4 * 3.0).view(1, 2, 4, 3)
    assert at(channel("x", 1), activation) == activation[0, 1].mean()
    assert at(neuron("x", 1), activation) == activation[0, 1, 2, 1]
    assert at(neuron("x", 0, 3, 0), activation) == activation[0, 0, 3, 0]
    assert at(neuron("x", 0, x=2), activation) == activation[0, 0, 2, 2]
    assert neuron("x", 0, 3, 0).name == "neuron(x, 0, 3, 0)"


@pytest.mark.parametrize("index", [-1, 4])
def test_a_channel_or_class_that_is_not_there_is_refused(index: int) -> None:
    for objective in (channel("x", index), neuron("x", index), class_score(index, "x")):
        with pytest.raises(OptionError, match=f"no channel {index}; it has 0 to 3"):
            at(objective, noise(1, 4, 2, 2))


@pytest.mark.parametrize("place", [(-1, 0), (0, 3), (2, 0)])
def test_a_place_that_is_not_there_is_refused(place: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="it is 2 x 3"):
        at(neuron("x", 0, *place), noise(1, 4, 2, 3))


def test_class_score_reads_logits_and_ignores_other_classes() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    score = class_score(1)({"logits": logits})
    score.backward()
    assert score.item() == 2
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0, 1, 0]]


def test_direction_ignores_the_vectors_length_and_pays_for_the_angle() -> None:
    vector = torch.tensor([3.0, 4.0, 0.0, 0.0], dtype=torch.float64)
    along = (vector / 5).view(1, 4, 1, 1)
    across = torch.tensor([0.0, 0.0, 7.0, 0.0], dtype=torch.float64).view(1, 4, 1, 1)
    assert at(direction("x", vector), 2 * along) == pytest.approx(2)
    assert at(direction("x", 9 * vector), 2 * along) == pytest.approx(2)
    # Something else added leaves the dot product and lowers the cosine.
    assert at(direction("x", vector), 2 * along + across) == pytest.approx(4 / 53**0.5)
    assert at(direction("x", vector), -2 * along) == pytest.approx(-0.2)


def test_direction_takes_one_vector_a_picture_and_a_power() -> None:
    batch, vectors = noise(2, 4, 3, 3), noise(2, 4, seed=8)
    each = [at(direction("x", vectors[n], 3), batch[n : n + 1]) for n in range(2)]
    assert at(direction("x", vectors, 3), batch) == pytest.approx(sum(each) / 2)
    seen = torch.tensor([1.0, 1.0]).view(1, 2, 1, 1)
    for power in (0, 1, 4):
        expected = 0.5 ** (power / 2)
        assert at(direction("x", torch.tensor([5.0, 0.0]), power), seen) == pytest.approx(expected)


@pytest.mark.parametrize("vector", [torch.zeros(4), torch.ones(1, 2, 2), torch.tensor([torch.nan])])
def test_direction_refuses_what_points_nowhere(vector: Tensor) -> None:
    with pytest.raises(OptionError, match="non-zero vector"):
        direction("x", vector)


def test_guide_takes_the_best_match_of_each_place() -> None:
    activation = noise(1, 4, 6, 7)
    places, matches = activation[0].flatten(1), REFERENCE[0].flatten(1)
    best = (places.T @ matches).max(dim=1).values
    assert at(guide("x", REFERENCE), activation) == pytest.approx(best.mean().item() / 4)


def test_guide_has_the_notebooks_gradient() -> None:
    activation = noise(1, 4, 6, 7).requires_grad_()
    guide("x", REFERENCE)({"x": activation}).backward()
    matches = REFERENCE[0].flatten(1)
    best = (activation.detach()[0].flatten(1).T @ matches).argmax(dim=1)
    assert activation.grad is not None
    torch.testing.assert_close(activation.grad[0].flatten(1), matches[:, best] / activation.numel())


def test_guide_in_small_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    activation = noise(2, 4, 6, 7)
    expected = at(guide("x", REFERENCE), activation)
    monkeypatch.setattr(features, "PAIRS_AT_ONCE", 1)
    assert at(guide("x", REFERENCE), activation) == pytest.approx(expected)


def test_guide_never_holds_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    argmax = Tensor.argmax

    def watched(pairs: Tensor, dim: int) -> Tensor:
        sizes.append(pairs.numel())
        return argmax(pairs, dim=dim)

    monkeypatch.setattr(Tensor, "argmax", watched)
    guide("x", noise(1, 2, 64, 64).float())({"x": noise(1, 2, 96, 96).float()})
    assert sum(sizes) == 64**2 * 96**2
    assert max(sizes) <= features.PAIRS_AT_ONCE


def test_strongest_and_weakest_rank_by_the_mean() -> None:
    reference = torch.randn(1, 4, 3, 3, generator=torch.Generator().manual_seed(2))
    reference -= reference.mean(dim=(2, 3), keepdim=True)
    reference += torch.tensor([0.5, 3.0, -1.0, 2.0]).view(1, 4, 1, 1)
    activation = noise(1, 4, 2, 2)
    assert at(strongest("x", reference, 2), activation) == pytest.approx(
        activation[:, [1, 3]].square().mean().item()
    )
    assert at(weakest("x", reference, 2), activation) == pytest.approx(
        activation[:, [2, 0]].square().mean().item()
    )
    assert at(strongest("x", reference, 4), activation) == pytest.approx(
        at(energy("x"), activation)
    )


def test_weakest_leaves_silent_channels_for_last() -> None:
    reference = noise(1, 3, 4, 4).abs()
    reference[:, 1] = 0
    activation = torch.tensor([1.0, 10.0, 100.0]).view(1, 3, 1, 1)
    assert at(weakest("x", reference, 2), activation) == (1 + 100**2) / 2


@pytest.mark.parametrize("count", [0, 5])
def test_more_channels_than_there_are_is_refused(count: int) -> None:
    for choose in (strongest, weakest):
        with pytest.raises(OptionError, match="has 4 channels"):
            choose("x", REFERENCE, count)
