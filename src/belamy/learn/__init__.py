"""How a machine learns, in lessons: `belamy learn` as functions, each of which gives its picture.

    belamy.learn.neuron(weights="1,1").save("and.png")

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

from belamy.learn.lessons.approximation import approximation_steps
from belamy.learn.lessons.backprop import backprop_steps
from belamy.learn.lessons.classifier import classifier_steps
from belamy.learn.lessons.cnn import cnn_steps
from belamy.learn.lessons.complexity import complexity_steps
from belamy.learn.lessons.depth import depth_steps
from belamy.learn.lessons.gan import gan_toy_steps
from belamy.learn.lessons.mlp import mlp_steps
from belamy.learn.lessons.neuron import neuron_steps
from belamy.learn.lessons.perceptron import perceptron_steps
from belamy.steps import run_to_end

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

approximation = run_to_end(approximation_steps)
backprop = run_to_end(backprop_steps)
classifier = run_to_end(classifier_steps)
cnn = run_to_end(cnn_steps)
complexity = run_to_end(complexity_steps)
depth = run_to_end(depth_steps)
gan_toy = run_to_end(gan_toy_steps)
mlp = run_to_end(mlp_steps)
neuron = run_to_end(neuron_steps)
perceptron = run_to_end(perceptron_steps)
