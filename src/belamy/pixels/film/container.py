"""Films in containers (MP4, MOV, MKV, WebM, AVI …), decoded by PyAV, a frame at a time."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from belamy.errors import ImageError, PictureWarning
from belamy.pixels.decode import check_pixels, printable
from belamy.pixels.film.colours import to_pixels
from belamy.pixels.film.ffmpeg import import_av, open_container, translate_errors
from belamy.pixels.film.frame import Moment, Pixels
from belamy.pixels.film.geometry import Geometry, geometry_of

__all__ = ["ContainerFilm"]

MOST_MEGAPIXELS = 36.0
"""Of a frame: 8K television has 33."""

_USUAL = Fraction(25)
_FASTEST = 1000
_LOST = Fraction(1, 2)  # seconds that a film may be shorter than it says before that is said
_ATTACHED = 0x400  # of a stream's disposition: a cover


class ContainerFilm:
    """A film in a container; see `belamy.pixels.film.frame.FilmSource`.

    Args:
        path: of the file.
        size: long side of the frames; None: their own.

    Raises:
        ImageError: it is not there, damaged, has no moving picture, or too large a one.
        MissingExtra: PyAV is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], size: int | None) -> None:
        self.name = printable(path)
        if not Path(path).is_file():
            raise ImageError(f"cannot read {self.name}: there is no such film; check the path")
        import_av()
        with translate_errors(f"cannot read {self.name}"):
            self._container = open_container(os.fspath(path))
        try:
            with translate_errors(f"cannot read {self.name}"):
                self._open(size)
        except BaseException:
            self.close()
            raise

    def _open(self, size: int | None) -> None:
        films = [one for one in self._container.streams.video if not _is_cover(one)]
        if not films:
            raise ImageError(f"cannot read {self.name}: there is no moving picture in it")
        self._stream = films[0]
        sounds = self._container.streams.audio
        self.has_sound = bool(sounds)
        self._origin = _origin(self._stream, sounds[0] if sounds else None)
        self.frame_rate = _frame_rate(self._stream)
        self.seconds = _seconds(self._stream, self._container)
        self.frames: int | None = self._stream.frames or None
        check_pixels(self.name, self._stream.width, self._stream.height, MOST_MEGAPIXELS)
        self._decoder = self._make_decoder()
        self._damage = 0
        self._decoded = self._decode()
        self._first = next(self._decoded, None)
        if self._first is None:
            raise ImageError(f"cannot read {self.name}: it is cut off before its first picture")
        self._geometry: Geometry = geometry_of(self._first, self._stream, size)
        self.size = self._geometry.size
        check_pixels(self.name, self.size[1], self.size[0], MOST_MEGAPIXELS)

    def _make_decoder(self) -> Any:
        decoder = self._stream.codec_context
        decoder.thread_type = "AUTO"
        decoder.options = {"max_pixels": str(int(MOST_MEGAPIXELS * 1e6))}
        return decoder

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def moments(self, start: Fraction) -> Iterator[Moment]:
        """Every frame from the one that stands at `start` on, or from an earlier one."""
        with translate_errors(f"cannot read {self.name}"):
            yield from self._time(self._seek(start))

    def _seek(self, start: Fraction) -> Iterator[Any]:
        """Decoded frames from the key before `start` on."""
        first, self._first = self._first, None
        if first is not None and start <= 0:
            yield first
            yield from self._decoded
            return
        for target in (start, Fraction(0)):
            offset = math.floor((target + self._origin) / self._stream.time_base)
            self._container.seek(offset, stream=self._stream)
            self._decoder.flush_buffers()
            self._decoded = self._decode()
            first = next(self._decoded, None)
            if first is not None and self._time_of(first, Fraction(0)) <= target:
                break
        if first is not None:
            yield first
        yield from self._decoded

    def _decode(self) -> Iterator[Any]:
        """Every frame that is whole."""
        errors = import_av().FFmpegError
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except errors:
                self._damage += 1
                return
            if packet is None:
                return
            if packet.is_corrupt:
                self._damage += 1
                continue
            try:
                found = self._decoder.decode(packet)
            except errors:
                self._damage += 1
                continue
            yield from (frame for frame in found if not frame.is_corrupt)

    def _time(self, frames: Iterator[Any]) -> Iterator[Moment]:
        """Each with its time; it stands until the next."""
        usual = 1 / self.frame_rate
        held: tuple[Any, Fraction] | None = None
        for frame in frames:
            if held is None:
                held = frame, self._time_of(frame, Fraction(0))
                continue
            time = self._time_of(frame, held[1] + usual)
            if time <= held[1]:  # a clock that was set back
                time = held[1] + usual
            yield self._moment(held[0], held[1], time - held[1])
            held = frame, time
        if held is not None:
            last = self._last(held[0], held[1], usual)
            yield last
            self._complain(last.end)

    def _time_of(self, frame: Any, usual: Fraction) -> Fraction:
        if frame.pts is None:
            return usual
        return max(Fraction(0), frame.pts * Fraction(self._stream.time_base) - self._origin)

    def _moment(self, frame: Any, time: Fraction, duration: Fraction) -> Moment:
        return Moment(time, duration, partial(self._load, frame))

    def _last(self, frame: Any, time: Fraction, usual: Fraction) -> Moment:
        own = (frame.duration or 0) * Fraction(self._stream.time_base)
        return self._moment(frame, time, own if own > 0 else usual)

    def _load(self, frame: Any) -> Pixels:
        image, alpha = to_pixels(frame, self._geometry)
        return self._geometry.turn(image), None if alpha is None else self._geometry.turn(alpha)

    def _complain(self, end: Fraction) -> None:
        if self.seconds is not None and end < self.seconds - _LOST:
            text = f"{self.name} ends at {float(end):.1f} of {float(self.seconds):.1f} seconds"
            text += ": it is cut off; what is whole is taken"
        elif self._damage:
            text = f"{self.name} is damaged in {self._damage} places; what is whole is taken"
        else:
            return
        warnings.warn(text, PictureWarning, stacklevel=2)


def _is_cover(stream: Any) -> bool:
    return bool(int(stream.disposition) & _ATTACHED)


def _origin(film: Any, sound: Any) -> Fraction:
    """When the film begins by its own clock: with the first of picture and sound.

    Sound before zero is what an encoder put there to warm up.
    """
    starts = [one for one in map(_start, (film,)) if one is not None]
    if sound is not None and (begin := _start(sound)) is not None:
        starts.append(max(Fraction(0), begin))
    return min(starts, default=Fraction(0))


def _start(stream: Any) -> Fraction | None:
    return None if stream.start_time is None else stream.start_time * Fraction(stream.time_base)


def _frame_rate(stream: Any) -> Fraction:
    """Nominal: the average may be a thousand in a container that counts milliseconds."""
    for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate):
        if rate and 0 < rate < _FASTEST:
            return Fraction(rate)
    return _USUAL


def _seconds(stream: Any, container: Any) -> Fraction | None:
    if stream.duration:
        return stream.duration * Fraction(stream.time_base)
    if container.duration:
        return Fraction(container.duration, 1_000_000)
    return None
