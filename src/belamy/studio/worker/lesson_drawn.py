"""A lesson of `belamy learn`, page after page: what it says, and what it draws."""

from __future__ import annotations

import importlib
import time
from typing import Any

from belamy.learn.drawings.style import render
from belamy.learn.lessons import Drawing, Lesson
from belamy.learn.texts import localise
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.pace import end_lesson
from belamy.studio.worker.preview import LONGEST_SIDE, send_frame

__all__ = ["teach"]

_PAGE = 1.0  # seconds that a page stays at speed 1, so that it can be read
_FILMS = {"perceptron": 0.15}  # of lessons that are films rather than pages


def teach(order: Order, control: Control, channel: Channel) -> None:
    """Give the lesson: its lines as they are said, each of its drawings as a frame."""
    name = order.engine.name.removeprefix("lesson_")
    module = importlib.import_module(f"belamy.learn.lessons.{name}")
    arguments = order.arguments()
    lesson: Lesson = getattr(module, name)(**arguments)
    language = str(arguments.get("language", "en"))
    stays = _FILMS.get(name, _PAGE)
    lines: list[str] = []
    page = 0
    _tell(order, channel, page, lines)
    for item in lesson:
        if control.stopped or not control.wait_for_turn():
            break
        if isinstance(item, str):
            lines.append(localise(item, language))
            continue
        began = time.monotonic()
        page += 1
        _show(order, channel, page, item, language)
        _tell(order, channel, page, lines)
        if control.playing:
            control.wait(stays / control.speed - (time.monotonic() - began))
    _tell(order, channel, page, lines)
    end_lesson(order, control, channel)


def _show(order: Order, channel: Channel, page: int, drawing: Drawing, language: str) -> None:
    picture = render(drawing, LONGEST_SIDE, language)
    send_frame(channel, order.job, page, picture, picture.size)


def _tell(order: Order, channel: Channel, page: int, lines: list[str]) -> None:
    """What was said so far; the work is under way."""
    lesson: dict[str, Any] = {
        "type": "lesson",
        "lesson": "drawn",
        "job": order.job,
        "page": page,
        "lines": lines,
    }
    channel.send(lesson)
    progress: dict[str, Any] = {"step": page, "total": 0, "done": 0.0, "eta": None, "losses": {}}
    channel.send({"type": "progress", "job": order.job, **progress})
