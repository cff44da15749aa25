"""Networks beside each other, and beside the human cortex, on a scale of powers of ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from belamy.learn.drawings.style import BLUE, GREY, INK, LINE, OCHRE, RED, sheet
from belamy.learn.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Size", "draw_complexity"]

_BARS = (("neurons", BLUE), ("connections", RED), ("weights", OCHRE))


@dataclass(frozen=True)
class Size:
    """How large something is.

    Args:
        name: of it.
        layers: None where nobody has counted them.
        neurons: of it.
        connections: between them.
        weights: None for a brain, where each connection has its own.
    """

    name: str
    layers: int | None
    neurons: float
    connections: float
    weights: float | None


def draw_complexity(sizes: Sequence[Size], say: Texts) -> Figure:
    """Three bars for each, the cortex below them."""
    figure, axes = sheet(
        say("complexity.title"),
        say("complexity.remark"),
        left=0.2,
        right=0.93,
        bottom=0.1,
        top=0.75,
    )
    plot = axes["plot"]
    for row, size in enumerate(sizes):
        _row(plot, row, size, say)
    _scale(plot, sizes)
    for index, (name, colour) in enumerate(_BARS):
        x = 0.2 + 0.16 * index + (0.1 if index == 2 else 0)
        figure.text(x, 0.8, "■", color=colour, fontsize=17, va="center")
        figure.text(x + 0.02, 0.8, say(f"complexity.bar_{name}"), fontsize=14, va="center")
    return figure


def _row(axes: Axes, row: int, size: Size, say: Texts) -> None:
    for index, (name, colour) in enumerate(_BARS):
        value = getattr(size, name)
        if value is None:
            continue
        y = row + 0.26 * (index - 1)
        axes.barh(y, value, height=0.24, color=colour, left=1)
        axes.text(value * 1.25, y, _short(value), va="center", fontsize=12, color=GREY)
    axes.text(0.6, row - 0.1, size.name, ha="right", va="center", fontsize=15, fontweight="bold")
    if size.layers is not None:
        layers = say("complexity.layers", layers=size.layers)
        axes.text(0.6, row + 0.2, layers, ha="right", va="center", fontsize=12, color=GREY)


def _scale(axes: Axes, sizes: Sequence[Size]) -> None:
    largest = max(size.connections for size in sizes)
    powers = np.arange(0, int(np.ceil(np.log10(largest))) + 1, 3)
    axes.set_xscale("log")
    axes.set(xlim=(1, largest * 12), ylim=(len(sizes) - 0.4, -0.6), yticks=())
    axes.set_xticks(10.0**powers, [f"$10^{{{power}}}$" for power in powers])
    axes.minorticks_off()
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(axis="x", color=LINE)
    axes.set_axisbelow(True)


def _short(value: float) -> str:
    """Three digits: 659 k, 61.0 M, 1.50 · 10¹⁴."""
    for size, unit in ((1e3, " k"), (1e6, " M"), (1e9, " G")):
        if value < 999.5 * size:
            return f"{value / size:.3g}{unit}" if value >= 1e3 else f"{value:g}"
    power = int(np.floor(np.log10(value)))
    return f"{value / 10**power:.3g} · $10^{{{power}}}$"
