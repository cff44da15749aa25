"""A network of layers of neurons, forward and backward, written out.

One layer computes  z = x·W + b  and  a = φ(z).  Errors go back through it by the chain rule:

    ∂L/∂z = ∂L/∂a ∘ φ′(z)      ∂L/∂W = xᵀ·∂L/∂z      ∂L/∂b = Σ ∂L/∂z      ∂L/∂x = ∂L/∂z·Wᵀ

and ∂L/∂x is ∂L/∂a of the layer before. Rows are examples, columns are neurons.

Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986;
Kingma and Ba, "Adam: a method for stochastic optimization", 2015.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "OPTIMISERS",
    "SGD",
    "Activation",
    "Adam",
    "Layer",
    "Loss",
    "Network",
    "Optimiser",
    "Trace",
    "backward",
    "forward",
    "make_network",
    "parameters",
    "train",
]

Array: TypeAlias = "NDArray[np.float64]"


class Activation(NamedTuple):
    """An activation function φ and its derivative φ′, the slope of φ, both as functions of z."""

    value: Callable[[Array], Array]
    derivative: Callable[[Array], Array]


def _sigmoid(z: Array) -> Array:
    return 0.5 * (1 + np.tanh(z / 2))  # the same as 1 / (1 + e⁻ᶻ), and never overflows


ACTIVATIONS = {
    "sigmoid": Activation(_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z))),
    "tanh": Activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": Activation(lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "linear": Activation(lambda z: z, np.ones_like),
    # the threshold neuron; its derivative is 0, so that no error can go back through it
    "step": Activation(lambda z: np.where(z >= 0, 1.0, 0.0), np.zeros_like),
}


class Loss(NamedTuple):
    """A loss L(y, t), averaged over the examples, and its gradient ∂L/∂y."""

    value: Callable[[Array, Array], float]
    gradient: Callable[[Array, Array], Array]


def _log_softmax(y: Array) -> Array:
    shifted: Array = y - y.max(axis=1, keepdims=True)  # which changes nothing, nor overflows
    total: Array = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted - total


LOSSES = {
    # |y − t|
    "absolute": Loss(
        lambda y, t: float(np.abs(y - t).sum() / len(y)),
        lambda y, t: np.sign(y - t) / len(y),
    ),
    # ½ (y − t)²
    "squared": Loss(
        lambda y, t: float(((y - t) ** 2).sum() / (2 * len(y))),
        lambda y, t: (y - t) / len(y),
    ),
    # −t·log p − (1 − t)·log(1 − p) with p = sigmoid(y), t from 0 to 1
    "logistic": Loss(
        lambda y, t: float((np.logaddexp(0, y) - t * y).sum() / len(y)),
        lambda y, t: (_sigmoid(y) - t) / len(y),
    ),
    # −Σ t·log p with p = softmax(y), one t of each row 1 and the others 0
    "softmax": Loss(
        lambda y, t: float(-(t * _log_softmax(y)).sum() / len(y)),
        lambda y, t: (np.exp(_log_softmax(y)) - t) / len(y),
    ),
}


@dataclass
class Layer:
    """Neurons side by side, each connected to every input.

    Args:
        weights: (inputs, neurons), W.
        biases: (neurons,), b.
        activation: φ.
    """

    weights: Array
    biases: Array
    activation: Activation


Network: TypeAlias = "list[Layer]"


class Trace(NamedTuple):
    """What a layer saw on the way forward, and needs on the way back: x, and z = x·W + b."""

    inputs: Array
    sums: Array


def make_network(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    hidden: str = "tanh",
    output: str = "linear",
) -> Network:
    """A network with weights drawn at random.

    Args:
        sizes: of the input, of every hidden layer, of the output: 2, 8, 8, 1.
        rng: random generator.
        hidden: activation of the hidden layers.
        output: activation of the last layer.
    """
    network = []
    for inputs, neurons in itertools.pairwise(sizes):
        # of variance 1 / inputs, so that sums of many inputs are no larger than those of few
        weights = rng.standard_normal((inputs, neurons)) / np.sqrt(inputs)
        network.append(Layer(weights, np.zeros(neurons), ACTIVATIONS[hidden]))
    network[-1].activation = ACTIVATIONS[output]
    return network


def forward(network: Network, inputs: Array) -> tuple[Array, list[Trace]]:
    """Inputs (N, first size) through all layers: outputs (N, last size), and the traces."""
    traces = []
    signal = inputs
    for layer in network:
        sums = signal @ layer.weights + layer.biases
        traces.append(Trace(signal, sums))
        signal = layer.activation.value(sums)
    return signal, traces


def backward(network: Network, traces: list[Trace], gradient: Array) -> list[tuple[Array, Array]]:
    """Backpropagation: the gradient of the loss for all parameters.

    Args:
        network: as it was on the way forward.
        traces: from `forward`.
        gradient: ∂L/∂y of the outputs, (N, last size).

    Returns:
        (∂L/∂W, ∂L/∂b) of each layer, the first layer first.
    """
    gradients = []
    for layer, trace in zip(reversed(network), reversed(traces), strict=True):
        delta = gradient * layer.activation.derivative(trace.sums)
        gradients.append((trace.inputs.T @ delta, delta.sum(axis=0)))
        gradient = delta @ layer.weights.T
    return gradients[::-1]


class Optimiser(Protocol):
    """A rule that changes parameters, in place, by their gradients."""

    rate: float

    def step(self, parameters: list[Array], gradients: list[Array]) -> None:
        """One step downhill."""


@dataclass
class SGD:
    """w ← w − η·∂L/∂w: gradient descent."""

    rate: float = 0.3

    def step(self, parameters: list[Array], gradients: list[Array]) -> None:
        """One step downhill."""
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= self.rate * gradient


class Adam:
    """Steps of about `rate` in every weight, whatever its gradient: mean over root mean square.

        m ← β₁·m + (1 − β₁)·g      v ← β₂·v + (1 − β₂)·g²      w ← w − η·m̂ / (√v̂ + ε)

    m̂ and v̂ are m / (1 − β₁ᵗ) and v / (1 − β₂ᵗ), which begin at 0 and must not stay small for that.
    """

    def __init__(self, rate: float = 0.02, beta1: float = 0.9, beta2: float = 0.999) -> None:
        self.rate, self.beta1, self.beta2 = rate, beta1, beta2
        self.time = 0
        self.means: list[Array] = []
        self.squares: list[Array] = []

    def step(self, parameters: list[Array], gradients: list[Array]) -> None:
        """One step downhill."""
        if self.time == 0:
            self.means = [np.zeros_like(parameter) for parameter in parameters]
            self.squares = [np.zeros_like(parameter) for parameter in parameters]
        self.time += 1
        for w, g, m, v in zip(parameters, gradients, self.means, self.squares, strict=True):
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g**2 - v)
            mean = m / (1 - self.beta1**self.time)
            square = v / (1 - self.beta2**self.time)
            w -= self.rate * mean / (np.sqrt(square) + 1e-8)


OPTIMISERS: dict[str, Callable[..., Optimiser]] = {"sgd": SGD, "adam": Adam}


def parameters(network: Network) -> list[Array]:
    """All weights and biases, in the order of `backward`'s gradients."""
    return [array for layer in network for array in (layer.weights, layer.biases)]


def train(
    network: Network,
    inputs: Array,
    targets: Array,
    loss: Loss,
    optimiser: Optimiser,
    rng: np.random.Generator,
    *,
    batch: int,
) -> Iterator[float]:
    """Train for ever, in place; yields the mean loss of each pass over the examples.

    Args:
        network: to be trained.
        inputs: (N, first size).
        targets: (N, last size).
        loss: what shall become small.
        optimiser: the rule of the steps.
        rng: shuffles the examples anew for every pass.
        batch: how many examples make one step.
    """
    while True:
        order = rng.permutation(len(inputs))
        losses = []
        for start in range(0, len(inputs), batch):
            chosen = order[start : start + batch]
            outputs, traces = forward(network, inputs[chosen])
            losses.append(loss.value(outputs, targets[chosen]))
            gradients = backward(network, traces, loss.gradient(outputs, targets[chosen]))
            optimiser.step(parameters(network), [array for pair in gradients for array in pair])
        yield float(np.mean(losses))
