"""The passes written out by hand are those of torch, and of the definition of a derivative."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from belamy.basics.mlp import (
    ACTIVATIONS,
    LOSSES,
    OPTIMISERS,
    SGD,
    Adam,
    Network,
    backward,
    forward,
    make_network,
    parameters,
    train,
)
from belamy.basics.points import POINTS

TORCH_ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "linear": lambda z: z,
}
TORCH_LOSSES = {
    "absolute": lambda y, t: (y - t).abs().sum() / len(y),
    "squared": lambda y, t: ((y - t) ** 2).sum() / 2 / len(y),
    "logistic": lambda y, t: (
        torch.nn.functional.binary_cross_entropy_with_logits(y, t, reduction="sum") / len(y)
    ),
    "softmax": lambda y, t: torch.nn.functional.cross_entropy(y, t),
}
SMOOTH = ("sigmoid", "tanh", "linear")
SIZES = ((3, 2), (2, 4, 3), (1, 5, 4, 3, 2))


def setting(
    sizes: tuple[int, ...], activation: str, seed: int = 0
) -> tuple[Network, np.ndarray, np.ndarray]:
    """A network, examples, and targets of which each row is 1 in one place."""
    random = np.random.default_rng(seed)
    network = make_network(sizes, random, hidden=activation)
    for level in network:
        level.biases += random.standard_normal(level.biases.shape)
    inputs = random.standard_normal((7, sizes[0]))
    return network, inputs, np.eye(sizes[-1])[random.integers(0, sizes[-1], 7)]


def gradients_by_hand(
    network: Network, inputs: np.ndarray, targets: np.ndarray, loss: str
) -> tuple[float, list[np.ndarray]]:
    outputs, traces = forward(network, inputs)
    pairs = backward(network, traces, LOSSES[loss].gradient(outputs, targets))
    return LOSSES[loss].value(outputs, targets), [array for pair in pairs for array in pair]


def gradients_by_torch(
    network: Network, inputs: np.ndarray, targets: np.ndarray, activation: str, loss: str
) -> tuple[float, list[np.ndarray]]:
    tensors = [torch.tensor(array, requires_grad=True) for array in parameters(network)]
    signal = torch.tensor(inputs)
    for level, (weights, biases) in enumerate(zip(tensors[::2], tensors[1::2], strict=True)):
        signal = signal @ weights + biases
        if level < len(network) - 1:
            signal = TORCH_ACTIVATIONS[activation](signal)
    value = TORCH_LOSSES[loss](signal, torch.tensor(targets))
    value.backward()
    return value.item(), [tensor.grad.numpy() for tensor in tensors]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", TORCH_ACTIVATIONS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_gradients_are_those_of_torch(sizes: tuple[int, ...], activation: str, loss: str) -> None:
    network, inputs, targets = setting(sizes, activation)
    value, ours = gradients_by_hand(network, inputs, targets, loss)
    wanted, theirs = gradients_by_torch(network, inputs, targets, activation, loss)
    assert value == pytest.approx(wanted, abs=1e-12)
    for one, other in zip(ours, theirs, strict=True):
        assert np.abs(one - other).max() <= 1e-10


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", SMOOTH)
def test_gradients_are_finite_differences(activation: str, loss: str) -> None:
    """(L(w + h) − L(w − h)) / 2h, for every single weight."""
    network, inputs, targets = setting((2, 4, 3), activation)
    _, gradients = gradients_by_hand(network, inputs, targets, loss)
    width = 1e-6
    for parameter, gradient in zip(parameters(network), gradients, strict=True):
        for place in np.ndindex(parameter.shape):
            kept = parameter[place]
            sides = []
            for parameter[place] in (kept + width, kept - width):
                sides.append(LOSSES[loss].value(forward(network, inputs)[0], targets))
            parameter[place] = kept
            assert gradient[place] == pytest.approx((sides[0] - sides[1]) / (2 * width), abs=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_of_an_activation_is_its_finite_difference(name: str) -> None:
    z = np.array([-30.0, -2.1, -0.3, 0.4, 1.7, 30.0])
    value, derivative = ACTIVATIONS[name]
    numeric = (value(z + 1e-6) - value(z - 1e-6)) / 2e-6
    assert derivative(z) == pytest.approx(numeric, abs=1e-8)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_activations_do_not_overflow(name: str) -> None:
    value, derivative = ACTIVATIONS[name]
    z = np.array([-1e4, 1e4])
    assert np.isfinite(value(z)).all()
    assert derivative(z) == pytest.approx([0, 0])


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_losses_do_not_overflow(loss: str) -> None:
    scores, targets = np.array([[800.0, -800.0]]), np.array([[1.0, 0.0]])
    assert LOSSES[loss].value(scores, targets) == pytest.approx(0, abs=1e-12)
    assert np.isfinite(LOSSES[loss].gradient(-scores, targets)).all()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SGD(0.1), lambda tensors: torch.optim.SGD(tensors, lr=0.1)),
        (Adam(0.1), lambda tensors: torch.optim.Adam(tensors, lr=0.1)),
    ],
    ids=["sgd", "adam"],
)
def test_optimisers_step_as_those_of_torch(ours: SGD | Adam, theirs: object) -> None:
    random = np.random.default_rng(0)
    mine = [random.standard_normal((3, 2)), random.standard_normal(4)]
    tensors = [torch.tensor(array, requires_grad=True) for array in mine]
    optimiser = theirs(tensors)  # type: ignore[operator]
    for _ in range(20):
        gradients = [random.standard_normal(array.shape) for array in mine]
        for tensor, gradient in zip(tensors, gradients, strict=True):
            tensor.grad = torch.tensor(gradient)
        ours.step(mine, gradients)
        optimiser.step()
    for array, tensor in zip(mine, tensors, strict=True):
        assert array == pytest.approx(tensor.detach().numpy(), abs=1e-10)


def learnt(points: str, hidden: tuple[int, ...], epochs: int, optimiser: str = "adam") -> float:
    """The part of unseen points that a network names rightly after some epochs."""
    random = np.random.default_rng(0)
    (inputs, labels), (others, wanted) = (POINTS[points](200, 0.05, random) for _ in range(2))
    network = make_network((2, *hidden, 1), random)
    rule = OPTIMISERS[optimiser]()
    steps = train(network, inputs, labels[:, None], LOSSES["logistic"], rule, random, batch=20)
    losses = list(itertools.islice(steps, epochs))
    assert losses[-1] < losses[0]
    return float(np.mean((forward(network, others)[0][:, 0] > 0) == (wanted == 1)))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_hidden_level_learns_xor_and_no_hidden_level_does_not(optimiser: str) -> None:
    assert learnt("xor", (8,), 80, optimiser) > 0.95
    assert learnt("xor", (), 80, optimiser) < 0.75


def test_moons_and_circles_are_learnt() -> None:
    assert learnt("moons", (8, 8), 80) > 0.97
    assert learnt("circles", (8, 8), 80) > 0.97


def test_the_same_seed_gives_the_same_network() -> None:
    def weights() -> np.ndarray:
        random = np.random.default_rng(3)
        inputs, labels = POINTS["moons"](50, 0.1, random)
        network = make_network((2, 4, 1), random)
        steps = train(network, inputs, labels[:, None], LOSSES["squared"], Adam(), random, batch=10)
        list(itertools.islice(steps, 5))
        return np.concatenate([array.ravel() for array in parameters(network)])

    assert np.array_equal(weights(), weights())


def test_a_step_neuron_lets_no_error_back() -> None:
    """Which is why sigmoids took its place."""
    network, inputs, targets = setting((2, 4, 3), "step")
    _, gradients = gradients_by_hand(network, inputs, targets, "squared")
    assert not gradients[0].any()
    assert gradients[2].any()
