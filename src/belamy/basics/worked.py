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
    Layer,
    Network,
    backward,
    forward,
    make_network,
    parameters,
)

__all__ = ["TrainingStep", "round_network", "take_step"]

Array: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True)
class TrainingStep:
    """What happened in the step; the index 0 is the hidden layer, 1 the output.

    Args:
        inputs: (2,), x.
        target: t, what the network should answer.
        rate: η.
        before: the network.
        after: the network with its new weights.
        sums: z of each layer.
        answers: σ(z) of each layer; the last is the output y.
        error: E, of the output.
        output_gradient: ∂E/∂y.
        deltas: ∂E/∂z of each layer.
        gradients: (∂E/∂W, ∂E/∂b) of each layer.
        new_output: y with the new weights.
        new_error: E with the new weights.
    """

    inputs: Array
    target: float
    rate: float
    before: Network
    after: Network
    sums: tuple[Array, Array]
    answers: tuple[Array, Array]
    error: float
    output_gradient: float
    deltas: tuple[Array, Array]
    gradients: tuple[tuple[Array, Array], ...]
    new_output: float
    new_error: float

    @property
    def output(self) -> float:
        """What the network answered, y."""
        return float(self.answers[1][0])


def round_network(rng: np.random.Generator) -> Network:
    """2-2-1 neurons with sigmoids, and weights of one digit, so that a hand can follow."""
    network = make_network((2, 2, 1), rng, hidden="sigmoid", output="sigmoid")
    tenths = np.array([number for number in range(-9, 10) if number != 0])
    for array in parameters(network):
        array[...] = rng.choice(tenths, array.shape) / 10
    return network


def take_step(
    network: Network, inputs: Array, target: float, rate: float, loss: str
) -> TrainingStep:
    """Forward, error, backward, one step of SGD.

    Args:
        network: of 2-2-1 neurons; it stays as it is.
        inputs: (2,).
        target: t.
        rate: η.
        loss: a key of `mlp.LOSSES`: absolute for |y − t|, squared for ½ (y − t)².
    """
    rule, targets = LOSSES[loss], np.array([[target]])
    outputs, traces = forward(network, inputs[None])
    output_gradient = rule.gradient(outputs, targets)
    gradients = backward(network, traces, output_gradient)
    after = [Layer(one.weights.copy(), one.biases.copy(), one.activation) for one in network]
    SGD(rate).step(parameters(after), [array for pair in gradients for array in pair])
    new_outputs, _ = forward(after, inputs[None])
    hidden, output = (trace.sums[0] for trace in traces)
    return TrainingStep(
        inputs=inputs,
        target=target,
        rate=rate,
        before=network,
        after=after,
        sums=(hidden, output),
        answers=(ACTIVATIONS["sigmoid"].value(hidden), outputs[0]),
        error=rule.value(outputs, targets),
        output_gradient=float(output_gradient[0, 0]),
        deltas=(
            gradients[0][1],
            gradients[1][1],
        ),  # b is added to z, so their gradients are the same
        gradients=tuple(gradients),
        new_output=float(new_outputs[0, 0]),
        new_error=rule.value(new_outputs, targets),
    )
