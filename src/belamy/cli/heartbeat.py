"""How long work takes, for those who see no bar: a line at the start, and one every half a minute.

Work of a few seconds stays quiet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Clock", "beating", "describe_seconds"]

FIRST = 2.0  # seconds after which an estimate is said
EVERY = 30.0  # seconds between two lines
SHORT = 15.0  # seconds in all, of which nothing is said


@dataclass
class Clock:
    """How far work is, and how long it takes by that.

    Attributes:
        began: when it began, by `time.monotonic`.
        start: what was done by then, as a fraction; of a training that goes on.
        progress: gives the fraction that is done by now, and words for it, as "step 3 of 40".
        first: seconds that the first step took, with the loading before it; 0 until it is done.
    """

    began: float
    start: float = 0.0
    progress: Callable[[], tuple[float, str]] = lambda: (0.0, "")
    first: float = 0.0

    def begin_again(self) -> None:
        """Count from here, after the first step: with it come loading and planning, and by these
        work of minutes would be told to take hours."""
        now = time.monotonic()
        self.first, self.began, self.start = now - self.began, now, self.progress()[0]

    def left(self) -> float | None:
        """Seconds, by what the work took so far; None where that says nothing yet."""
        fraction, _ = self.progress()
        done, spent = fraction - self.start, time.monotonic() - self.began
        if done > 0:
            return spent * (1 - fraction) / done
        # the second step takes as long as the first: few and long, then, by which the rest goes
        return self.first * (1 - fraction) / fraction if 0 < self.first < spent else None


@contextmanager
def beating(description: str, clock: Clock, say: Callable[[str], None]) -> Iterator[None]:
    """Say how long it will take, and go on saying how far it is, while the inside works."""
    ended = threading.Event()

    def beat() -> None:
        wait, estimated = FIRST, False
        while not ended.wait(wait):
            left = clock.left()
            spent = time.monotonic() - clock.began
            if left is None and spent < EVERY:
                wait = 0.25
                continue
            if not estimated and left is not None and spent + left < SHORT:
                wait = 0.25 if spent < SHORT else EVERY
                continue
            how_long = "" if left is None else f", about {describe_seconds(left)} left"
            say(f"{description}: {clock.progress()[1] or 'at work on the first step'}{how_long}")
            wait, estimated = EVERY, estimated or left is not None

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def describe_seconds(seconds: float) -> str:
    """A time in the words that suit its length."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
