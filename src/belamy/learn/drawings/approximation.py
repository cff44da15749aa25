"""A function, its imitations by steps and by training, and how their errors fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from belamy.basics.approximation import Function, answer
from belamy.basics.mlp import Network
from belamy.learn.drawings.style import BLUE, LINE, OCHRE, sheet
from belamy.learn.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Attempt", "draw_approximation"]

_PANELS = ("first", "middle", "last")


@dataclass(frozen=True)
class Attempt:
    """Two networks of one width, and the largest error of each."""

    width: int
    built: Network
    trained: Network
    built_error: float
    trained_error: float


def draw_approximation(
    function: Function, attempts: Sequence[Attempt], widths: Sequence[int], say: Texts
) -> Figure:
    """The narrowest of the attempts so far, the widest, and one between them; and all errors.

    Args:
        function: what is imitated.
        attempts: so far, from narrow to wide.
        widths: that there will be.
        say: the texts.
    """
    figure, axes = sheet(
        say("approximation.title"),
        say("approximation.remark"),
        [[name, "errors"] for name in _PANELS],
        widths=[1.5, 1],
        bottom=0.1,
        hspace=0.42,
    )
    chosen = sorted({0, len(attempts) // 2, len(attempts) - 1})
    for name, index in zip(_PANELS, chosen, strict=False):
        _panel(axes[name], function, attempts[index], say)
    for name in _PANELS[len(chosen) :]:
        axes[name].set_axis_off()
    _errors(axes["errors"], attempts, widths, say)
    return figure


def _panel(axes: Axes, function: Function, attempt: Attempt, say: Texts) -> None:
    x = np.linspace(0, 1, 2001)
    axes.plot(x, function(x), color=LINE, lw=9)
    axes.plot(x, answer(attempt.built, x), color=OCHRE, lw=2)
    axes.plot(x, answer(attempt.trained, x), color=BLUE, lw=2.4)
    axes.set_title(say("approximation.neurons", width=attempt.width), fontsize=15, pad=4)
    axes.set(xlim=(0, 1), xticks=(0, 1), yticks=())
    axes.margins(y=0.12)
    axes.spines["left"].set_visible(False)


def _errors(axes: Axes, attempts: Sequence[Attempt], widths: Sequence[int], say: Texts) -> None:
    reached = [attempt.width for attempt in attempts]
    kinds = (
        ("approximation.built", OCHRE, [attempt.built_error for attempt in attempts]),
        ("approximation.trained", BLUE, [attempt.trained_error for attempt in attempts]),
    )
    for key, colour, errors in kinds:
        axes.plot(reached, errors, "o-", color=colour, ms=9, label=say(key))
    axes.set(xscale="log", yscale="log")
    axes.set_xlim(widths[0] / 1.2, widths[-1] * 1.2)
    axes.set_xticks(list(widths), [str(width) for width in widths])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()
    axes.set_title(say("approximation.error"))
    axes.set_xlabel(say("approximation.of_neurons"))
    axes.grid(axis="y")
    axes.legend(loc="lower left")
