"""What a training counts between two of its steps, and how it takes Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Meter", "deferred_interrupts"]


SAME_PRESS = 1.0  # seconds: torchrun hands Ctrl-C on to its processes, which have it already


@dataclass
class Meter:
    """How far a training is, and what it has measured since the last report.

    Attributes:
        step: how many are done.
        sums: of each loss since the last report.
        counts: of the steps that gave it; not every step need have the same losses.
        measures: the last that were taken.
        began: when it would have begun, had it never been interrupted.
    """

    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def resume(
        cls, step: int, saved: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
    ) -> Meter:
        """As it was at `step`: from what `to_json` gave, where there is such, and from the log."""
        last = history[-1] if history else {}
        sums = dict(saved.get("sums", {}))
        one_for_all = dict.fromkeys(sums, int(saved.get("count", 0)))  # as 0.1 saved it
        return cls(
            step,
            sums,
            dict(saved.get("counts", one_for_all)),
            dict(saved.get("measures", _without(last, "step", "seconds"))),
            time.monotonic() - float(last.get("seconds", 0.0)),
        )

    def to_json(self) -> dict[str, Any]:
        """What `resumed` takes, for a checkpoint."""
        return {"sums": self.sums, "counts": self.counts, "measures": self.measures}

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def add(self, losses: Mapping[str, float]) -> None:
        """Count one more step and its losses."""
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1
        self.step += 1

    def means(self) -> dict[str, float]:
        """Of each loss, over the steps since the last report that gave it."""
        return {name: value / self.counts[name] for name, value in self.sums.items()}

    def restart(self) -> None:
        """Begin the stretch up to the next report."""
        self.sums, self.counts = {}, {}


def _without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


@contextmanager
def deferred_interrupts() -> Iterator[threading.Event]:
    """Ctrl-C sets an event instead of breaking a step in two; a second one breaks at once.

    Where Ctrl-C is ignored, as in the background of a script, it stays so.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    pressed = [math.inf]

    previous = signal.getsignal(signal.SIGINT)

    def remember(number: int, frame: object) -> None:
        if number == signal.SIGINT and previous == signal.SIG_IGN:
            return
        if time.monotonic() - pressed[0] > SAME_PRESS:
            raise KeyboardInterrupt
        pressed[0] = min(pressed[0], time.monotonic())
        interrupted.set()

    signal.signal(signal.SIGINT, remember)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if previous is None else previous)
