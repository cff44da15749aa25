"""What the user says to a work that is under way: stop, pause, one step, another speed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Control"]


class Control:
    """Stops and commands for one job, set by the thread that listens."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self.playing = True
        self.steps = 0
        self.speed = 1.0
        self._on_stop: list[Callable[[], None]] = []

    @property
    def stopped(self) -> bool:
        """Whether the user has had enough."""
        return self._stop.is_set()

    def on_stop(self, act: Callable[[], None]) -> None:
        """Have something done once, when the user stops the work; at once if that is past."""
        with self._changed:
            late = self.stopped
            if not late:
                self._on_stop.append(act)
        if late:
            act()

    def stop(self) -> None:
        """End the work after the step that it is at."""
        with self._changed:
            self._stop.set()
            self._changed.notify_all()
            acts, self._on_stop = self._on_stop, []
        for act in acts:
            act()

    def command(self, words: dict[str, Any]) -> None:
        """Play, pause, step, speed."""
        with self._changed:
            action = words.get("action")
            if action in ("play", "pause"):
                self.playing = action == "play"
            elif action == "step":
                self.playing, self.steps = False, self.steps + 1
            if isinstance(words.get("speed"), (int, float)):
                self.speed = float(words["speed"])
            self._changed.notify_all()

    def wait_for_turn(self, pausing: Callable[[], None] | None = None) -> bool:
        """Wait while the work is paused; whether it goes on.

        Args:
            pausing: called once, where there is something to wait for, before it is.
        """
        with self._changed:
            while not (self.playing or self.steps or self.stopped):
                if pausing is not None:
                    pausing()
                    pausing = None
                self._changed.wait()
            if not self.playing and self.steps:
                self.steps -= 1
        return not self.stopped

    def wait(self, seconds: float) -> None:
        """Wait, or until the user stops."""
        self._stop.wait(seconds)
