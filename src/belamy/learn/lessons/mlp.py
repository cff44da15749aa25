"""The third lesson: a network of several layers that learns to part points."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from belamy.checks import Between
from belamy.errors import Diverged
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, Seed, as_lesson
from belamy.learn.lessons.options import choose, parse_numbers
from belamy.learn.texts import Texts, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belamy.basics.mlp import Array, Network

__all__ = ["mlp", "mlp_steps"]

_BATCH = 32  # examples that make one step
_FRAMES = 48
_LINES = 5  # with a loss


@as_lesson
def mlp(
    *,
    points: str = "moons",
    hidden: str = "8,8",
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh",
    optimiser: Literal["adam", "sgd"] = "adam",
    learning_rate: Annotated[float, Between(1e-6, 10)] = 0.01,
    epochs: Annotated[int, Between(1, 5000)] = 150,
    count: Annotated[int, Between(8, 2000)] = 300,
    noise: Annotated[float, Between(0, 1)] = 0.08,
    seed: Seed = 0,
    language: Language = "en",
) -> Lesson:
    """A feed-forward network learns to part two classes of points in the plane.

    Args:
        points: what to part: moons, circles, spirals, xor or blobs.
        hidden: neurons of each hidden layer, as in 8,8; 1 to 64 each, 5 layers at most.
        activation: of the hidden neurons.
        optimiser: the rule of the steps.
        learning_rate: size of the steps; sgd wants about 0.3.
        epochs: passes over all points.
        count: points to learn from; as many again are held out to be judged by.
        noise: standard deviation of what is added to the points.
        seed: of the points and of the first weights.
        language: of the texts.
    """
    import numpy as np

    from belamy.basics.mlp import LOSSES, OPTIMISERS, make_network, train
    from belamy.basics.points import POINTS

    say = texts(language)
    make_points = choose("points", points, POINTS)
    sizes = (2, *parse_numbers("hidden", hidden, int, Between(1, 64), most=5), 1)
    rng = np.random.default_rng(seed)
    seen, held_out = (make_points(count, noise, rng) for _ in range(2))
    network = make_network(sizes, rng, hidden=activation)
    weights = sum(layer.weights.size + layer.biases.size for layer in network)
    yield say("mlp.network", sizes="-".join(map(str, sizes)), weights=weights)
    yield say("mlp.points", count=count, points=say.name(points), seed=seed)
    inputs, labels = seen
    rule, targets = OPTIMISERS[optimiser](rate=learning_rate), labels[:, None]
    learning = train(network, inputs, targets, LOSSES["logistic"], rule, rng, batch=_BATCH)
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

    from belamy.learn.drawings.mlp import Snapshot, draw_mlp

    snapshot = Snapshot(network, (), 0, epochs)
    film, reported = (_spread(epochs, parts) for parts in (_FRAMES, _LINES))
    for epoch in range(epochs + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # which the next lines look for
            if epoch > 0:
                next(learning)
            snapshot = snapshot.next(seen, held_out)
        loss, other = snapshot.losses[-1]
        if not math.isfinite(loss + other):
            raise Diverged(
                f"the loss is no number in epoch {epoch}; take a smaller --learning-rate"
            )
        if epoch in reported:
            right, count = snapshot.right, len(held_out[1])
            yield say("mlp.epoch", epoch=epoch, loss=loss, other=other, right=right, count=count)
        if epoch in film:
            yield partial(draw_mlp, snapshot.copy(), *seen, say)


def _spread(epochs: int, parts: int) -> set[int]:
    """Epochs 0 to `epochs`, about `parts` of them, dense at first, when most happens."""
    return {round(epochs * (part / parts) ** 2) for part in range(parts + 1)}


mlp_steps = as_engine(mlp)
