"""A line among points, where it was before, and how often it was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from belamy.basics.neuron import Array, Mistake, Perceptron
from belamy.learn.drawings.style import CLASSES, GREY, INK, LINE, OCHRE, sheet
from belamy.learn.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_perceptron"]

_EARLIER = 14  # lines of the past; more would be a thicket


def draw_perceptron(
    mistakes: list[Mistake], end: int, points: Array, labels: Array, say: Texts
) -> Figure:
    """The perceptron after the first `end` of its mistakes.

    Args:
        mistakes: all that it will make.
        end: how many it has made, at least one.
        points: (N, 2).
        labels: (N,), −1 or +1.
        say: the texts.
    """
    figure, axes = sheet(
        say("perceptron.title"), say("perceptron.remark"), [["plane", "counts"]], widths=[1.25, 1]
    )
    _plane(axes["plane"], mistakes[:end], points, labels)
    _counts(axes["counts"], mistakes, end, points, labels)
    axes["counts"].set_title(say("perceptron.counts", mistakes=end))
    axes["counts"].set_xlabel(say("perceptron.seen"))
    return figure


def _plane(axes: Axes, mistakes: list[Mistake], points: Array, labels: Array) -> None:
    reach = 1.08 * max(1.0, float(np.abs(points).max()))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=(), yticks=())
    axes.set_anchor("W")
    axes.spines[["left", "bottom"]].set_visible(False)
    earlier = mistakes[-_EARLIER - 1 : -1]
    for age, mistake in enumerate(earlier, start=1):
        strength = age / (len(earlier) + 1)
        _line(axes, mistake.perceptron, reach, color=GREY, lw=1.2, alpha=0.15 + 0.6 * strength)
    latest = mistakes[-1].perceptron
    ticks = np.linspace(-reach, reach, 300)
    x, y = np.meshgrid(ticks, ticks)
    side = latest.weights[0] * x + latest.weights[1] * y + latest.bias
    axes.contourf(x, y, side > 0, levels=[-0.5, 0.5, 1.5], colors=CLASSES, alpha=0.1)
    _line(axes, latest, reach, color=INK, lw=3.2)
    for label, colour in zip((-1, 1), CLASSES, strict=True):
        chosen = points[labels == label]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=70,
            color=colour,
            edgecolors="white",
            linewidths=1,
            zorder=3,
        )
    wrong = points[latest.decide(points) != labels]
    axes.scatter(
        wrong[:, 0],
        wrong[:, 1],
        s=210,
        facecolors="none",
        edgecolors=OCHRE,
        linewidths=2.5,
        zorder=4,
    )


def _line(axes: Axes, perceptron: Perceptron, reach: float, **style: object) -> None:
    """Where w·x + b = 0: from the point nearest to the middle, along the line, both ways."""
    length = float(perceptron.weights @ perceptron.weights)
    if length == 0:
        return
    foot = -perceptron.bias * perceptron.weights / length
    along = np.array([-perceptron.weights[1], perceptron.weights[0]]) / np.sqrt(length)
    ends = np.stack([foot - 4 * reach * along, foot + 4 * reach * along])
    axes.plot(*ends.T, **style)  # type: ignore[arg-type]


def _counts(axes: Axes, mistakes: list[Mistake], end: int, points: Array, labels: Array) -> None:
    """Mistakes so far against points looked at, a grey line after each sweep."""
    from matplotlib.ticker import MaxNLocator

    count = len(points)
    looks = [0, *((mistake.sweep - 1) * count + mistake.index + 1 for mistake in mistakes)]
    done = bool((mistakes[-1].perceptron.decide(points) == labels).all())
    last = (mistakes[-1].sweep + int(done)) * count  # the last sweep had no mistakes
    shown, heights = looks[: end + 1], list(range(end + 1))
    if done and end == len(mistakes):
        shown, heights = [*shown, last], [*heights, end]
    axes.vlines(range(count, last, count), 0, len(mistakes), color=LINE, lw=1.2)
    axes.step(shown, heights, where="post", color=OCHRE, lw=3.2)
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1.08 * max(4, len(mistakes)))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
