"""Streams are run_to_end, drawn where somebody looks, and stopped by Ctrl-C with what was made."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from rich.progress import Progress

from belamy.cli.progress import show_bytes, show_steps, show_training
from belamy.steps import Step
from belamy.training.trainer import TrainingProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Received:
    received: int
    total: int | None


def steps(count: int, *, stop_after: int | None = None) -> Iterator[Step]:
    for index in range(1, count + 1):
        note = "one octave skipped" if index == 1 else ""
        yield Step(index, count, torch.zeros(1, 3, 1, 1), {"energy": -0.5}, note=note)
        if index == stop_after:
            raise KeyboardInterrupt


@contextmanager
def terminal() -> Iterator[Terminal]:
    """Standard error is a terminal (no fixture: pytest takes stderr back before the test)."""
    stream = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", stream)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", "120")
        yield stream


def test_the_last_step_comes_back_and_nothing_is_drawn_in_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    step, stopped = show_steps(steps(3), "dreaming")
    assert (step.index, stopped) == (3, False)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "belamy: one octave skipped\n"


def test_a_full_standard_error_does_not_cost_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stderr", Full())
    last, stopped = show_steps(steps(3), "dreaming")
    assert (last.index, stopped) == (3, False)


def test_a_bar_where_somebody_looks() -> None:
    with terminal() as screen:
        show_steps(steps(3), "dreaming")
    drawn = screen.getvalue()
    for part in ("dreaming", "3/3", "energy -0.5", "one octave skipped"):
        assert part in drawn


def test_a_bar_is_as_long_as_the_work_that_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the time left is right where steps grow larger, and the count is still that of steps."""
    seen: list[dict[str, object]] = []
    update = Progress.update

    def watch(self: Progress, *arguments: Any, **changes: Any) -> None:
        seen.append(changes)
        update(self, *arguments, **changes)

    monkeypatch.setattr(Progress, "update", watch)
    image = torch.zeros(1, 3, 1, 1)
    with terminal():
        show_steps((Step(n, 4, image, {}, fraction=n**2 / 16) for n in (1, 2, 3, 4)), "dreaming")
    assert [change["completed"] for change in seen] == [0.25, 1, 2.25, 4]
    assert [change["count"] for change in seen] == ["1/4", "2/4", "3/4", "4/4"]
    assert {change["total"] for change in seen} == {4}


@pytest.mark.parametrize("drawn", [True, False])
def test_ctrl_c_gives_the_last_step(drawn: bool) -> None:
    with terminal() if drawn else nullcontext():
        step, stopped = show_steps(steps(9, stop_after=4), "dreaming")
    assert (step.index, stopped) == (4, True)


def test_ctrl_c_before_the_first_step_stops_everything() -> None:
    def nothing() -> Iterator[Step]:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        show_steps(nothing(), "dreaming")


def test_the_engine_is_closed_when_drawing_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    def engine() -> Iterator[Step]:
        try:
            yield from steps(3)
        finally:
            closed.append(True)

    def interrupt(mark: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("belamy.cli.progress._say_note", interrupt)
    step, stopped = show_steps(engine(), "dreaming")
    assert (step.index, stopped, closed) == (1, True, [True])


def test_an_error_of_the_engine_passes_through() -> None:
    def failing() -> Iterator[Step]:
        yield from steps(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        show_steps(failing(), "dreaming")


def test_a_training_says_its_notes_alone_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    reports = [
        TrainingProgress(50, 100, {"loss": 2.34567}),
        TrainingProgress(100, 100, {"loss": 1.0}, note="samples alike"),
    ]
    last, stopped = show_training(reports, "training")
    assert (last.step, stopped) == (100, False)
    assert capsys.readouterr().err == "belamy: samples alike\n"


def test_a_download_draws_bytes() -> None:
    with terminal() as screen:
        show_bytes([Received(500_000, None), Received(1_500_000, 3_000_000)], "squeezenet")  # type: ignore[list-item]
    assert "squeezenet" in screen.getvalue()
    assert "1.5/3.0 MB" in screen.getvalue()


def test_an_interrupted_download_is_closed() -> None:
    closed = []

    def download() -> Iterator[Received]:
        try:
            yield Received(1, 2)
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        show_bytes(download(), "squeezenet")  # type: ignore[arg-type]
    assert closed == [True]
