"""A neuron as a graph, and as a line in the plane."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from belamy.basics.neuron import GATES, fires
from belamy.learn.drawings.style import BLUE, GREY, INK, LINE, OCHRE, PAPER, RED, hide_frame, sheet
from belamy.learn.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_neuron"]

_CORNERS = tuple(itertools.product((0, 1), repeat=2))
_SMALL = ("AND", "OR", "NAND", "XOR")


def draw_neuron(
    weights: Sequence[float],
    threshold: float,
    say: Texts,
    inputs: Sequence[int] | None = None,
) -> Figure:
    """The neuron, its line, and the lines of the gates.

    Args:
        weights: w₁ and w₂.
        threshold: θ.
        say: the texts.
        inputs: what it is given just now; None for nothing in particular.
    """
    figure, axes = sheet(
        say("neuron.title"),
        say("neuron.remark"),
        [["cell", "plane", "AND", "OR"], ["cell", "plane", "NAND", "XOR"]],
        widths=[2.1, 2.1, 1, 1],
        left=0.045,
        bottom=0.07,
        top=0.8,
        wspace=0.25,
        hspace=0.3,
    )
    _cell(axes["cell"], weights, threshold, inputs)
    _corners(axes["plane"], [fires(corner, weights, threshold) for corner in _CORNERS], 480)
    _line(axes["plane"], weights, threshold)
    _name_corners(axes["plane"], say)
    if inputs is not None:
        axes["plane"].plot(*inputs, "o", ms=38, mfc="none", mec=OCHRE, mew=4)
    for name in _SMALL:
        _gate(axes[name], name, say)
    return figure


def _cell(
    axes: Axes, weights: Sequence[float], threshold: float, inputs: Sequence[int] | None
) -> None:
    """Two inputs, two weights, a body with its threshold, one output."""
    from matplotlib.patches import Circle

    hide_frame(axes)
    axes.set(xlim=(-0.25, 2.55), ylim=(-1.35, 1.35))
    body, answer = (1.25, 0.0), (2.3, 0.0)
    for index, (height, weight) in enumerate(zip((0.85, -0.85), weights, strict=True)):
        lit = inputs is not None and inputs[index] == 1
        colour = BLUE if weight >= 0 else RED
        thickness = 1.5 + 2.5 * min(abs(weight), 3)
        axes.plot(
            (0, body[0]),
            (height, 0),
            color=colour if lit or inputs is None else LINE,
            lw=thickness,
            zorder=1,
        )
        axes.text(
            0.72,
            height * 0.72,
            f"$w_{index + 1}$ = {weight:g}".replace("-", "−"),
            color=colour,
            va="center",
        )
        label = f"$x_{index + 1}$" if inputs is None else f"{inputs[index]}"
        axes.add_patch(Circle((0, height), 0.2, fc=OCHRE if lit else PAPER, ec=INK, lw=2))
        axes.text(0, height, label, ha="center", va="center", fontsize=17)
    active = inputs is not None and fires(inputs, weights, threshold) == 1
    axes.plot((body[0], answer[0]), (0, 0), color=OCHRE if active else GREY, lw=4, zorder=1)
    axes.add_patch(Circle(body, 0.42, fc=OCHRE if active else PAPER, ec=INK, lw=2.5))
    axes.text(*body, f"Σ ≥ {threshold:g}".replace("-", "−"), ha="center", va="center", fontsize=14)
    text = "$y$" if inputs is None else str(int(active))
    axes.add_patch(Circle(answer, 0.2, fc=OCHRE if active else PAPER, ec=INK, lw=2))
    axes.text(*answer, text, ha="center", va="center", fontsize=17)


def _corners(axes: Axes, answers: Sequence[int], size: float) -> None:
    """The four inputs: full where the neuron fires, hollow where it rests."""
    axes.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), xticks=(0, 1), yticks=(0, 1), aspect="equal")
    for corner, answer in zip(_CORNERS, answers, strict=True):
        fill = BLUE if answer else PAPER
        axes.scatter(
            corner[0], corner[1], s=size, color=fill, edgecolors=BLUE, linewidths=2.5, zorder=3
        )


def _line(axes: Axes, weights: Sequence[float], threshold: float) -> None:
    """The border w·x = θ, and the side on which the neuron fires."""
    ticks = np.linspace(-0.4, 1.4, 361)
    x, y = np.meshgrid(ticks, ticks)
    above = weights[0] * x + weights[1] * y - threshold
    if above.min() < 0 <= above.max():
        axes.contour(x, y, above, levels=[0.0], colors=[INK], linewidths=2.5)
    axes.contourf(x, y, above >= 0, levels=[0.5, 1.5], colors=[BLUE], alpha=0.16)


def _name_corners(axes: Axes, say: Texts) -> None:
    axes.set_xlabel("$x_1$")
    axes.set_ylabel("$x_2$", rotation=0, labelpad=12)
    for fill, key, index in ((BLUE, "neuron.active", 0.0), (PAPER, "neuron.silent", 0.5)):
        axes.scatter(
            index + 0.03,
            1.07,
            s=150,
            color=fill,
            edgecolors=BLUE,
            linewidths=2,
            transform=axes.transAxes,
            clip_on=False,
        )
        axes.text(index + 0.09, 1.07, say(key), transform=axes.transAxes, va="center")


def _gate(axes: Axes, name: str, say: Texts) -> None:
    """A gate in small; XOR without a line, since there is none."""
    gate = GATES.get(name)
    answers = [a ^ b if gate is None else fires((a, b), *gate) for a, b in _CORNERS]
    _corners(axes, answers, 130)
    axes.set_title(name, fontsize=15, pad=6)
    axes.set(xticks=(), yticks=())
    if gate is None:
        axes.set_xlabel(say("neuron.no_line"), color=RED, fontsize=12)
    else:
        # half a unit before the threshold: the same table, and a line between the corners
        _line(axes, gate.weights, gate.threshold - 0.5)
