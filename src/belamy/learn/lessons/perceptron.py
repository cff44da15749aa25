"""The second lesson: a neuron that learns from its mistakes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from belamy.learn.lessons import Language, Lesson
from belamy.learn.lessons.options import known, within
from belamy.learn.texts import Texts, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belamy.basics.neuron import Array, Mistake

__all__ = ["perceptron"]

_FRAMES = 40


def perceptron(
    *,
    points: str = "blobs",
    count: int = 80,
    noise: float = 0.0,
    sweeps: int = 30,
    seed: int = 0,
    language: Language = "en",
) -> Lesson:
    """Rosenblatt's perceptron: a line that every mistake turns a little.

    Args:
        points: what to part: blobs, moons, circles, spirals or xor; a line can part only blobs.
        count: how many points, 4 to 1000.
        noise: how far chance throws them, 0 to 1.
        sweeps: passes over all points, at most, 1 to 200.
        seed: of the points.
        language: of the texts.
    """
    import numpy as np

    from belamy.basics.neuron import train_perceptron
    from belamy.basics.points import POINTS
    from belamy.learn.drawings.perceptron import draw_perceptron

    say = texts(language)
    make = POINTS[known("points", points, POINTS)]
    within("--count", count, 4, 1000)
    within("--noise", noise, 0.0, 1.0)
    within("--sweeps", sweeps, 1, 200)
    places, classes = make(count, noise, np.random.default_rng(within("--seed", seed, 0, 2**63)))
    labels = 2 * classes - 1
    mistakes = train_perceptron(places, labels, sweeps)
    yield say("perceptron.points", count=count, points=points, seed=seed)
    yield say("perceptron.rule")
    yield from _numbers(mistakes, places, labels, sweeps, say)
    for end in sorted({max(1, round(part * len(mistakes) / _FRAMES)) for part in range(_FRAMES)}):
        yield partial(draw_perceptron, mistakes, end, places, labels, say)
    yield partial(draw_perceptron, mistakes, len(mistakes), places, labels, say)


def _numbers(
    mistakes: list[Mistake], places: Array, labels: Array, sweeps: int, say: Texts
) -> Iterator[str]:
    """How often it erred, and whether it is done."""
    from belamy.basics.neuron import margin, mistakes_allowed, widest_margin

    last = mistakes[-1]
    counts = [sum(one.sweep == sweep for one in mistakes) for sweep in range(1, last.sweep + 1)]
    shown = ", ".join(map(str, counts[:12])) + (", …" if len(counts) > 12 else "")
    yield say("perceptron.mistakes", counts=shown)
    wrong = int((last.perceptron.decide(places) != labels).sum())
    if wrong > 0:
        yield say("perceptron.never", sweeps=sweeps, wrong=wrong, count=len(labels))
        return
    yield say("perceptron.done", mistakes=len(mistakes))
    gamma = margin(widest_margin(places, labels), places, labels)
    bound = int(mistakes_allowed(places, gamma))
    yield say("perceptron.bound", gamma=gamma, bound=bound)
