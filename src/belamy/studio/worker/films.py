"""A film is made: frame after frame, watched, encoded as they come, kept as far as they got."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from belamy.engines.film.encode import encode
from belamy.engines.film.film_options import FilmOptions
from belamy.engines.film.frames import SoundTrack
from belamy.engines.film.source import rate_and_sound
from belamy.pixels.film.relabel import replace_recipe
from belamy.pixels.recipe import read_recipe
from belamy.steps import Step
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.pictures import start_timer, watch
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
    film = _FilmEncoder(path, rate, sound if whole else None)

    def save(state: str) -> None:
        first = film.close()
        if first is None:
            saver.finish(state, None)
            return
        if first.recipe is not None and film.count < first.total:  # it says how much there is
            replace_recipe(path, replace(read_recipe(path), step=film.count))
        saver.finish_film(state, path, first)

    def stop() -> None:
        try:
            save("stopped")
        except Exception as error:
            saver.fail(" ".join(str(error).split()))

    control.on_stop(lambda: start_timer(stop))
    try:
        for step in watch(order, control, channel, options, lambda step: step.image):
            film.add(_set_time(step, rate))
    except BaseException:
        film.discard()
        raise
    save("stopped" if control.stopped else "done")


class _Discarded(Exception):
    """The film is not wanted any more."""


class _FilmEncoder:
    """Frames are encoded beside the work, so that the film is whole even inside a frame's work.

    Args:
        path, rate, sound: of the film.

    Attributes:
        count: of frames.
    """

    def __init__(self, path: Path, rate: Fraction, sound: SoundTrack | None) -> None:
        self._changed = threading.Condition()
        self.count = 0
        self._next: Step | None = None
        self._first: Step | None = None
        self._closed = self._discarded = False
        self._error: Exception | None = None
        work = partial(self._encode, path, rate, sound)
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def add(self, step: Step) -> None:
        """One more frame; waits until the one before is taken.

        Raises:
            ImageError: the film cannot be written.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._next is None or self._closed)
            if self._error is not None:
                raise self._error
            if not self._closed:
                self._first = self._first or step
                self._next = step
                self._changed.notify_all()

    def close(self) -> Step | None:
        """The film is as long as it is now; gives its first frame, None where there is no film.

        Raises:
            ImageError: the film cannot be written.
        """
        self._end()
        if self._error is not None:
            raise self._error
        return self._first

    def discard(self) -> None:
        """Leave no film, where it is not closed yet."""
        with self._changed:
            self._discarded = not self._closed
        self._end()

    def _end(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _encode(self, path: Path, rate: Fraction, sound: SoundTrack | None) -> None:
        frames = self._frames()
        try:
            first = next(frames, None)
            if first is not None:
                encode(chain([first], frames), path, frame_rate=rate, sound=sound)
        except _Discarded:
            return
        except Exception as error:
            self._error = error
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _frames(self) -> Iterator[Step]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next is not None or self._closed)
                if self._discarded:
                    raise _Discarded
                step, self._next = self._next, None
                self._changed.notify_all()
            if step is None:
                return
            self.count += 1
            yield step


def _rate_and_sound(order: Order, options: Any) -> tuple[Fraction, SoundTrack | None]:
    if isinstance(options, FilmOptions):
        return rate_and_sound(str(order.files["picture"]), options)
    return Fraction(options.fps).limit_denominator(1001), None


def _set_time(step: Step, rate: Fraction) -> Step:
    """A frame that says when it is seen."""
    if step.time is not None:
        return step
    return replace(step, time=(step.index - 1) / rate, duration=1 / rate)
