"""The film that is worked on: looked through once, then read again scene by scene."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

from belamy.engines.film.film_options import FilmOptions
from belamy.engines.film.frames import FilmPlan, SoundTrack
from belamy.engines.film.overlap import read_ahead
from belamy.errors import ImageError
from belamy.pixels.film.frame import Frame
from belamy.pixels.film.reader import FilmReader, open_film
from belamy.pixels.motion.cuts import find_cuts

__all__ = ["SourceFilm", "look_through", "rate_and_sound"]

_GLANCE = 160  # pixels of the long side at which scenes are told apart
_HELD = 4_000_000  # pixels of all frames together that are held to be given backward


@dataclass(frozen=True)
class SourceFilm:
    """A film whose frames and scenes are known.

    Args:
        path: where it is.
        options: what of it is taken.
        size: long side of its frames in pixels; None: their own.
        plan: its frames, and the scenes that they make up.
    """

    path: str
    options: FilmOptions
    size: int | None
    plan: FilmPlan

    def frames(self, scene: int, *, backward: bool = False) -> Iterator[tuple[int, Frame]]:
        """The frames of a scene, and their numbers in the whole film.

        Args:
            backward: from the last to the first. Films are read forward: a stretch of frames at a
                time is held, and what lies before it is read again.
        """
        rows = self.plan.scenes[scene]
        if not backward:
            yield from self._between(rows)
            return
        height, width = self.plan.size
        most = max(1, _HELD // (height * width))
        for stop in range(rows.stop, rows.start, -most):
            held = list(self._between(range(max(rows.start, stop - most), stop)))
            while held:
                yield held.pop()

    def _between(self, rows: range) -> Iterator[tuple[int, Frame]]:
        with _open(self.path, self.options, self.size) as reader:
            for index, frame in enumerate(reader):
                if index >= rows.stop:
                    return
                if index >= rows.start:
                    yield index, frame


def look_through(path: str, options: FilmOptions, size: int | None) -> SourceFilm:
    """Read a film once from end to end, small: how many frames, when they are seen, its scenes.

    Raises:
        ImageError: it is not there, damaged, or no film; or nothing of it is left.
        MissingExtra: PyAV or OpenCV is needed, and not installed.
    """
    times = []
    with _open(path, options, _GLANCE) as reader:

        def glance() -> Iterator[Frame]:
            for frame in reader:
                times.append((frame.time, frame.duration))
                yield frame

        with closing(read_ahead(glance())) as ahead:
            begins = list(find_cuts(frame.image for frame in ahead))
    if not times:
        raise ImageError(f"{path} has no frames between start and end; take another part of it")
    starts = [index for index, begin in enumerate(begins) if begin]
    scenes = tuple(map(range, starts, [*starts[1:], len(times)]))
    with _open(path, options, size) as reader:
        height, width = reader.size
    rate, sound = rate_and_sound(path, options)
    plan = FilmPlan(tuple(times), scenes, (height, width), rate, sound)
    return SourceFilm(path, options, size, plan)


def rate_and_sound(path: str, options: FilmOptions) -> tuple[Fraction, SoundTrack | None]:
    """Nominal frames a second and the sound of what is made of a film, by its header alone.

    Raises:
        ImageError: it is not there, damaged, or no film.
        MissingExtra: PyAV is needed, and not installed.
    """
    with _open(path, options, _GLANCE) as reader:
        sound = SoundTrack(path, options.start, options.end) if reader.has_sound else None
        return reader.frame_rate, sound


def _open(path: str, options: FilmOptions, size: int | None) -> FilmReader:
    return open_film(
        path,
        fps=options.fps,
        start=options.start,
        end=options.end,
        every=options.every,
        size=size,
    )
