"""How fast a lesson goes: played, paused, step by step; a few messages a second."""

from __future__ import annotations

import base64
import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order

__all__ = ["Pace", "encode_levels", "end_lesson"]

_EVERY = 1 / 12  # seconds between messages


class Pace:
    """Steps of a lesson as the user wants them.

    Args:
        order, control, channel: of the job.
        total: steps in all.
        name: what a step is called in messages, and in the plural.
        paused: whether it begins paused.
        per_message: steps between messages, at speed 1; 0 for as many as there is time for.
    """

    def __init__(
        self,
        order: Order,
        control: Control,
        channel: Channel,
        total: int,
        name: tuple[str, str] = ("epoch", "epochs"),
        *,
        paused: bool = False,
        per_message: int = 1,
    ) -> None:
        self._job, self._control, self._channel = order.job, control, channel
        self._total, self._name, self._usual = total, name, per_message
        self._latest, self._latest_index = 0.0, 0
        control.playing = not paused

    def send(self, index: int, message: dict[str, Any]) -> None:
        """Say how it stands; the first message is marked as that."""
        self._channel.send(
            {
                "type": "lesson",
                "job": self._job,
                "first": index == 0,
                self._name[0]: index,
                self._name[1]: self._total,
                "playing": self._control.playing,
                **message,
            }
        )
        self._report(index)
        self._latest, self._latest_index = time.monotonic(), index

    def _report(self, index: int) -> None:
        self._channel.send(
            {
                "type": "progress",
                "job": self._job,
                "step": index,
                "total": self._total,
                "done": index / self._total,
                "eta": None,
                "losses": {},
            }
        )

    def steps(self, describe: Callable[[], dict[str, Any]]) -> Iterator[int]:
        """1 to the last; waits while the lesson is paused, ends when the user stops it.

        Args:
            describe: the message on how it stands now, for a pause that comes between two messages.
        """
        for index in range(1, self._total + 1):
            if not self._control.wait_for_turn(functools.partial(self._pause, index - 1, describe)):
                return
            yield index

    def _pause(self, index: int, describe: Callable[[], dict[str, Any]]) -> None:
        if index != self._latest_index:
            self.send(index, describe())

    def is_due(self, index: int) -> bool:
        """Whether to send a message after this step; waits so that they are not too many."""
        if index == self._total or not self._control.playing:
            return True
        rest = self._latest + _EVERY - time.monotonic()
        if self._usual == 0:
            return rest <= 0
        if index - self._latest_index < max(1, round(self._usual * self._control.speed)):
            return False
        if rest > 0:
            self._control.wait(rest)
        return True


def encode_levels(values: Any) -> str:
    """Numbers from 0 to 1 as bytes, in base64."""
    pixels = np.clip(np.round(np.asarray(values) * 255), 0, 255).astype(np.uint8)
    return base64.b64encode(pixels.tobytes()).decode("ascii")


def end_lesson(order: Order, control: Control, channel: Channel) -> None:
    """The job is over."""
    state = "stopped" if control.stopped else "done"
    channel.send({"type": "finished", "job": order.job, "state": state, "message": ""})
