"""A training takes a stop at any moment: no message is cut in two, and the end is what it is."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from belamy.studio.worker import progress, training
from belamy.studio.worker.control import Control
from belamy.studio.worker.training import train
from belamy.training.meter import deferred_interrupts
from belamy.training.trainer import TrainingProgress

STEPS = 4


class Stopping:
    """A training whose user stops it at a moment, and all that its worker says."""

    def __init__(self, moment: str, folder: Path) -> None:
        self.moment, self.folder = moment, folder
        self.control = Control()
        self.messages: list[dict[str, Any]] = []
        self.steps = 0
        self.saved = self.held = False

    def pass_by(self, moment: str) -> None:
        if moment == self.moment:
            self.control.stop()

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        kind = header["type"]
        self.pass_by(f"{kind} {header['step']}" if kind == "progress" else kind)
        self.messages.append(header)  # which a signal that came before may not skip

    def work(self, config: Any, run: Path) -> Iterator[TrainingProgress]:
        """As the trainer does it."""
        self.held = True
        try:
            self.pass_by("reading")
            yield TrainingProgress(0, STEPS, {})
            with deferred_interrupts() as interrupted:
                while self.steps < STEPS:
                    self.pass_by(f"step {self.steps}")
                    self.steps += 1
                    (run / "samples").mkdir(exist_ok=True)
                    Image.new("RGB", (8, 8)).save(run / "samples" / f"{self.steps}.png")
                    yield TrainingProgress(self.steps, STEPS, {"loss": 1.0})
                    if interrupted.is_set() and self.steps < STEPS:
                        raise KeyboardInterrupt
            self.pass_by("saving")
            self.saved = True
        finally:
            self.held = False

    def train(self) -> tuple[str, int]:
        engine = SimpleNamespace(load_function=lambda: self.work)
        order: Any = SimpleNamespace(
            job="j",
            engine=engine,
            make_options=lambda: None,
            run=self.folder,
            results=self.folder,
            thumbs=self.folder,
            stem="made",
        )
        channel: Any = self
        train(order, self.control, channel)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        assert not self.held
        (end,) = [one for one in self.messages if one["type"] == "finished"]
        return end["state"], self.steps


@pytest.fixture(autouse=True)
def as_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C is ignored there, and each step is told here."""
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("before", ("stopped", 0)),
        ("reading", ("stopped", 0)),
        ("progress 0", ("stopped", 0)),
        ("step 1", ("stopped", 2)),
        ("progress 2", ("stopped", 2)),
        ("frame", ("stopped", 1)),
        ("step 3", ("done", STEPS)),
        (f"progress {STEPS}", ("done", STEPS)),
        ("saving", ("stopped", STEPS)),
        ("result", ("done", STEPS)),
        ("never", ("done", STEPS)),
    ],
)
def test_a_training_ends_whenever_it_is_stopped(
    moment: str, end: tuple[str, int], tmp_path: Path
) -> None:
    stopping = Stopping(moment, tmp_path)
    stopping.pass_by("before")
    assert stopping.train() == end
    assert stopping.saved == (end[0] == "done")
    results = [one for one in stopping.messages if one["type"] == "result"]
    assert len(results) == (end[1] > 0)  # the last sample hangs on the filmstrip


def test_steps_are_told_between_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report may be minutes away; its losses stay those of the last one."""
    monkeypatch.setattr(training, "_TICK", 0.0)
    seen = threading.Event()

    class Slow(Stopping):
        def send(self, header: dict[str, Any], body: bytes = b"") -> None:
            super().send(header, body)
            if header["type"] == "step":
                seen.set()

        def work(self, config: Any, run: Path) -> Iterator[TrainingProgress]:
            self.held = False
            yield TrainingProgress(0, STEPS, {}, current=lambda: 3)
            assert seen.wait(60)
            yield TrainingProgress(STEPS, STEPS, {"loss": 1.0})

    slow = Slow("never", tmp_path)
    slow.train()
    step = next(one for one in slow.messages if one["type"] == "step")
    assert (step["step"], step["total"], step["done"]) == (3, STEPS, 0.75)
    assert "losses" not in step


def test_a_stop_acts_once() -> None:
    control, acts = Control(), list[str]()
    control.on_stop(lambda: control.on_stop(lambda: acts.append("late")))
    control.on_stop(lambda: acts.append("early"))
    control.stop()
    control.stop()
    assert acts == ["late", "early"]
