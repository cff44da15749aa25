"""Films in containers, encoded by PyAV: the same frames give the same bytes on every machine.

x264's bytes depend on how many threads it has and on how they share the work, so that both are
set here. Frames that are shown later than they are decoded (B-frames) would make an MP4 end before
its last frame does: there are none, which costs a twentieth of the size at most.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from belamy.errors import ImageError
from belamy.pixels.film.sound import Sound
from belamy.pixels.formats.ffmpeg import import_av
from belamy.pixels.formats.film_pixels import SCALING

__all__ = ["CODECS", "CONTAINERS", "Codec", "Container", "ContainerWriter"]

_BT709, _LIMITED, _SRGB_TRANSFER = 1, 1, 13  # ITU-T H.273, tables 2 to 4
_FINEST = 90_000  # ticks a second, at least: frames keep their times to 6 microseconds
_MOST_TICKS = 1 << 30
# Chroma lies in the middle of its four pixels, where FFmpeg's scaler puts it and browsers look for
# it. H.264 that does not say so has it at their left: read so, a dream is half a level further off.
_CENTRED = "chromaloc=1"
# Dreams and paintings are all colour: 15 % more bytes, and a seventh less of an error.
_CHROMA = "chroma-qp-offset=-4"
_AHEAD = "rc-lookahead=16"  # frames that wait in memory, instead of 40


@dataclass(frozen=True)
class Codec:
    """An encoder, and how it is asked.

    Args:
        names: FFmpeg's encoders for it, the best first.
        softest: its crf at quality 0; a quality of 2 more is a crf of 1 less.
        most: the largest crf.
        options: besides.
        even: whether sides must be.
        alpha: whether it keeps transparency.
    """

    names: tuple[str, ...]
    softest: int
    most: int
    options: dict[str, str]
    even: bool = False
    alpha: bool = False

    def crf(self, quality: int) -> int:
        """Of a quality from 1 to 100; at 90 it is what is said to be as good as the original."""
        return min(self.most, round(self.softest - quality / 2))

    def find(self, av: Any) -> str:
        """The encoder that this build of FFmpeg has."""
        found = next((name for name in self.names if name in av.codecs_available), None)
        if found is None:
            raise ImageError(f"this PyAV has no encoder {self.names[0]}; reinstall av")
        return found


CODECS = {
    "h264": Codec(
        ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf", "h264_nvenc"),
        *(63, 51),
        {"preset": "medium", "bf": "0", "x264-params": f"{_CENTRED}:{_CHROMA}:{_AHEAD}"},
        even=True,
    ),
    "vp9": Codec(
        ("libvpx-vp9",),
        *(69, 63),
        {"b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
        alpha=True,
    ),
    "av1": Codec(("libsvtav1",), 67, 63, {"preset": "8"}, even=True),
}


@dataclass(frozen=True)
class Container:
    """A kind of file.

    Args:
        name: FFmpeg's.
        codecs: what is written into it, the usual first.
        sound: the encoder of its sound.
        copies: sounds that it takes as they are.
        options: of the file.
    """

    name: str
    codecs: tuple[str, ...]
    sound: str
    copies: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)


# faststart: the index comes first, so that a browser need not have the whole film to begin
_MP4 = {"movflags": "faststart"}
_MOV = {"movflags": "faststart+use_metadata_tags"}  # its old comments have 64 kB at most
_ANY = ("aac", "mp3", "opus", "vorbis", "flac", "ac3", "eac3", "pcm_s16le", "pcm_s24le", "alac")
CONTAINERS = {
    ".mp4": Container("mp4", ("h264", "av1", "vp9"), "aac", ("aac", "mp3"), _MP4),
    ".mov": Container("mov", ("h264",), "aac", ("aac", "mp3", "alac", "pcm_s16le"), _MOV),
    ".mkv": Container("matroska", ("h264", "vp9", "av1"), "aac", _ANY),
    ".webm": Container("webm", ("vp9", "av1"), "libopus", ("opus", "vorbis")),
}
"""Suffix → what is written there."""


class ContainerWriter:
    """Writes one film; see `belamy.pixels.film.writer.FilmWriter`.

    Args:
        path: where.
        container: what kind of file.
        codec: of the picture.
        frame_rate: frames a second, nominal.
        quality: 1 to 100.
        threads: of the encoder.
        comment: carried in the file.
        sound: what is heard; None: nothing.
    """

    def __init__(
        self,
        path: Path,
        container: Container,
        codec: Codec,
        frame_rate: Fraction,
        quality: int,
        threads: int,
        comment: str,
        sound: Sound | None,
    ) -> None:
        self._av = import_av()
        self._codec, self._rate = codec, frame_rate
        self._quality, self._threads, self._sound = quality, threads, sound
        self._stream: Any = None
        self._durations: dict[int, int] = {}
        options = {"fflags": "+bitexact", **container.options}
        self._film = self._av.open(str(path), "w", format=container.name, options=options)
        if comment:
            self._film.metadata["comment"] = comment

    def write(self, pixels: NDArray[np.uint8], time: Fraction, duration: Fraction) -> None:
        """A frame, (H, W, 3) or (H, W, 4)."""
        if self._stream is None:
            self._stream = self._add_stream(pixels)
        frame = self._frame(pixels)
        frame.time_base = self._tick
        frame.pts = round(time / self._tick)
        frame.duration = max(1, round((time + duration) / self._tick) - frame.pts)
        self._durations[frame.pts] = frame.duration
        with _quiet_svt():
            self._mux(self._stream.encode(frame))
        if self._sound is not None:
            self._film.mux(list(self._sound.packets(until=time + duration)))

    def finish(self) -> None:
        """The rest, and the index."""
        self._mux(self._stream.encode(None))
        if self._sound is not None:
            self._film.mux(list(self._sound.packets()))
        self.close()

    def close(self) -> None:
        """Let go of the files, however far it came."""
        self._film.close()
        if self._sound is not None:
            self._sound.close()

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            # encoders give each the nominal duration
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._film.mux(packet)

    def _add_stream(self, pixels: NDArray[np.uint8]) -> Any:
        height, width, channels = pixels.shape
        name = self._codec.find(self._av)
        options = {**self._codec.options, "crf": str(self._codec.crf(self._quality))}
        options = options if name == self._codec.names[0] else {}  # others know none of them
        stream = self._film.add_stream(name, rate=self._rate, options=options)
        self._alpha = channels == 4 and self._codec.alpha
        odd = int(self._codec.even)
        stream.width, stream.height = width + odd * (width % 2), height + odd * (height % 2)
        # 4:2:0 is what every player takes
        stream.pix_fmt = "yuva420p" if self._alpha else "yuv420p"
        self._tick = _tick(self._rate)
        context = stream.codec_context
        stream.time_base = context.time_base = self._tick
        context.thread_count, context.thread_type = self._threads, "FRAME"
        context.flags |= self._av.codec.context.Flags.frame_duration
        context.colorspace, context.color_primaries = _BT709, _BT709
        context.color_trc, context.color_range = _SRGB_TRANSFER, _LIMITED
        if self._sound is not None:
            self._sound.attach(self._film)
        return stream

    def _frame(self, pixels: NDArray[np.uint8]) -> Any:
        """In limited-range BT.709, an odd side repeated by a pixel where it must be even."""
        if self._codec.even:
            odd = [(0, side % 2) for side in pixels.shape[:2]]
            pixels = np.pad(pixels, [*odd, (0, 0)], mode="edge")
        form = "rgba" if self._alpha else "rgb24"
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=form)
        return frame.reformat(
            format=self._stream.pix_fmt if self._stream else "yuv420p",
            dst_colorspace=_BT709,
            dst_color_range=_LIMITED,
            interpolation=SCALING,
        )


def _tick(rate: Fraction) -> Fraction:
    """A unit of time of which each frame of that rate takes a whole number."""
    count = rate.numerator
    if count > _MOST_TICKS:
        return Fraction(1, _FINEST)
    return Fraction(1, count * math.ceil(_FINEST / count))


@contextmanager
def _quiet_svt() -> Iterator[None]:
    """SVT-AV1 writes to stderr what it is about to do, unless it is told by the environment."""
    before = os.environ.get("SVT_LOG")
    os.environ["SVT_LOG"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["SVT_LOG"]
        else:
            os.environ["SVT_LOG"] = before
