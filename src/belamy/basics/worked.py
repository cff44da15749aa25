"""One step of learning on a network of 2-2-1 neurons, with every number kept.

The same passes as in `mlp`; here nothing is thrown away, so that each number can be shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from belamy.basics.mlp import (
    ACTIVATIONS,
    LOSSES,
    SGD,
    Level,
    Network,
    backward,
    forward,
    make_network,
    parameters,
)

__all__ = ["Worked", "round_network", "work"]

Array: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True)
class Worked:
    """What happened in the step; the index 0 is the hidden level, 1 the output.

    Args:
        inputs: (2,), x.
        wanted: t, what the network should answer.
        rate: η.
        before: the network.
        after: the network with its new weights.
        sums: z of each level.
        answers: σ(z) of each level; the last is the output y.
        error: E, of the output.
        slope: ∂E/∂y.
        slopes: ∂E/∂z of each level.
        gradients: (∂E/∂W, ∂E/∂b) of each level.
        new_output: y with the new weights.
        new_error: E with the new weights.
    """

    inputs: Array
    wanted: float
    rate: float
    before: Network
    after: Network
    sums: tuple[Array, Array]
    answers: tuple[Array, Array]
    error: float
    slope: float
    slopes: tuple[Array, Array]
    gradients: tuple[tuple[Array, Array], ...]
    new_output: float
    new_error: float

    @property
    def output(self) -> float:
        """What the network answered, y."""
        return float(self.answers[1][0])


def round_network(random: np.random.Generator) -> Network:
    """2-2-1 neurons with sigmoids, and weights of one digit, so that a hand can follow."""
    network = make_network((2, 2, 1), random, hidden="sigmoid", output="sigmoid")
    tenths = np.array([number for number in range(-9, 10) if number != 0])
    for array in parameters(network):
        array[...] = random.choice(tenths, array.shape) / 10
    return network


def work(network: Network, inputs: Array, wanted: float, rate: float, loss: str) -> Worked:
    """Forward, error, backward, one step of SGD.

    Args:
        network: of 2-2-1 neurons; it stays as it is.
        inputs: (2,).
        wanted: t.
        rate: η.
        loss: a key of `mlp.LOSSES`: absolute for |y − t|, squared for ½ (y − t)².
    """
    rule, target = LOSSES[loss], np.array([[wanted]])
    outputs, traces = forward(network, inputs[None])
    slope = rule.slope(outputs, target)
    gradients = backward(network, traces, slope)
    after = [Level(one.weights.copy(), one.biases.copy(), one.activation) for one in network]
    SGD(rate).step(parameters(after), [array for pair in gradients for array in pair])
    new_outputs, _ = forward(after, inputs[None])
    hidden, output = (trace.sums[0] for trace in traces)
    return Worked(
        inputs=inputs,
        wanted=wanted,
        rate=rate,
        before=network,
        after=after,
        sums=(hidden, output),
        answers=(ACTIVATIONS["sigmoid"].value(hidden), outputs[0]),
        error=rule.value(outputs, target),
        slope=float(slope[0, 0]),
        slopes=(gradients[0][1], gradients[1][1]),  # b is added to z, so their slopes are the same
        gradients=tuple(gradients),
        new_output=float(new_outputs[0, 0]),
        new_error=rule.value(new_outputs, target),
    )
