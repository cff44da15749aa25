"""One style for every plot: dark ink on warm paper, few colours, letters that a last row can read.

A drawing is a function that returns a figure; `render` calls it inside the style and returns
pixels. Nothing here touches pyplot or leaves matplotlib's settings changed, and the settings of
whoever runs it change nothing: the same drawing gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from belamy.errors import MissingExtra
from belamy.learn.texts import localise

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "CLASSES",
    "COLOURS",
    "GREEN",
    "GREY",
    "INK",
    "LINE",
    "OCHRE",
    "PAPER",
    "RED",
    "VIOLET",
    "hide_frame",
    "render",
    "require_matplotlib",
    "sheet",
]

# All by eye. Blue and red stay apart for the colour-blind, and in a bleached projection.
PAPER, INK, GREY, LINE = "#f8f6f1", "#26241f", "#86817a", "#d9d4c9"
BLUE, RED, OCHRE, GREEN, VIOLET = "#1f6391", "#d1543b", "#e0a136", "#5b8c5a", "#7a5c99"
COLOURS = (BLUE, RED, OCHRE, GREEN, VIOLET)
CLASSES = (BLUE, RED)
"""The colours of two classes, the class 0 or −1 first."""

INCHES = (12.8, 7.2)  # 16 : 9, as projectors have it
WIDTH = 1600  # pixels of a picture
FILM_WIDTH = 960  # of a film, which holds many

_STYLE: dict[str, Any] = {
    "figure.figsize": INCHES,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 15,
    "axes.titlecolor": INK,
    "axes.titlesize": 16,
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.linewidth": 1.2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": LINE,
    "text.color": INK,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that it is the same everywhere
    "font.size": 15,
    "mathtext.fontset": "dejavusans",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "lines.linewidth": 2.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 14,
}


def require_matplotlib() -> None:
    """Ask for matplotlib before any work begins.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra("matplotlib", "learn") from error


def render(drawing: Callable[[], Figure], width: int = WIDTH, language: str = "en") -> Image.Image:
    """The picture, RGB, `width` pixels wide, that `drawing` draws in the style.

    Args:
        language: how its numbers are written.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.style import context

    with context(["default", _STYLE]):
        figure = drawing()
        figure.set_dpi(width / figure.get_figwidth())
        canvas = FigureCanvasAgg(figure)
        _localise(figure, language)
        canvas.draw()  # type: ignore[no-untyped-call]
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba()))  # type: ignore[no-untyped-call]
        return picture.convert("RGB")


def _localise(figure: Figure, language: str) -> None:
    """Write the numbers in all texts, and at all ticks, as the language does."""
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = axis.get_major_formatter().format_ticks(axis.get_majorticklocs())  # type: ignore[arg-type]
            written = [localise(label, language) for label in labels]
            if written != labels:
                axis.set_ticks(axis.get_majorticklocs(), labels=written)
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(localise(text.get_text(), language))


def sheet(
    title: str,
    remark: str = "",
    layout: Sequence[Sequence[str]] = (("plot",),),
    *,
    widths: Sequence[float] | None = None,
    heights: Sequence[float] | None = None,
    **margins: float,
) -> tuple[Figure, dict[str, Axes]]:
    """A page with a title, a grey remark below it, and axes that are called by name.

    Args:
        title: one line in bold.
        remark: one or two lines; $formulas$ as in TeX.
        layout: rows of names, as `Figure.subplot_mosaic` takes them: a name that stands in
            several cells is one large plot; "." leaves a cell empty.
        widths: of the columns, in proportion.
        heights: of the rows.
        margins: left, right, bottom, top, wspace, hspace, where the usual ones do not suit.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES)
    figure.text(0.05, 0.945, title, fontsize=25, fontweight="bold", va="center")
    figure.text(0.05, 0.895, remark, fontsize=15.5, color=GREY, va="top", linespacing=1.5)
    usual = {"left": 0.07, "right": 0.96, "bottom": 0.11, "top": 0.79, "wspace": 0.22}
    axes = figure.subplot_mosaic(
        [list(row) for row in layout],
        width_ratios=widths,
        height_ratios=heights,
        gridspec_kw={**usual, **margins},
    )
    return figure, axes


def hide_frame(axes: Axes) -> None:
    """Take away the frame and the ticks, for drawings that are no diagrams."""
    axes.set_axis_off()
    axes.set_aspect("equal")
