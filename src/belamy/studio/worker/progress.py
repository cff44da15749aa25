"""How far a work is, said a few times a second, with the time that is left."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import deque
from typing import Any

from belamy.studio.worker.channel import Channel

__all__ = ["Eta", "Progress"]

_EVERY = 0.1  # seconds
_FIRST = 3  # step at which the time that is left is first said
_WINDOW = 8  # steps


class Eta:
    """The time that is left: the median pace of the last steps, times what is left to do."""

    def __init__(self) -> None:
        self._paces: deque[float] = deque(maxlen=_WINDOW)
        self._latest: tuple[float, float] | None = None
        self._steps = 0

    def update(self, done: float, now: float) -> float | None:
        """Seconds left, once there is something to go by.

        Args:
            done: part of the work, 0 to 1.
            now: seconds of any clock.
        """
        self._steps += 1
        if self._latest is not None and done > self._latest[1]:
            then, before = self._latest
            self._paces.append((now - then) / (done - before))
        self._latest = (now, done)
        if self._steps < _FIRST or not self._paces:
            return None
        return statistics.median(self._paces) * max(0.0, 1 - done)


class Progress:
    """Tells the server how far one job is.

    Args:
        channel: where to.
        job: which.
    """

    def __init__(self, channel: Channel, job: str) -> None:
        self._channel, self._job = channel, job
        self._eta = Eta()
        self._lock = threading.Lock()
        self._step = 0
        self._due = 0.0
        self._unsent: dict[str, Any] | None = None

    def update(
        self, index: int, total: int, done: float | None, losses: dict[str, float], note: str
    ) -> None:
        """One more step."""
        now = time.monotonic()
        part = min(1.0, index / max(1, total)) if done is None else done
        with self._lock:
            self._step = index
            eta = self._eta.update(part, now)
        message: dict[str, Any] = {"type": "progress", "job": self._job, "step": index}
        plain = {name: value for name, value in losses.items() if math.isfinite(value)}
        message |= {"total": total, "done": part, "eta": eta, "losses": plain}
        if now < self._due and not note and index < total:
            self._unsent = message
            return
        self._due, self._unsent = now + _EVERY, None
        self._channel.send({**message, **({"note": note} if note else {})})

    def tick(self, index: int, total: int) -> None:
        """How far it is by now, between two of its reports; from any thread."""
        part = min(1.0, index / max(1, total))
        with self._lock:
            if index <= self._step:
                return
            self._step = index
            eta = self._eta.update(part, time.monotonic())
        message = {"type": "step", "job": self._job, "step": index, "total": total}
        self._channel.send({**message, "done": part, "eta": eta})

    def close(self) -> None:
        """Say how far it came, where that was too soon after the message before."""
        if self._unsent is not None:
            self._channel.send(self._unsent)
            self._unsent = None
