"""Sawteeth of deep and of shallow networks, and how many neurons each takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from belamy.basics.approximation import answer, deep_sawtooth, fit_sawtooth
from belamy.learn.drawings.style import BLUE, RED, sheet
from belamy.learn.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_depth"]

_ROWS = 3


def draw_depth(layers: int, deepest: int, say: Texts) -> Figure:
    """The networks of up to `layers` layers, the last three in full, and all counted.

    Args:
        layers: drawn so far.
        deepest: layer that there will be.
        say: the texts.
    """
    figure, axes = sheet(
        say("depth.title"),
        say("depth.remark"),
        [[str(row), "count"] for row in range(_ROWS)],
        widths=[1.5, 1],
        bottom=0.11,
        hspace=0.5,
    )
    shown = list(range(max(1, layers - _ROWS + 1), layers + 1))
    for row in range(_ROWS):
        if row < len(shown):
            _sawtooth(axes[str(row)], shown[row], say)
            axes[str(row)].set_title(say("depth.flat"), loc="right", color=RED, fontsize=15, pad=5)
        else:
            axes[str(row)].set_axis_off()
    _count(axes["count"], layers, deepest, say)
    return figure


def _sawtooth(axes: Axes, layers: int, say: Texts) -> None:
    """The deep network's, and the best that as many neurons in one layer make of it."""
    x = np.linspace(0, 1, 4097)
    axes.plot(x, answer(deep_sawtooth(layers), x), color=BLUE, lw=2.2)
    axes.plot(x, answer(fit_sawtooth(layers, 2 * layers), x), color=RED, lw=2.2)
    text = say("depth.network", layers=layers, neurons=2 * layers, pieces=2**layers)
    axes.set_title(text, fontsize=15, pad=5, color=BLUE)
    axes.set(xlim=(0, 1), ylim=(-0.06, 1.06), xticks=(0, 1), yticks=(0, 1))


def _count(axes: Axes, layers: int, deepest: int, say: Texts) -> None:
    reached = np.arange(1, layers + 1)
    axes.plot(reached, 2.0**reached - 1, "o-", color=RED, ms=9, label=say("depth.shallow"))
    axes.plot(reached, 2.0 * reached, "o-", color=BLUE, ms=9, label=say("depth.deep"))
    axes.set_yscale("log", base=2)
    axes.set_xlim(0.7, deepest + 0.3)
    axes.set_ylim(0.8, 2.0 ** (deepest + 0.6))
    highest = range(0, deepest + 1, max(1, deepest // 5))
    axes.set_yticks([2.0**power for power in highest], [str(2**power) for power in highest])
    axes.set_xticks(range(1, deepest + 1), [str(2**layer) for layer in range(1, deepest + 1)])
    axes.minorticks_off()
    axes.set_title(say("depth.count"))
    axes.set_xlabel(say("depth.pieces"))
    axes.grid(axis="y")
    axes.legend(loc="upper left")
