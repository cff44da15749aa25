"""Films in containers (MP4, MOV, MKV, WebM, AVI …), decoded by PyAV, a frame at a time."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from belamy.errors import ImageError, PictureWarning
from belamy.files import missing_file, printable
from belamy.pixels.decode import check_pixels
from belamy.pixels.film.colours import to_pixels
from belamy.pixels.film.frame import MOST_MEGAPIXELS, Moment, Pixels
from belamy.pixels.film.geometry import Geometry, geometry_of
from belamy.pixels.film.interlaced import deinterlace
from belamy.pixels.formats.ffmpeg import (
    find_film,
    import_av,
    open_container,
    origin_of,
    translate_errors,
)
from belamy.pixels.formats.film_pixels import is_hdr

__all__ = ["ContainerFilm"]

_USUAL = Fraction(25)
_FASTEST = 1000
_BLINK = Fraction(1, 1000)  # seconds; a duration below is none
_LOST = Fraction(1, 2)  # seconds that a film may be shorter than it says before that is said


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
            raise missing_file(ImageError, path)
        import_av()
        with translate_errors(f"cannot read {self.name}: it is damaged, cut off, or no film"):
            self._container = open_container(os.fspath(path))
        try:
            with translate_errors(f"cannot read {self.name}"):
                self._open(size)
        except BaseException:
            self.close()
            raise

    def _open(self, size: int | None) -> None:
        self._stream = find_film(self._container)
        if self._stream is None:
            raise ImageError(f"cannot read {self.name}: there is no moving picture in it")
        sounds = self._container.streams.audio
        self.has_sound = bool(sounds)
        self._origin = origin_of(self._stream, sounds[0] if sounds else None)
        self.frame_rate = _frame_rate(self._stream)
        self._promised = _seconds(self._stream, None if sounds else self._container)
        self.seconds = _seconds(self._stream, self._container)
        self.frames: int | None = self._stream.frames or None
        check_pixels(self.name, self._stream.width, self._stream.height, MOST_MEGAPIXELS)
        self._decoder = _make_decoder(self._stream)
        self._damage = 0
        self._decoded = self._decode()
        self._first = next(self._decoded, None)
        if self._first is None:
            raise ImageError(f"cannot read {self.name}: it is cut off before its first picture")
        self._geometry: Geometry = geometry_of(self._first, self._stream, size)
        self.size = self._geometry.size
        check_pixels(self.name, self.size[1], self.size[0], MOST_MEGAPIXELS)
        if is_hdr(self._first):
            text = f"{self.name} is HDR: what is brighter than white is rolled off into sRGB"
            warnings.warn(text, PictureWarning, stacklevel=3)

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
        """Every frame that is whole, of one moment."""
        return deinterlace(self._decode_packets())

    def _decode_packets(self) -> Iterator[Any]:
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
        time: Fraction = frame.pts * Fraction(self._stream.time_base) - self._origin
        return max(Fraction(0), time)

    def _moment(self, frame: Any, time: Fraction, duration: Fraction) -> Moment:
        return Moment(time, duration, partial(self._load, frame))

    def _last(self, frame: Any, time: Fraction, usual: Fraction) -> Moment:
        """It stands as long as it says, or else to the end of the film, or as long as most do."""
        rest = Fraction(0) if self._promised is None else self._promised - time
        own = (frame.duration or 0) * Fraction(self._stream.time_base)
        found = next((one for one in (own, rest) if one >= _BLINK), usual)
        return self._moment(frame, time, found)

    def _load(self, frame: Any) -> Pixels:
        image, alpha = to_pixels(frame, self._geometry, self._decoder.name)
        return self._geometry.turn(image), None if alpha is None else self._geometry.turn(alpha)

    def _complain(self, end: Fraction) -> None:
        if self._promised is not None and end < self._promised - _LOST:
            text = f"{self.name} ends at {float(end):.1f} of {float(self._promised):.1f} seconds"
            text += ": it is cut off; what is whole is taken"
        elif self._damage:
            text = f"{self.name} is damaged in {self._damage} places; what is whole is taken"
        else:
            return
        warnings.warn(text, PictureWarning, stacklevel=2)


def _make_decoder(stream: Any) -> Any:
    """The stream's own; for transparent VP9 and VP8 libvpx's, since FFmpeg's drop the alpha."""
    av, decoder = import_av(), stream.codec_context
    if stream.metadata.get("alpha_mode") == "1" and decoder.name in _WITH_ALPHA:
        with suppress(av.codec.codec.UnknownCodecError):  # a PyAV that was built without it
            decoder = av.CodecContext.create(_WITH_ALPHA[decoder.name], "r")
            decoder.extradata = stream.codec_context.extradata
    decoder.thread_type = "AUTO"
    decoder.options = {**decoder.options, "max_pixels": str(int(MOST_MEGAPIXELS * 1e6))}
    return decoder


_WITH_ALPHA = {"vp9": "libvpx-vp9", "vp8": "libvpx"}


def _frame_rate(stream: Any) -> Fraction:
    """Nominal: the average may be a thousand in a container that counts milliseconds."""
    for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate):
        if rate and 0 < rate < _FASTEST:
            return Fraction(rate)
    return _USUAL


def _seconds(stream: Any, container: Any) -> Fraction | None:
    """How long a stream says that it is, or, where there is one, its container."""
    if stream.duration:
        return Fraction(stream.duration * stream.time_base)
    if found := _CLOCK.match(stream.metadata.get("DURATION", "")):  # as Matroska's writers say it
        hours, minutes, seconds = found.groups()
        return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
    return Fraction(container.duration, 1_000_000) if container and container.duration else None


_CLOCK = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d{1,12})?)")
