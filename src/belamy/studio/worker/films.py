"""A film is made: frame after frame, watched, encoded as they come, kept as far as they got."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

from belamy.engines.film.encode import encode
from belamy.engines.film.film_options import FilmOptions
from belamy.engines.film.frames import SoundTrack
from belamy.engines.film.source import rate_and_sound
from belamy.errors import ImageError
from belamy.steps import Step
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.pictures import watch
from belamy.studio.worker.saving import Saver

__all__ = ["make_film"]

_FASTEST = 120  # frames a second of an MP4


def make_film(order: Order, control: Control, channel: Channel) -> None:
    """Run an engine whose steps are the frames of a film.

    Raises:
        ImageError: the film that goes in cannot be read, or the new one cannot be written.
    """
    saver = Saver(channel, order)
    options = order.make_options()
    rate, sound = _rate_and_sound(order, options)
    whole = find_spec("av") is not None and rate <= _FASTEST
    path = order.results / f"{order.stem}{'.mp4' if whole else '.gif'}"
    latest: list[Step] = []

    def frames() -> Iterator[Step]:
        for step in watch(order, control, channel, options, lambda step: step.image):
            latest[1:] = [step]
            yield _set_time(step, rate)

    try:
        encode(frames(), path, frame_rate=rate, sound=sound if whole else None)
    except ImageError:
        if latest or not control.stopped:
            raise
        saver.finish("stopped", None)
        return
    saver.finish_film("stopped" if control.stopped else "done", path, latest[0])


def _rate_and_sound(order: Order, options: Any) -> tuple[Fraction, SoundTrack | None]:
    if isinstance(options, FilmOptions):
        return rate_and_sound(str(order.files["picture"]), options)
    return Fraction(options.fps).limit_denominator(1001), None


def _set_time(step: Step, rate: Fraction) -> Step:
    """A frame that says when it is seen."""
    if step.time is not None:
        return step
    return replace(step, time=(step.index - 1) / rate, duration=1 / rate)
