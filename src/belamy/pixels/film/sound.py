"""The sound of a film, copied as it is, or cut and encoded anew, in step with the picture."""

from __future__ import annotations

import math
import os
import warnings
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from belamy.errors import PictureWarning
from belamy.files import printable
from belamy.pixels.film.kinds import kind_of
from belamy.pixels.formats.ffmpeg import find_film, import_av, open_container, origin_of

__all__ = ["Sound", "open_sound"]

_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATE = 48_000
_BITS = {"aac": 96_000, "libopus": 64_000}  # a second and channel
_SLACK = Fraction(1, 50)  # seconds by which a clock may be off before silence is put in
_RUN_UP = Fraction(1, 2)  # seconds that a decoder needs before its sound is whole


class Sound:
    """What is heard, packet by packet.

    Args:
        path: of the film that it comes from.
        encoder: FFmpeg's, where it cannot be copied.
        copies: codecs that may be copied.
        start: seconds into that film at which to begin.
        end: seconds at which to stop; None: where it ends.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        encoder: str,
        copies: tuple[str, ...],
        start: Fraction,
        end: Fraction | None,
    ) -> None:
        self._av, self._name = import_av(), printable(path)
        self._source = open_container(os.fspath(path))
        self._input = self._source.streams.audio[0]
        self._origin = origin_of(find_film(self._source), self._input) + start
        self._start, self._end, self._encoder = start, end, encoder
        whole = start == 0 and end is None
        self.is_copy = whole and self._input.codec_context.name in copies
        self._ready: deque[tuple[Fraction, Any]] = deque()
        self._packets: Iterator[tuple[Fraction, Any]] = iter(())

    def attach(self, film: Any) -> None:
        """Add a stream for it to the film that is written."""
        if self.is_copy:
            self._output = film.add_stream_from_template(self._input)
            self._packets = self._copy()
            return
        context = self._input.codec_context
        opus = self._encoder == "libopus"
        rate = min((one for one in _AAC_RATES if one >= context.rate), default=_OPUS_RATE)
        self._rate = _OPUS_RATE if opus else rate
        channels = min(2, context.channels)
        self._output = film.add_stream(self._encoder, rate=self._rate)
        self._output.layout = "mono" if channels == 1 else "stereo"
        self._output.bit_rate = _BITS[self._encoder] * channels
        self._packets = self._encode()

    def packets(self, until: Fraction | None = None) -> Iterator[Any]:
        """Those that are heard before `until`, or all that are left."""
        while True:
            if not self._ready:
                found = next(self._packets, None)
                if found is None:
                    return
                self._ready.append(found)
            if until is not None and self._ready[0][0] > until:
                return
            yield self._ready.popleft()[1]

    def close(self) -> None:
        """Close the file that it is read from."""
        self._source.close()

    def _demux(self) -> Iterator[Any]:
        packets = self._source.demux(self._input)
        while True:
            try:
                packet = next(packets, None)
            except self._av.FFmpegError:
                warnings.warn(f"the sound of {self._name} is cut off", PictureWarning, stacklevel=2)
                return
            if packet is None:
                return
            yield packet

    def _copy(self) -> Iterator[tuple[Fraction, Any]]:
        base = Fraction(self._input.time_base)
        shift = round(self._origin / base)
        for packet in self._demux():
            if packet.dts is None or packet.is_corrupt:
                continue
            time = packet.dts * base - self._origin
            packet.pts = packet.dts if packet.pts is None else packet.pts
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = self._output
            yield time, packet

    def _encode(self) -> Iterator[tuple[Fraction, Any]]:
        position = 0
        for samples in self._place():
            frame = self._av.AudioFrame.from_ndarray(
                samples, format="fltp", layout=self._output.layout.name
            )
            frame.sample_rate, frame.pts = self._rate, position
            frame.time_base = Fraction(1, self._rate)
            position += samples.shape[1]
            yield from self._stamp(self._output.encode(frame))
        yield from self._stamp(self._output.encode(None))

    def _stamp(self, packets: list[Any]) -> Iterator[tuple[Fraction, Any]]:
        for packet in packets:
            yield packet.dts * Fraction(packet.time_base), packet

    def _place(self) -> Iterator[NDArray[np.float32]]:
        """(channels, samples) one after another from `start` on, silence where there is nothing."""
        filled = 0
        slack = round(_SLACK * self._rate)
        most = None if self._end is None else round((self._end - self._start) * self._rate)
        for time, samples in self._decode():
            place = round((time - self._origin) * self._rate)
            if (filled == 0 and place <= 0) or place < filled - slack:
                samples = samples[:, filled - place :]
            elif place > filled + slack or filled == 0:
                silence = np.zeros((samples.shape[0], place - filled), np.float32)
                samples = np.concatenate([silence, samples], axis=1)
            if most is not None:
                samples = samples[:, : max(0, most - filled)]
            if samples.shape[1]:
                filled += samples.shape[1]
                yield np.ascontiguousarray(samples)
            if most is not None and filled >= most:
                return

    def _decode(self) -> Iterator[tuple[Fraction, NDArray[np.float32]]]:
        """Samples at the rate of the encoder, and the time of the first of them."""
        if self._start > 0:
            offset = (self._origin - _RUN_UP) / Fraction(self._input.time_base)
            self._source.seek(math.floor(offset), stream=self._input)
        resampler = self._av.AudioResampler("fltp", self._output.layout.name, self._rate)
        for packet in self._demux():
            try:
                frames = self._input.codec_context.decode(packet)
            except self._av.FFmpegError:
                continue
            for frame in frames:
                for part in resampler.resample(frame):
                    yield part.pts * Fraction(part.time_base), part.to_ndarray()
        for part in resampler.resample(None):
            yield part.pts * Fraction(part.time_base), part.to_ndarray()


def open_sound(
    path: str | os.PathLike[str],
    encoder: str,
    copies: tuple[str, ...],
    start: Fraction,
    end: Fraction | None,
) -> Sound | None:
    """The sound of a film; None where there is none. See `Sound`."""
    if kind_of(path) != "container":
        return None
    source = open_container(os.fspath(path))
    silent = not source.streams.audio
    source.close()
    return None if silent else Sound(path, encoder, copies, start, end)
