"""A network that reads a digit, drawn from what it is shown to what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from belamy.learn.drawings.style import BLUE, GREY, INK, LINE, OCHRE, PAPER, RED, sheet
from belamy.learn.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

__all__ = ["Reading", "draw_cnn"]

Array = NDArray[np.float32]

# Left, bottom, width and height of the parts, in fractions of the page: by eye.
_FLOW = 0.605  # height of the middle of the row from the picture to the answer
_POSITIONS = {
    "input": (0.05, 0.105),
    "c1": (0.185, 0.195),
    "s2": (0.41, 0.105),
    "c3": (0.55, 0.125),
    "s4": (0.70, 0.07),
    "c5": (0.797, 0.03),
    "f6": (0.856, 0.03),
}
_COLUMNS = {"c1": 3, "s2": 3, "c3": 4, "s4": 4, "c5": 6, "f6": 6}
_ANSWER = (0.915, 0.43, 0.055, 0.36)
_SHOWN = 30  # new digits, with what it says of them


@dataclass(frozen=True)
class Reading:
    """What happens in the network when it reads one digit, and how well it reads others.

    Args:
        picture: (28, 28) in [0, 1].
        filters: of C1, (6, 5, 5).
        maps: name of a layer → its maps (C, H, W).
        answer: (10,), how probable it holds each digit.
        progress: rows (digits seen, fraction right).
        others: new digits (N, 28, 28).
        labels: what they are (N,).
        answers: what it says they are (N,).
        count: digits that it is judged by.
    """

    picture: Array
    filters: Array
    maps: dict[str, Array]
    answer: Array
    progress: tuple[tuple[int, float], ...]
    others: Array
    labels: NDArray[np.int64]
    answers: NDArray[np.int64]
    count: int


def draw_cnn(reading: Reading, say: Texts) -> Figure:
    """Filters, maps and answer for one digit; below, how it learned, and what it says of others."""
    seen, accuracy = reading.progress[-1]
    figure, axes = sheet(
        say("cnn.title"),
        say(
            "cnn.remark",
            seen=say.group_digits(seen),
            accuracy=accuracy,
            count=say.group_digits(reading.count),
        ),
        [["learning", "others"]],
        widths=[0.5, 1.0],
        left=0.075,
        right=0.96,
        bottom=0.105,
        top=0.315,
        wspace=0.12,
    )
    _flow(figure, reading, say)
    _answer(figure.add_axes(_ANSWER), reading.answer, say)
    _learning(axes["learning"], reading.progress, say)
    _others(axes["others"], reading)
    return figure


def _signs() -> LinearSegmentedColormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signs", [BLUE, PAPER, RED])


def _inks() -> LinearSegmentedColormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("inks", ["#efebe2", INK])


def _flow(figure: Figure, reading: Reading, say: Texts) -> None:
    """From the picture to the last hidden layer."""
    for name, (left, width) in _POSITIONS.items():
        maps = reading.picture[None] if name == "input" else reading.maps[name]
        mosaic = _mosaic(maps, _COLUMNS.get(name, 1))
        height = width * mosaic.shape[0] / mosaic.shape[1] * 16 / 9
        axes = figure.add_axes((left, _FLOW - height / 2, width, height))
        axes.set_axis_off()
        if name == "input":
            axes.imshow(mosaic, cmap=_inks(), vmin=0, vmax=1)
        else:
            axes.imshow(mosaic, cmap=_signs(), vmin=-1.5, vmax=1.5, interpolation="nearest")
        text = say(f"cnn.layer_{name}")
        figure.text(left, 0.43, text, fontsize=12, color=GREY, va="top", linespacing=1.3)
    _filters(figure, reading.filters)


def _filters(figure: Figure, filters: Array) -> None:
    """The six windows of weights, above the maps that they make."""
    left, width = _POSITIONS["c1"]
    axes = figure.add_axes((left, 0.755, width, 0.06))
    axes.set_axis_off()
    largest = float(np.abs(filters).max())
    axes.imshow(
        _mosaic(filters, len(filters)),
        cmap=_signs(),
        vmin=-largest,
        vmax=largest,
        interpolation="nearest",
    )


def _mosaic(maps: Array, columns: int) -> Array:
    """Maps (C, H, W) side by side with gaps between them, which are NaN and so not drawn."""
    count, height, width = maps.shape
    gap = 0 if count == 1 else max(1, round(height / 9)) if height > 1 else 0
    rows = -(-count // columns)
    mosaic = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan, np.float32
    )
    for index, one in enumerate(maps):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        mosaic[top : top + height, left : left + width] = one
    return mosaic


def _answer(axes: Axes, answer: Array, say: Texts) -> None:
    best = int(answer.argmax())
    colours = [RED if digit == best else LINE for digit in range(10)]
    axes.barh(range(10), np.maximum(answer, 0.01), color=colours, height=0.72)
    axes.set(ylim=(9.6, -0.6), xlim=(0, 1), xticks=(), yticks=range(10))
    axes.tick_params(length=0, labelsize=13, colors=INK)
    axes.spines["bottom"].set_visible(False)
    axes.set_title(say("cnn.answer"), fontsize=12, color=GREY, pad=6)


def _learning(axes: Axes, progress: Sequence[tuple[int, float]], say: Texts) -> None:
    seen, right = np.array(progress).T
    axes.plot(seen, right, color=OCHRE)
    axes.plot(seen[-1:], right[-1:], "o", color=OCHRE, ms=8)
    axes.set(ylim=(0, 1.05), yticks=(0, 0.5, 1), xlim=(0, None))
    axes.set_yticklabels(["0", "50 %", "100 %"])
    axes.locator_params(axis="x", nbins=4)
    axes.set_title(say("cnn.learning"), fontsize=14, pad=4)
    axes.set_xlabel(say("cnn.seen"), fontsize=13)


def _others(axes: Axes, reading: Reading) -> None:
    """New digits; below each what it says, in red where that is wrong."""
    axes.set_axis_off()
    columns = _SHOWN // 2
    for index, picture in enumerate(reading.others[:_SHOWN]):
        row, column = divmod(index, columns)
        box = (column, column + 0.9, 1.0 - 1.15 * row, 1.9 - 1.15 * row)
        axes.imshow(picture, cmap=_inks(), vmin=0, vmax=1, extent=box)
        right = reading.answers[index] == reading.labels[index]
        axes.text(
            column + 0.45,
            box[2] - 0.04,
            str(reading.answers[index]),
            ha="center",
            va="top",
            fontsize=11,
            color=GREY if right else RED,
            fontweight="normal" if right else "bold",
        )
    axes.set(xlim=(0, columns), ylim=(-0.55, 1.95), aspect="equal", anchor="NE")
