"""The first lesson: one neuron, what it can decide and what it cannot."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Annotated

from belamy.checks import Between
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, as_lesson
from belamy.learn.lessons.options import parse_numbers
from belamy.learn.texts import texts

__all__ = ["neuron", "neuron_steps"]

_RANGE = Between(-10, 10)  # beyond it the line just leaves the picture


@as_lesson
def neuron(
    *,
    weights: str = "1,1",
    threshold: Annotated[float, _RANGE] = 1.5,
    language: Language = "en",
) -> Lesson:
    """A threshold neuron: add up the inputs times their weights, and fire from a threshold on.

    Args:
        weights: of the two inputs, as in 1,1; from -10 to 10.
        threshold: from which sum on the neuron fires.
        language: of the texts.
    """
    from belamy.basics.neuron import GATES, boolean_functions, fires, truth_table
    from belamy.learn.drawings.neuron import draw_neuron

    say = texts(language)
    pair = parse_numbers("weights", weights, float, _RANGE, count=2)
    table = truth_table(pair, threshold)
    yield say("neuron.rule", w1=pair[0], w2=pair[1], threshold=threshold)
    for corner in itertools.product((0, 1), repeat=2):
        total = pair[0] * corner[0] + pair[1] * corner[1]
        key = "neuron.fires" if fires(corner, pair, threshold) else "neuron.rests"
        yield say(key, a=corner[0], b=corner[1], total=total, threshold=threshold)
        yield partial(draw_neuron, pair, threshold, say, corner)
    same = [name for name, gate in GATES.items() if truth_table(*gate) == table]
    yield say("neuron.is_gate", gate=same[0]) if same else say("neuron.no_gate")
    yield say("neuron.count", possible=len(boolean_functions(2)))
    yield say("neuron.xor")
    yield partial(draw_neuron, pair, threshold, say)


neuron_steps = as_engine(neuron)
