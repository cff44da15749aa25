"""Toy data: points in the plane, of two classes, for a network to part.

Each maker takes how many points, how far noise throws them, and a random generator; it returns the
points (N, 2), most of them in [−1, 1]², and the labels (N,), 0 or 1, half of each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["POINTS", "blobs", "circles", "moons", "spirals", "xor"]

Array: TypeAlias = "NDArray[np.float64]"
Maker: TypeAlias = Callable[[int, float, np.random.Generator], tuple[Array, Array]]

# Of the two blobs: each from the line between them, and that line from the middle. By eye, so that
# a perceptron has something to do.
_APART, _ASIDE = 0.06, 0.25


def moons(count: int, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Two half circles that hook into each other: a curve can part them, a line cannot."""
    labels = _labels(count)
    angle = rng.uniform(0, np.pi, count)
    turn = 1 - 2 * labels  # +1 for the upper moon, −1 for the lower
    x = turn * np.cos(angle) + labels - 0.5
    y = turn * np.sin(angle) + 0.5 * labels - 0.25
    return _add_noise(np.stack([x, y], axis=1) / 1.5, noise, rng), labels


def circles(count: int, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """A ring around a ring: what is inside must be told from what is outside."""
    labels = _labels(count)
    angle = rng.uniform(0, 2 * np.pi, count)
    radius = np.where(labels == 1, 0.4, 0.9)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return _add_noise(points, noise, rng), labels


def spirals(count: int, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Two arms wound around each other one and a half times: the hard one."""
    labels = _labels(count)
    along = np.sqrt(rng.uniform(0.01, 1, count))  # even along the arm, not crowded at the start
    angle = 3 * np.pi * along + np.pi * labels
    points = np.stack([along * np.cos(angle), along * np.sin(angle)], axis=1)
    return _add_noise(points, noise, rng), labels


def xor(count: int, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Four squares in a chequered pattern: the gate that no single neuron can be."""
    labels = _labels(count)
    x, y = rng.uniform(0.08, 0.95, (2, count))
    side = rng.choice([-1.0, 1.0], count)
    points = np.stack([side * x, side * (1 - 2 * labels) * y], axis=1)
    return _add_noise(points, noise, rng), labels


def blobs(count: int, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Two classes on the two sides of a slanting line, with a gap: without noise, separable."""
    labels = _labels(count)
    across = np.array([0.6, 0.8])  # of length 1, so that the gap is what it says
    along = np.array([-0.8, 0.6])
    distance = _ASIDE + (2 * labels - 1) * (_APART + rng.uniform(0, 0.6, count))
    points = distance[:, None] * across + rng.uniform(-0.8, 0.8, (count, 1)) * along
    return _add_noise(points, noise, rng), labels


POINTS: dict[str, Maker] = {
    "moons": moons,
    "circles": circles,
    "spirals": spirals,
    "xor": xor,
    "blobs": blobs,
}


def _labels(count: int) -> Array:
    return (np.arange(count) % 2).astype(np.float64)


def _add_noise(points: Array, noise: float, rng: np.random.Generator) -> Array:
    return points + noise * rng.standard_normal(points.shape)
