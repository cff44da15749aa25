"""Two networks play for eight clouds of points, live."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from belamy.learn.toy_gan import REACH, Snapshot, ToyGan
from belamy.objectives.adversarial import LOSSES
from belamy.studio.catalog.lessons import GanLesson
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.pace import Pace, encode_levels, end_lesson

__all__ = ["teach"]

_SHOWN = 300  # points
_THINNED = 2  # of the field, every second row and column
_DIGITS = 4


class _Moments(Collection[int]):
    """The steps that are shown, decided when they come: the player asks for each step."""

    def __init__(self, pace: Pace, control: Control, total: int) -> None:
        self._pace, self._control, self._total = pace, control, total
        self._latest, self._answer = -1, False

    def __contains__(self, step: object) -> bool:
        assert isinstance(step, int)
        if step != self._latest:
            self._latest = step
            self._answer = step == 0 or self._control.stopped or self._pace.is_due(step)
        return self._answer

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._total + 1))

    def __len__(self) -> int:
        return self._total + 1


def teach(order: Order, control: Control, channel: Channel) -> None:
    """Play to the end, and show how it stands a few times a second.

    Raises:
        Diverged: a loss is no longer a number.
    """
    options: GanLesson = order.make_options()
    game = _Game(control, options)
    names = ("step", "steps")
    pace = Pace(order, control, channel, options.steps, names, paused=options.paused, per_message=0)
    for snapshot in game.snapshots(_Moments(pace, control, options.steps)):
        if control.stopped:
            break
        first = {"real": _round(snapshot.real[:_SHOWN]), "reach": REACH}
        pace.send(snapshot.step, {**_describe(snapshot), **(first if snapshot.step == 0 else {})})
    end_lesson(order, control, channel)


class _Game(ToyGan):
    """The game, which waits while it is paused."""

    def __init__(self, control: Control, options: GanLesson) -> None:
        penalty = LOSSES[options.loss].toy_penalty
        super().__init__(
            options.loss,
            penalty if options.penalty is None else options.penalty,
            options.momentum,
            options.discriminator_steps,
            options.steps,
            options.seed,
        )
        self._control = control

    def step(self, index: int) -> tuple[float, float]:
        """One step, when it is its turn; once the user has stopped, none."""
        if not self._control.wait_for_turn():
            return 0.0, 0.0
        return super().step(index)


def _describe(snapshot: Snapshot) -> dict[str, Any]:
    """How the game stands."""
    _, discriminator, generator, covered, good = snapshot.history[-1]
    losses = {"generator": float(generator), "discriminator": float(discriminator)}
    field = snapshot.field[::-_THINNED, ::_THINNED]  # from the top to the bottom
    return {
        "lesson": "gan",
        "losses": {n: round(x, _DIGITS) for n, x in losses.items() if math.isfinite(x)},
        "covered": int(covered),
        "good": round(float(good), _DIGITS),
        "fake": _round(snapshot.fake[:_SHOWN]),
        "field": {"side": len(field), "data": encode_levels(field)},
    }


def _round(values: Any) -> Any:
    return np.round(values.astype(np.float64), _DIGITS).tolist()
