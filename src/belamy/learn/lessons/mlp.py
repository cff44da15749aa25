"""The third lesson: a network of several levels that learns to part points."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Literal

from belamy.errors import Diverged
from belamy.learn.lessons import Language, Lesson
from belamy.learn.lessons.options import known, numbers, within
from belamy.learn.texts import Texts, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belamy.basics.mlp import Array, Network

__all__ = ["mlp"]

_BATCH = 32  # examples that make one step
_FRAMES = 48
_TOLD = 5  # lines with a loss


def mlp(
    *,
    points: str = "moons",
    hidden: str = "8,8",
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh",
    optimiser: Literal["adam", "sgd"] = "adam",
    rate: float = 0.01,
    epochs: int = 150,
    count: int = 300,
    noise: float = 0.08,
    seed: int = 0,
    language: Language = "en",
) -> Lesson:
    """A feed-forward network learns to part two classes of points in the plane.

    Args:
        points: what to part: moons, circles, spirals, xor or blobs.
        hidden: neurons of each hidden level, as in 8,8; 1 to 64 each, 5 levels at most.
        activation: of the hidden neurons.
        optimiser: the rule of the steps.
        rate: size of the steps; sgd wants about 0.3.
        epochs: passes over all points, 1 to 5000.
        count: points to learn from, 8 to 2000; as many again are held out to be judged by.
        noise: how far chance throws the points, 0 to 1.
        seed: of the points and of the first weights.
        language: of the texts.
    """
    import numpy as np

    from belamy.basics.mlp import LOSSES, OPTIMISERS, make_network, train
    from belamy.basics.points import POINTS

    say = texts(language)
    make = POINTS[known("points", points, POINTS)]
    sizes = (2, *numbers("--hidden", hidden, int, 1, 64, most=5), 1)
    within("--rate", rate, 1e-6, 10.0)
    within("--epochs", epochs, 1, 5000)
    within("--count", count, 8, 2000)
    within("--noise", noise, 0.0, 1.0)
    random = np.random.default_rng(within("--seed", seed, 0, 2**63))
    seen, held_out = (make(count, noise, random) for _ in range(2))
    network = make_network(sizes, random, hidden=activation)
    weights = sum(level.weights.size + level.biases.size for level in network)
    yield say("mlp.network", sizes="-".join(map(str, sizes)), weights=weights)
    yield say("mlp.points", count=count, points=points, seed=seed)
    places, labels = seen
    rule, rows = OPTIMISERS[optimiser](rate=rate), labels[:, None]
    learning = train(network, places, rows, LOSSES["logistic"], rule, random, batch=_BATCH)
    yield from _watch(network, learning, epochs, seen, held_out, say)


def _watch(
    network: Network,
    learning: Iterator[float],
    epochs: int,
    seen: tuple[Array, Array],
    held_out: tuple[Array, Array],
    say: Texts,
) -> Lesson:
    """Let it learn, and say and show how it stands on the way."""
    import numpy as np

    from belamy.learn.drawings.mlp import Moment, draw_mlp

    moment = Moment(network, (), 0, epochs)
    film, told = (_chosen(epochs, parts) for parts in (_FRAMES, _TOLD))
    for epoch in range(epochs + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # which the next lines look for
            if epoch > 0:
                next(learning)
            moment = moment.then(seen, held_out)
        loss, other = moment.losses[-1]
        if not math.isfinite(loss + other):
            raise Diverged(f"the loss is no number in epoch {epoch}; take a smaller --rate")
        if epoch in told:
            right, count = moment.right, len(held_out[1])
            yield say("mlp.epoch", epoch=epoch, loss=loss, other=other, right=right, count=count)
        if epoch in film:
            yield partial(draw_mlp, moment.kept(), *seen, say)


def _chosen(epochs: int, parts: int) -> set[int]:
    """Epochs 0 to `epochs`, about `parts` of them, dense at first, when most happens."""
    return {round(epochs * (part / parts) ** 2) for part in range(parts + 1)}
