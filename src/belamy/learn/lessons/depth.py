"""The sixth lesson: what depth buys."""

from __future__ import annotations

from functools import partial

from belamy.learn.lessons import Language, Lesson
from belamy.learn.lessons.options import within
from belamy.learn.texts import texts

__all__ = ["depth"]


def depth(*, levels: int = 6, language: Language = "en") -> Lesson:
    """What depth buys: 2k neurons in k levels fold a line into a sawtooth of 2ᵏ pieces.

    Args:
        levels: of the deepest network, 1 to 10; each has 2 neurons.
        language: of the texts.
    """
    from belamy.basics.approximation import count_pieces, deep_sawtooth
    from belamy.learn.drawings.depth import draw_depth

    say = texts(language)
    within("--levels", levels, 1, 10)
    yield say("depth.begin")
    for level in range(1, levels + 1):
        network = deep_sawtooth(level)
        pieces = count_pieces(network, level + 2)
        neurons = sum(one.biases.size for one in network[:-1])
        yield say("depth.level", level=level, neurons=neurons, pieces=pieces, needed=pieces - 1)
        yield partial(draw_depth, level, levels, say)
    yield say("depth.end")
