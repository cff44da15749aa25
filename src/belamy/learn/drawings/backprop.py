"""A network of 2-2-1 neurons with all its numbers on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belamy.basics.worked import TrainingStep
from belamy.learn.drawings.style import BLUE, GREEN, GREY, INK, OCHRE, PAPER, RED, hide_frame, sheet
from belamy.learn.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_backprop"]

FORWARD, ERROR, BACKWARD, UPDATE = range(4)
_POSITIONS = (((0.0, 1.0), (0.0, -1.0)), ((2.6, 1.0), (2.6, -1.0)), ((5.2, 0.0),))
_TARGET = (7.6, 0.0)
_RADIUS = 0.36


class _Edge(NamedTuple):
    """A connection: where it begins and ends, its weight before and after, its gradient."""

    start: tuple[float, float]
    end: tuple[float, float]
    old: float
    new: float
    gradient: float


def draw_backprop(step: TrainingStep, say: Texts, stage: int) -> Figure:
    """The network at one of four stages: forward, error, backward, new weights.

    Args:
        step: the numbers.
        say: the texts.
        stage: 0 to 3; each shows what those before it show, and more.
    """
    figure, axes = sheet(
        say("backprop.title"),
        say("backprop.remark"),
        [["net"]],
        left=0.02,
        right=0.98,
        bottom=0.12,
        top=0.8,
    )
    net = axes["net"]
    hide_frame(net)
    net.set(xlim=(-0.75, 8.45), ylim=(-1.9, 1.85))
    for edge in _edges(step):
        _draw_edge(net, edge, stage)
    _draw_neurons(net, step, stage, say)
    _draw_error(net, step, stage, say)
    for number, key in enumerate(("forward", "error", "backward", "update")):
        lit = number <= stage
        figure.text(
            0.05 + 0.235 * number,
            0.095,
            say(f"backprop.stage_{key}"),
            color=(INK, RED, RED, GREEN)[number] if lit else "#cfc9bd",
            fontsize=15,
            fontweight="bold" if number == stage else "normal",
            linespacing=1.4,
            va="top",
        )
    return figure


def _edges(step: TrainingStep) -> list[_Edge]:
    found = []
    for layer in range(2):
        arrays = (step.before[layer], step.after[layer])
        weights = (*(one.weights for one in arrays), step.gradients[layer][0])
        for source, target in np.ndindex(weights[0].shape):
            numbers = (float(array[source, target]) for array in weights)
            found.append(_Edge(_POSITIONS[layer][source], _POSITIONS[layer + 1][target], *numbers))
    return found


def _draw_edge(axes: Axes, edge: _Edge, stage: int) -> None:
    colour = BLUE if edge.old >= 0 else OCHRE
    (x0, y0), (x1, y1) = edge.start, edge.end
    axes.plot((x0, x1), (y0, y1), color=colour, lw=1.5 + 5 * abs(edge.old), alpha=0.45, zorder=1)
    # edges that cross keep their numbers apart when those stand nearer to where the edge begins
    along = 0.36 if x0 == 0 else 0.52
    x, y = x0 + along * (x1 - x0), y0 + along * (y1 - y0)
    lines = [(f"{edge.old:.2f}", INK)]
    if stage >= UPDATE:
        lines = [(f"{edge.old:.2f} → {edge.new:.3f}", GREEN)]
    if stage >= BACKWARD:
        lines.append((f"∂ {edge.gradient:+.3f}", RED))
    for row, (text, ink) in enumerate(lines):
        height = y + 0.13 * (len(lines) - 1) - 0.26 * row
        axes.text(
            x,
            height,
            _minus(text),
            color=ink,
            ha="center",
            va="center",
            fontsize=14,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
            zorder=3,
        )


def _draw_neurons(axes: Axes, step: TrainingStep, stage: int, say: Texts) -> None:
    from matplotlib.patches import Circle

    values = (step.inputs, *step.answers)
    names = (("$x_1$", "$x_2$"), ("$h_1$", "$h_2$"), ("$y$",))
    for layer, positions in enumerate(_POSITIONS):
        for index, (x, y) in enumerate(positions):
            axes.add_patch(Circle((x, y), _RADIUS, fc=PAPER, ec=INK, lw=2.2, zorder=4))
            value = _minus(f"{values[layer][index]:.3g}")
            axes.text(x, y, value, ha="center", va="center", fontsize=15, zorder=5)
            axes.text(x, y + 0.5, names[layer][index], ha="center", fontsize=16)
            if layer == 0:
                continue
            old = step.before[layer - 1].biases[index]
            new = step.after[layer - 1].biases[index]
            gradient = step.deltas[layer - 1][index]
            text = f"b {old:.2f} → {new:.3f}" if stage >= UPDATE else f"b {old:.2f}"
            ink = GREEN if stage >= UPDATE else GREY
            axes.text(x, y - 0.56, _minus(text), ha="center", fontsize=13, color=ink)
            if stage >= BACKWARD:
                text = f"∂E/∂z {gradient:+.3f}"
                axes.text(x, y - 0.8, _minus(text), ha="center", fontsize=13, color=RED)


def _draw_error(axes: Axes, step: TrainingStep, stage: int, say: Texts) -> None:
    from matplotlib.patches import Circle

    x, y = _TARGET
    axes.add_patch(Circle((x, y), _RADIUS, fc=PAPER, ec=GREY, lw=2.2, ls=(0, (4, 3)), zorder=4))
    axes.text(x, y, f"{step.target:g}", ha="center", va="center", fontsize=15, zorder=5)
    axes.text(x, y + 0.5, say("backprop.target"), ha="center", fontsize=14, color=GREY)
    if stage < ERROR:
        return
    left = _POSITIONS[2][0][0]
    axes.plot((left + _RADIUS, x - _RADIUS), (0, 0), color=RED, lw=3, ls=(0, (2, 2)), zorder=1)
    middle = (left + x) / 2
    axes.text(
        middle,
        0.16,
        f"E = {step.error:.3f}",
        ha="center",
        fontsize=17,
        color=RED,
        fontweight="bold",
    )
    if stage >= UPDATE:
        text = say("backprop.then", error=f"{step.new_error:.3f}")
        axes.text(middle, -0.36, text, ha="center", fontsize=15, color=GREEN, fontweight="bold")


def _minus(text: str) -> str:
    return text.replace("-", "−")
