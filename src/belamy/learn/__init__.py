"""How a machine learns, in lessons: `belamy.learn.neuron()` and the others give their pictures."""

from __future__ import annotations

from belamy.learn.api import (
    approximation,
    backprop,
    classifier,
    cnn,
    complexity,
    depth,
    gan_toy,
    mlp,
    neuron,
    perceptron,
)

__all__ = [
    "approximation",
    "backprop",
    "classifier",
    "cnn",
    "complexity",
    "depth",
    "gan_toy",
    "mlp",
    "neuron",
    "perceptron",
]
