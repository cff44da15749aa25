"""One neuron: a weighted sum and a threshold.

Source: McCulloch and Pitts, "A logical calculus of the ideas immanent in nervous activity", 1943;
Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the
brain", 1958; Novikoff, "On convergence proofs on perceptrons", 1962.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "GATES",
    "Gate",
    "Mistake",
    "Perceptron",
    "boolean_functions",
    "fires",
    "margin",
    "mistake_bound",
    "train_perceptron",
    "truth_table",
    "widest_margin",
    "xor_of_two_layers",
]

Array: TypeAlias = "NDArray[np.float64]"


def fires(inputs: Sequence[float], weights: Sequence[float], threshold: float) -> int:
    """The threshold neuron: 1 if Σᵢ wᵢ·xᵢ ≥ θ, else 0."""
    total = sum(weight * value for weight, value in zip(weights, inputs, strict=True))
    return int(total >= threshold)


class Gate(NamedTuple):
    """A neuron whose inputs are 0 or 1.

    McCulloch and Pitts' own neuron has inputs that excite and inputs that veto; here a weight
    below zero inhibits.
    """

    weights: tuple[float, ...]
    threshold: float


GATES = {
    "AND": Gate((1, 1), 2),
    "OR": Gate((1, 1), 1),
    "NAND": Gate((-1, -1), -1),
    "NOR": Gate((-1, -1), 0),
    "NOT": Gate((-1,), 0),
}
"""The logic gates that one neuron can be. XOR is not among them, and cannot be:

It would have to be silent at (0, 0), so 0 < θ; fire at (1, 0) and at (0, 1), so w₁ ≥ θ and w₂ ≥ θ;
and be silent at (1, 1), so w₁ + w₂ < θ. But the middle two say w₁ + w₂ ≥ 2θ, and 2θ > θ because
θ > 0. No weights do all four.
"""


def truth_table(weights: Sequence[float], threshold: float) -> tuple[int, ...]:
    """What the neuron answers to all inputs of 0 and 1: 00, 01, 10, 11 when it has two."""
    corners = itertools.product((0, 1), repeat=len(weights))
    return tuple(fires(corner, weights, threshold) for corner in corners)


def boolean_functions(inputs: int) -> set[tuple[int, ...]]:
    """Every truth table that one neuron with weights −2, −1, 0, 1 or 2 can have.

    For two inputs and for three, no other weights add any: 14 of 16, and 104 of 256.
    """
    weights = itertools.product((-2, -1, 0, 1, 2), repeat=inputs)
    thresholds = range(-2 * inputs, 2 * inputs + 2)
    return {truth_table(w, threshold) for w in weights for threshold in thresholds}


def xor_of_two_layers(a: int, b: int) -> int:
    """What one neuron cannot, three can: a XOR b = (a OR b) AND (a NAND b)."""
    either = fires((a, b), *GATES["OR"])
    not_both = fires((a, b), *GATES["NAND"])
    return fires((either, not_both), *GATES["AND"])


@dataclass(frozen=True)
class Perceptron:
    """A neuron that answers +1 where w·x + b > 0, and −1 elsewhere.

    Args:
        weights: (D,), w.
        bias: b, the threshold with its sign turned.
    """

    weights: Array
    bias: float

    def decide(self, points: Array) -> Array:
        """(N, D) → (N,), each +1 or −1."""
        return np.where(points @ self.weights + self.bias > 0, 1.0, -1.0)


@dataclass(frozen=True)
class Mistake:
    """The perceptron after one correction.

    Args:
        sweep: in which pass over the points it happened, from 1.
        index: of the point that was on the wrong side.
        perceptron: with the new weights.
    """

    sweep: int
    index: int
    perceptron: Perceptron


def train_perceptron(points: Array, labels: Array, sweeps: int = 100) -> list[Mistake]:
    """Rosenblatt's rule: whenever y·(w·x + b) ≤ 0, add y·x to the weights and y to the bias.

    Args:
        points: (N, D), x.
        labels: (N,), y, each +1 or −1.
        sweeps: passes over all points, at most; it stops after one without mistakes.

    Returns:
        Every correction, in order. If the last one came in sweep `sweeps`, the points may not be
        separable; otherwise the last perceptron separates them all.
    """
    weights, bias = np.zeros(points.shape[1]), 0.0
    mistakes: list[Mistake] = []
    for sweep in range(1, sweeps + 1):
        before = len(mistakes)
        for index, (point, label) in enumerate(zip(points, labels, strict=True)):
            if label * (weights @ point + bias) <= 0:
                weights, bias = weights + label * point, bias + label
                mistakes.append(Mistake(sweep, index, Perceptron(weights, float(bias))))
        if len(mistakes) == before:
            break
    return mistakes


def margin(perceptron: Perceptron, points: Array, labels: Array) -> float:
    """γ = minᵢ yᵢ·(w·xᵢ + b) / ‖(w, b)‖: how far from the border the nearest point is.

    It is measured in the space where every point has one more coordinate, always 1, so that the
    bias is a weight like the others. Below zero, a point is on the wrong side.
    """
    length = float(np.sqrt(perceptron.weights @ perceptron.weights + perceptron.bias**2))
    return float(np.min(labels * (points @ perceptron.weights + perceptron.bias))) / length


def widest_margin(points: Array, labels: Array, steps: int = 4000) -> Perceptron:
    """The line whose margin is nearly the widest that there is, if the points are separable.

    It stands across the shortest way from the origin to the hull of all y·(x, 1). Gilbert's way to
    find it (1966): take the vector that is least on the right side of w, and bring w as near to
    the origin as it gets on the way there; again and again.
    """
    vectors = labels[:, None] * np.hstack([points, np.ones((len(points), 1))])
    w = vectors[0]
    for _ in range(steps):
        way = vectors[np.argmin(vectors @ w)] - w
        if way @ way == 0:
            break
        w = w + np.clip(-(w @ way) / (way @ way), 0, 1) * way
    return Perceptron(w[:-1], float(w[-1]))


def mistake_bound(points: Array, gamma: float) -> float:
    """Novikoff's bound: if some line leaves a margin γ, the rule errs at most (R / γ)² times.

    R is the length of the longest point (x, 1). Each mistake turns w towards the line by at least
    γ, and lengthens it by at most R² in the square; so k·γ ≤ ‖w‖ ≤ √k·R.
    """
    longest = float(np.max(np.sum(points**2, axis=1) + 1))
    return longest / gamma**2
