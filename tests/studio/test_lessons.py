"""The live lessons, message by message."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.studio.test_live import Kept

from belamy.studio.catalog.check import check_options
from belamy.studio.catalog.engines import ENGINES
from belamy.studio.catalog.fields import fields_of
from belamy.studio.worker import lesson_digit, lesson_drawn, lesson_gan, lesson_mlp
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order


def teach(
    work: Callable[..., None],
    name: str,
    folder: Path,
    control: Control | None = None,
    **options: Any,
) -> list[dict[str, Any]]:
    order = Order("a", ENGINES[name], options, {}, "x", *[folder / "in"] * 4)
    channel = Kept()
    work(order, control or Control(), channel)
    return [header for header, _ in channel.sent]


def lessons(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in messages if one["type"] == "lesson"]


def test_a_network_learns_moons(tmp_path: Path) -> None:
    heard = teach(lesson_mlp.teach, "lesson_mlp", tmp_path, hidden=[6, 5], epochs=8, rate=0.05)
    assert heard[-1] == {"type": "finished", "job": "a", "state": "done", "message": ""}
    told = lessons(heard)
    assert [one["epoch"] for one in told] == list(range(9))
    assert len(told[0]["points"]) == 300
    assert [len(layer["weights"]) for layer in told[0]["layers"]] == [2, 6, 5]
    assert told[-1]["loss"] < told[0]["loss"]


def test_a_lesson_is_paused_stepped_and_stopped(tmp_path: Path) -> None:
    control = Control()
    heard: list[dict[str, Any]] = []

    def work() -> None:
        heard.extend(
            teach(lesson_mlp.teach, "lesson_mlp", tmp_path, control, epochs=50, paused=True)
        )

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(3):
        control.command({"action": "step"})
        time.sleep(0.05)
    control.stop()
    thread.join(20)
    assert lessons(heard)[0]["epoch"] == 0
    assert max(one["epoch"] for one in lessons(heard)) <= 3
    assert heard[-1]["state"] == "stopped"


def test_two_networks_play(tmp_path: Path) -> None:
    told = lessons(teach(lesson_gan.teach, "lesson_gan", tmp_path, steps=12))
    assert len(told[0]["real"]) == 300
    assert told[-1]["step"] == 12
    field = told[-1]["field"]
    assert len(base64.b64decode(field["data"])) == field["side"] ** 2


def test_a_digit_is_read(tmp_path: Path) -> None:
    heard = teach(lesson_digit.teach, "lesson_digit", tmp_path, count=1000, epochs=1)
    answer = lessons(heard)[-1]
    assert len(answer["scores"]) == 10
    assert [one["layer"] for one in answer["maps"]][:2] == ["C1", "S2"]
    first = answer["maps"][0]
    assert len(base64.b64decode(first["data"])) == first["count"] * first["side"] ** 2
    again = lessons(teach(lesson_digit.teach, "lesson_digit", tmp_path, count=1000, epochs=1))
    assert len(again) == 1  # it is kept, and reads at once
    assert again[0]["scores"] == answer["scores"]


@pytest.mark.parametrize(
    ("name", "language", "said"),
    [
        ("neuron", "en", "AND"),
        ("perceptron", "it", "80 punti"),
        ("backprop", "en", "∂E/∂y"),
        ("depth", "it", "dente di sega"),
    ],
)
def test_a_lesson_is_drawn_page_after_page(
    tmp_path: Path, name: str, language: str, said: str
) -> None:
    channel = Kept()
    control = Control()
    control.command({"speed": 1000.0})
    order = Order("a", ENGINES[f"lesson_{name}"], {"language": language}, {}, "x", *[tmp_path] * 4)
    lesson_drawn.teach(order, control, channel)
    frames = [body for header, body in channel.sent if header["type"] == "frame"]
    told = lessons([header for header, _ in channel.sent])
    assert len(frames) == told[-1]["page"] >= 4
    assert all(body[:2] == b"\xff\xd8" for body in frames)
    assert said in " ".join(told[-1]["lines"])
    assert channel.sent[-1][0]["state"] == "done"


def test_drawn_lessons_offer_the_words_of_their_tables() -> None:
    from belamy.basics.approximation import FUNCTIONS
    from belamy.basics.points import POINTS

    for name, option, table in (
        ("lesson_perceptron", "points", POINTS),
        ("lesson_approximation", "function", FUNCTIONS),
    ):
        assert set(fields_of(ENGINES[name])[option].choices) == set(table)


def test_a_lesson_names_no_file() -> None:
    """Networks are named, and pictures lie in a folder below a root."""
    complaints = check_options(
        ENGINES["lesson_complexity"], {"networks": ["/etc/passwd.safetensors"]}
    )
    assert complaints
    assert "data" not in fields_of(ENGINES["lesson_classifier"])
