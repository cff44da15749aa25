"""Who sees no bar is told how long it takes; short work stays quiet."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

import pytest
import torch

from belamy.cli import heartbeat, progress
from belamy.cli.heartbeat import Clock, beating, describe_seconds
from belamy.cli.progress import show_steps, show_training
from belamy.steps import Step
from belamy.training.trainer import TrainingProgress


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("FIRST", 0.05), ("EVERY", 0.1), ("SHORT", 0.0)):
        monkeypatch.setattr(heartbeat, name, seconds)


def steps(count: int, fraction: float | None = None) -> Iterator[Step]:
    for index in range(1, count + 1):
        time.sleep(0.02)
        yield Step(index, count, torch.zeros(1, 3, 1, 1), {}, fraction=fraction)


@pytest.mark.usefixtures("quick")
def test_a_pipe_is_told_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    show_steps(steps(20), "dreaming a.png")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("belamy: dreaming a.png: step ")
    assert re.fullmatch(r".* of 20, about \d\d? s left", lines[0])  # 1 s on a free machine
    assert len(lines) >= 2


@pytest.mark.usefixtures("quick")
def test_a_training_is_looked_at_between_its_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done before it went on does not count; however long the machine takes for it."""
    done, began, said, estimated = [100], time.monotonic(), [(0.0, "")], threading.Event()

    def tell(line: str) -> None:
        said.append((time.monotonic() - began, line))
        if line.endswith(" left"):
            estimated.set()

    def reports() -> Iterator[TrainingProgress]:
        yield TrainingProgress(100, 1000, {}, current=lambda: done[0])
        time.sleep(0.5)
        done[0] = 110
        assert estimated.wait(60)
        yield TrainingProgress(110, 1000, {"loss": 1.0})

    monkeypatch.setattr(progress, "_tell", tell)
    show_training(reports(), "training in runs/a")
    spent, line = next(one for one in said if one[1].endswith(" left"))
    number, unit = line.removesuffix(" left").split()[-2:]
    left = float(number) * {"s": 1, "min": 60, "h": 3600}[unit]
    assert line.startswith("training in runs/a: step 110 of 1,000, about ")
    # 89 times what was spent; 8 times, if the first hundred steps counted
    assert 20 * spent < left < 150 * spent


def test_short_work_stays_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    show_steps(steps(4), "dreaming")
    assert capsys.readouterr().err == ""


def test_the_time_left_goes_by_the_work_that_is_done() -> None:
    clock = Clock(time.monotonic() - 10, start=0.5, progress=lambda: (0.6, "step 6 of 10"))
    assert clock.left() == pytest.approx(40, rel=0.01)
    assert Clock(time.monotonic()).left() is None


def test_the_first_step_and_what_comes_before_it_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, step = [0.0], [0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(0.0, progress=lambda: (step[0] / 400, f"step {step[0]} of 400"))
    now[0], step[0] = 10.0, 1  # loading, and a step
    clock.begin_again()
    now[0] = 10.5
    assert clock.left() is None
    now[0], step[0] = 11.0, 3
    assert clock.left() == pytest.approx(397 * 0.5)  # and not 397 × 11 / 3
    step[0] = 1
    now[0] = 21.0  # the second takes as long
    assert clock.left() == pytest.approx(399 * 10)


@pytest.mark.usefixtures("quick")
def test_a_first_step_that_takes_long_is_said() -> None:
    said: list[str] = []
    with beating("dreaming", Clock(time.monotonic()), said.append):
        time.sleep(0.6)
    assert said[0] == "dreaming: at work on the first step"


def test_words_for_times() -> None:
    words = [describe_seconds(seconds) for seconds in (0.2, 50, 120, 7200)]
    assert words == ["1 s", "50 s", "2 min", "2.0 h"]
