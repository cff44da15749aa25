"""A small network learns moons and spirals, live: its weights after each few epochs."""

from __future__ import annotations

import functools
import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from belamy.basics.mlp import LOSSES, OPTIMISERS, Network, forward, make_network, train
from belamy.basics.points import POINTS
from belamy.errors import Diverged
from belamy.studio.catalog.lessons import MlpLesson
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.pace import Pace, end_lesson

__all__ = ["teach"]

Array: TypeAlias = "NDArray[np.float64]"

_DIGITS = 4


def teach(order: Order, control: Control, channel: Channel) -> None:
    """Train, and say after each few epochs how it stands.

    Raises:
        Diverged: the loss is no longer a number.
    """
    options: MlpLesson = order.make_options()
    rng = np.random.default_rng(options.seed)
    inputs, labels = POINTS[options.points](options.count, options.noise, rng)
    network = make_network((2, *options.hidden, 1), rng, hidden=options.activation)
    rule = OPTIMISERS[options.optimiser](rate=options.rate)
    learning = train(
        network, inputs, labels[:, None], LOSSES["logistic"], rule, rng, batch=options.batch
    )
    points = np.column_stack([inputs, labels])
    pace = Pace(order, control, channel, options.epochs, paused=options.paused)
    pace.send(0, {**_describe(network, inputs, labels, options), "points": _round(points)})
    describe = functools.partial(_describe, network, inputs, labels, options)
    for epoch in pace.steps(describe):
        with np.errstate(over="ignore", invalid="ignore"):
            loss = next(learning)
        if not math.isfinite(loss):
            raise Diverged(f"the loss is no number in epoch {epoch}; take a smaller rate")
        if pace.is_due(epoch):
            pace.send(epoch, describe())
    end_lesson(order, control, channel)


def _describe(network: Network, inputs: Array, labels: Array, options: MlpLesson) -> dict[str, Any]:
    """The network as it is: weights, loss, accuracy."""
    outputs, _ = forward(network, inputs)
    loss = LOSSES["logistic"].value(outputs, labels[:, None])
    right = float(np.mean((outputs[:, 0] > 0) == (labels > 0.5)))
    layers = [
        {"weights": _round(layer.weights), "biases": _round(layer.biases)} for layer in network
    ]
    return {
        "lesson": "mlp",
        "loss": round(loss, _DIGITS),
        "accuracy": round(right, _DIGITS),
        "layers": layers,
        "activation": options.activation,
    }


def _round(values: Array) -> Any:
    return np.round(values, _DIGITS).tolist()
