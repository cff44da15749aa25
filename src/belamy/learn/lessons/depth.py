"""The sixth lesson: what depth buys."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from belamy.checks import Between
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, as_lesson
from belamy.learn.texts import texts

__all__ = ["depth", "depth_steps"]


@as_lesson
def depth(*, layers: Annotated[int, Between(1, 10)] = 6, language: Language = "en") -> Lesson:
    """What depth buys: 2k neurons in k layers fold a line into a sawtooth of 2ᵏ pieces.

    Args:
        layers: of the deepest network; each has 2 neurons.
        language: of the texts.
    """
    from belamy.basics.approximation import count_pieces, deep_sawtooth
    from belamy.learn.drawings.depth import draw_depth

    say = texts(language)
    yield say("depth.begin")
    for layer in range(1, layers + 1):
        network = deep_sawtooth(layer)
        pieces = count_pieces(network, layer + 2)
        neurons = sum(one.biases.size for one in network[:-1])
        yield say("depth.layer", layer=layer, neurons=neurons, pieces=pieces, needed=pieces - 1)
        yield partial(draw_depth, layer, layers, say)
    yield say("depth.end")


depth_steps = as_engine(depth)
