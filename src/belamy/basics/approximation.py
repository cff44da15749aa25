"""What networks can be: wide ones any continuous function, deep ones more for fewer neurons.

Universal approximation: for every continuous f on [0, 1] and every ε > 0 there is one hidden layer
that stays within ε of f everywhere. `sum_of_steps` builds it, without training; `fit` trains one.

Depth: a network of k layers with 2 neurons each makes a sawtooth of 2ᵏ straight pieces. With one
hidden layer of n neurons there are at most n + 1 pieces, so it takes 2ᵏ − 1 neurons or more.

Source: Cybenko, "Approximation by superpositions of a sigmoidal function", 1989; Hornik,
Stinchcombe and White, "Multilayer feedforward networks are universal approximators", 1989;
Telgarsky, "Representation benefits of deep feedforward networks", 2015.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from belamy.basics.mlp import (
    ACTIVATIONS,
    LOSSES,
    Adam,
    Layer,
    Network,
    backward,
    forward,
    parameters,
)

__all__ = [
    "FUNCTIONS",
    "answer",
    "count_pieces",
    "deep_sawtooth",
    "fit",
    "fit_sawtooth",
    "largest_change",
    "largest_error",
    "shallow_sawtooth",
    "sum_of_steps",
]

Array: TypeAlias = "NDArray[np.float64]"
Function: TypeAlias = Callable[[Array], Array]

FUNCTIONS: dict[str, Function] = {
    "sine": lambda x: np.sin(2 * np.pi * x),
    "chirp": lambda x: np.sin(2 * np.pi * (0.7 + 2.3 * x) * x),
    "bump": lambda x: np.exp(-(((x - 0.5) / 0.12) ** 2)),
    "mountains": lambda x: np.maximum(0.9 - 5 * np.abs(x - 0.3), 0.6 - 2 * np.abs(x - 0.65)),
    "root": lambda x: np.sqrt(x),
}
"""The functions to be imitated, on [0, 1]. `root` has an infinite slope at 0."""

_GRID = np.linspace(0, 1, 4001)  # where the largest error is looked for


def answer(network: Network, x: Array) -> Array:
    """The network of one input and one output as a function: (N,) to (N,)."""
    outputs, _ = forward(network, x[:, None])
    return outputs[:, 0]


def largest_error(function: Function, network: Network) -> float:
    """max |f(x) − network(x)| over [0, 1]."""
    return float(np.max(np.abs(function(_GRID) - answer(network, _GRID))))


def sum_of_steps(function: Function, width: int) -> Network:
    """One hidden layer of `width` threshold neurons that imitates `function`, with no training.

    Cut [0, 1] into width + 1 equal parts and be constant on each: as high as f in its middle.
    Neuron k fires from the k-th cut on, and its weight is by how much the next part is higher:

        f̂(x) = f(m₀) + Σₖ (f(mₖ) − f(mₖ₋₁)) · step(x − xₖ)

    No x is farther than 1 / (2·(width + 1)) from the middle of its part, so that the error is at
    most what f can change over that distance: see `largest_change`.
    """
    cuts = np.arange(1, width + 1) / (width + 1)
    heights = function((np.arange(width + 1) + 0.5) / (width + 1))
    hidden = Layer(np.ones((1, width)), -cuts, ACTIVATIONS["step"])
    output = Layer(np.diff(heights)[:, None], heights[:1], ACTIVATIONS["linear"])
    return [hidden, output]


def largest_change(function: Function, distance: float) -> float:
    """ω(δ) = max |f(x) − f(y)| over all x, y at most `distance` apart (its modulus)."""
    values = function(_GRID)
    farthest = int(np.ceil(distance * (len(_GRID) - 1)))  # rounded up, to be on the safe side
    return max(
        float(np.max(np.abs(values[shift:] - values[:-shift]))) for shift in range(1, farthest + 1)
    )


def fit(function: Function, width: int, rng: np.random.Generator, *, steps: int = 4000) -> Network:
    """One hidden layer of `width` neurons (tanh) trained to imitate `function`, by Adam.

    Every neuron begins with its bend somewhere in [0, 1]; the rate falls to 0 along half a cosine.
    """
    centres = (np.arange(width) + rng.uniform(0, 1, width)) / width
    steepness = rng.choice([-1.0, 1.0], width) * (2 + width)
    hidden = Layer(steepness[None, :], -steepness * centres, ACTIVATIONS["tanh"])
    output = Layer(np.zeros((width, 1)), np.zeros(1), ACTIVATIONS["linear"])
    network, adam, loss = [hidden, output], Adam(), LOSSES["squared"]
    x = np.linspace(0, 1, 257)[:, None]
    targets = function(x)
    for step in range(steps):
        adam.rate = 0.05 * (1 + np.cos(np.pi * step / steps)) / 2
        outputs, traces = forward(network, x)
        gradients = backward(network, traces, loss.gradient(outputs, targets))
        adam.step(parameters(network), [array for pair in gradients for array in pair])
    return network


def deep_sawtooth(levels: int) -> Network:
    """`layers` hidden layers of 2 neurons (ReLU) that fold [0, 1] again and again.

    Two neurons make a tent of height 1 over [0, 1]:  T(x) = 2·relu(x) − 4·relu(x − ½).  A tent of
    a tent is two tents, and so on: T(T(…T(x))) has 2ᵏ straight pieces.
    """
    relu = ACTIVATIONS["relu"]
    biases = np.array([0.0, -0.5])
    tent = np.array([[2.0], [-4.0]])
    first = Layer(np.ones((1, 2)), biases, relu)
    # the tent of the layer before is the input of both neurons
    later = [Layer(np.hstack([tent, tent]), biases, relu) for _ in range(levels - 1)]
    return [first, *later, Layer(tent, np.zeros(1), ACTIVATIONS["linear"])]


def shallow_sawtooth(levels: int) -> Network:
    """The same sawtooth with one hidden layer: a neuron for each of its 2ᵏ pieces."""
    pieces = 2**levels
    slopes = np.where(np.arange(pieces) % 2 == 0, pieces, -pieces).astype(np.float64)
    turns = np.diff(slopes, prepend=0.0)  # a neuron turns the line by its weight
    hidden = Layer(np.ones((1, pieces)), -np.arange(pieces) / pieces, ACTIVATIONS["relu"])
    return [hidden, Layer(turns[:, None], np.zeros(1), ACTIVATIONS["linear"])]


def fit_sawtooth(levels: int, width: int) -> Network:
    """One hidden layer of `width` neurons (ReLU), evenly spread, as near to it as they come.

    The bends stay where they are, so that the best weights are the solution of linear equations.
    """
    bends = np.arange(width) / width
    hidden = Layer(np.ones((1, width)), -bends, ACTIVATIONS["relu"])
    x = np.linspace(0, 1, 1025)
    columns = np.hstack([np.maximum(x[:, None] - bends, 0), np.ones((len(x), 1))])
    best, *_ = np.linalg.lstsq(columns, answer(deep_sawtooth(levels), x), rcond=None)
    return [hidden, Layer(best[:-1, None], best[-1:], ACTIVATIONS["linear"])]


def count_pieces(network: Network, finest: int) -> int:
    """Straight pieces on [0, 1], if every bend lies at a multiple of 2⁻ᶠ, where all is exact."""
    slopes = np.diff(answer(network, np.linspace(0, 1, 2**finest + 1)))
    return 1 + int(np.count_nonzero(np.diff(slopes)))
