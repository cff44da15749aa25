"""Small plots beside each other as one picture, by matplotlib and without its global state."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from belamy.errors import MissingExtra
from belamy.pixels.images import Picture, load_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_bars", "draw_plots"]

_COLUMNS = 3
_WIDTH, _HEIGHT = 4.0, 2.6  # inches of each of them, by eye
_DPI = 110
_LONGEST = 24  # characters of a bar's name


def draw_plots(plots: Mapping[str, Callable[[Axes], None]]) -> Picture:
    """A plot for each, with its name above it.

    Args:
        plots: name → what draws it.

    Raises:
        ValueError: there is nothing to draw.
        MissingExtra: matplotlib is not installed.
    """
    if not plots:
        raise ValueError("there is nothing to plot: no number was measured")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.style import context
    except ImportError as error:
        raise MissingExtra("matplotlib", "learn") from error

    columns = min(_COLUMNS, len(plots))
    rows = math.ceil(len(plots) / columns)
    buffer = io.BytesIO()
    with context("default"):  # whatever the user's own settings are
        figure = Figure(figsize=(_WIDTH * columns, _HEIGHT * rows), layout="constrained")
        FigureCanvasAgg(figure)
        for index, (name, draw) in enumerate(plots.items(), start=1):
            axes = figure.add_subplot(rows, columns, index)
            draw(axes)
            axes.set_title(name.replace("_", " "), parse_math=False)
        figure.savefig(buffer, format="png", dpi=_DPI)
    with Image.open(buffer) as drawing:
        return load_picture(drawing.convert("RGB"))


def draw_bars(plots: Mapping[str, Mapping[str, float]]) -> Picture:
    """A plot of bars for each, the first of its bars on top, each with its number.

    Args:
        plots: name → bar → length.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    return draw_plots({name: partial(_draw_bars, values=bars) for name, bars in plots.items()})


def _draw_bars(axes: Axes, values: Mapping[str, float]) -> None:
    names = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in values]
    bars = axes.barh(range(len(names)), list(values.values()))
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.invert_yaxis()
    axes.bar_label(bars, fmt="{:.4g}", padding=3)
    axes.margins(x=0.35)  # room for the numbers
