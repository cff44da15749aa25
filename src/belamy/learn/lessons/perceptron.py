"""The second lesson: a neuron that learns from its mistakes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from belamy.checks import Between
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, Seed, as_lesson
from belamy.learn.lessons.options import choose
from belamy.learn.texts import Texts, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belamy.basics.neuron import Array, Mistake

__all__ = ["perceptron", "perceptron_steps"]

_FRAMES = 40


@as_lesson
def perceptron(
    *,
    points: str = "blobs",
    count: Annotated[int, Between(4, 1000)] = 80,
    noise: Annotated[float, Between(0, 1)] = 0.0,
    sweeps: Annotated[int, Between(1, 200)] = 30,
    seed: Seed = 0,
    language: Language = "en",
) -> Lesson:
    """Rosenblatt's perceptron: a line that every mistake turns a little.

    Args:
        points: what to part: blobs, moons, circles, spirals or xor; a line can part only blobs.
        count: how many points.
        noise: standard deviation of what is added to them.
        sweeps: passes over all points, at most.
        seed: of the points.
        language: of the texts.
    """
    import numpy as np

    from belamy.basics.neuron import train_perceptron
    from belamy.basics.points import POINTS
    from belamy.learn.drawings.perceptron import draw_perceptron

    say = texts(language)
    make_points = choose("points", points, POINTS)
    inputs, classes = make_points(count, noise, np.random.default_rng(seed))
    labels = 2 * classes - 1
    mistakes = train_perceptron(inputs, labels, sweeps)
    yield say("perceptron.points", count=count, points=say.name(points), seed=seed)
    yield say("perceptron.rule")
    yield from _numbers(mistakes, inputs, labels, sweeps, say)
    for end in sorted({max(1, round(part * len(mistakes) / _FRAMES)) for part in range(_FRAMES)}):
        yield partial(draw_perceptron, mistakes, end, inputs, labels, say)
    yield partial(draw_perceptron, mistakes, len(mistakes), inputs, labels, say)


def _numbers(
    mistakes: list[Mistake], inputs: Array, labels: Array, sweeps: int, say: Texts
) -> Iterator[str]:
    """How often it erred, and whether it is done."""
    from belamy.basics.neuron import margin, mistake_bound, widest_margin

    last = mistakes[-1]
    counts = [sum(one.sweep == sweep for one in mistakes) for sweep in range(1, last.sweep + 1)]
    shown = ", ".join(map(str, counts[:12])) + (", …" if len(counts) > 12 else "")
    yield say("perceptron.mistakes", counts=shown)
    wrong = int((last.perceptron.decide(inputs) != labels).sum())
    if wrong > 0:
        yield say("perceptron.never", sweeps=sweeps, wrong=wrong, count=len(labels))
        return
    yield say("perceptron.done", mistakes=len(mistakes))
    gamma = margin(widest_margin(inputs, labels), inputs, labels)
    bound = int(mistake_bound(inputs, gamma))
    yield say("perceptron.bound", gamma=gamma, bound=bound)


perceptron_steps = as_engine(perceptron)
