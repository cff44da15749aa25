"""What the lessons show: nothing leaves the page, and the same drawing gives the same pixels."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from belamy.learn.drawings.saving import save_film
from belamy.learn.drawings.style import FILM_WIDTH, INCHES, render, sheet
from belamy.learn.engine import lesson_recipe
from belamy.learn.lessons import Drawing, Lesson
from belamy.learn.lessons.approximation import approximation
from belamy.learn.lessons.backprop import backprop
from belamy.learn.lessons.depth import depth
from belamy.learn.lessons.mlp import mlp
from belamy.learn.lessons.neuron import neuron
from belamy.learn.lessons.perceptron import perceptron
from belamy.learn.texts import TABLES

LESSONS: list[tuple[Callable[..., Lesson], dict[str, Any]]] = [
    (neuron, {}),
    (neuron, {"weights": "-10,-10", "threshold": -10.0}),
    (perceptron, {"count": 30}),
    (perceptron, {"points": "xor", "count": 30, "sweeps": 3}),
    (mlp, {"hidden": "9,1", "epochs": 2, "count": 40}),
    (backprop, {}),
    (backprop, {"loss": "squared", "inputs": "-5,5", "learning_rate": 100.0}),
    (approximation, {"widths": "1,2", "function": "root"}),
    (depth, {"layers": 10}),
]
CASES = list(itertools.product(range(len(LESSONS)), TABLES))


def drawings(lesson: Callable[..., Lesson], options: dict[str, Any]) -> list[Drawing]:
    return [shown for shown in lesson(**options) if not isinstance(shown, str)]


def written(figure: Figure) -> Iterator[Any]:
    """Every text on the page that can be seen."""
    yield from figure.texts
    for axes in figure.axes:
        if not axes.get_visible():
            continue
        yield from axes.texts
        yield from (axes.title, axes._left_title, axes._right_title)
        yield from (axes.xaxis.label, axes.yaxis.label) if axes.axison else ()
        if axes.get_legend() is not None:
            yield from axes.get_legend().get_texts()


@pytest.mark.parametrize(("index", "language"), CASES)
def test_every_text_is_on_the_page(index: int, language: str) -> None:
    lesson, options = LESSONS[index]
    last = drawings(lesson, {**options, "language": language})[-1]
    kept: list[Figure] = []

    def drawing() -> Figure:
        kept.append(last())
        return kept[0]

    picture = render(drawing, FILM_WIDTH)
    for text in written(kept[0]):
        if not text.get_text():
            continue
        box = text.get_window_extent()
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= picture.width, text
        assert box.y1 <= picture.height, text


def test_the_same_drawing_gives_the_same_pixels_whatever_the_settings() -> None:
    drawing = drawings(neuron, {})[-1]
    before = dict(matplotlib.rcParams)
    first = render(drawing, 400)
    assert dict(matplotlib.rcParams) == before
    with matplotlib.rc_context({"font.size": 40, "axes.facecolor": "black", "text.usetex": False}):
        second = render(drawing, 400)
    assert np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize("width", [400, 1600])
def test_a_picture_is_as_wide_as_asked_and_sixteen_to_nine(width: int) -> None:
    picture = render(lambda: sheet("title", "remark")[0], width)
    assert picture.size == (width, round(width * INCHES[1] / INCHES[0]))
    assert picture.mode == "RGB"


def test_a_film_keeps_its_frames_and_stays_on_the_last(tmp_path: Any) -> None:
    shades = [Image.new("RGB", (32, 18), (60 * number, 30, 90)) for number in range(4)]
    save_film(shades, tmp_path / "film.gif", lesson_recipe(neuron, {}))
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 4
        durations, colours = [], []
        for number in range(4):
            film.seek(number)
            durations.append(film.info["duration"])
            colours.append(film.convert("RGB").getpixel((16, 9)))
    assert durations[-1] > durations[0] == durations[1]
    for number, colour in enumerate(colours):
        assert np.abs(np.subtract(colour, (60 * number, 30, 90))).max() <= 8


@pytest.mark.parametrize("index", range(len(LESSONS)))
def test_a_film_changes_from_frame_to_frame(index: int) -> None:
    lesson, options = LESSONS[index]
    shown = drawings(lesson, options)
    assert len(shown) > 1, "a film"
    first, last = (np.asarray(render(one, 320)) for one in (shown[0], shown[-1]))
    assert (first != last).any()
