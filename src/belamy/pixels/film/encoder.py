"""Films in containers, encoded by PyAV: the same frames give the same bytes on every machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from belamy.pixels.film.colours import SCALING
from belamy.pixels.film.ffmpeg import import_av

__all__ = ["CODECS", "Codec", "ContainerWriter"]

_BT709, _LIMITED, _SRGB_TRANSFER = 1, 1, 13  # ITU-T H.273, tables 2 to 4
_FINEST = 90_000  # ticks a second, at least: frames keep their times to 6 microseconds


@dataclass(frozen=True)
class Codec:
    """An encoder, and how it is asked.

    Args:
        name: FFmpeg's.
        softest: its crf at quality 0.
        options: besides.
        even: whether sides must be.
        alpha: the pixel format that keeps transparency; "" where none does.
    """

    name: str
    softest: int
    options: dict[str, str]
    even: bool = False
    alpha: str = ""

    def crf(self, quality: int) -> int:
        """Of a quality from 1 to 100: at 90 that which is said to be as good as the original."""
        return min(63 if self.softest > 63 else 51, round(self.softest - quality / 2))


CODECS = {
    "h264": Codec("libx264", 63, {"preset": "medium", "bf": "0"}, even=True),
}


class ContainerWriter:
    """Writes one film; see `belamy.pixels.film.writer.FilmWriter`."""

    def __init__(
        self,
        path: Path,
        kind: str,
        codec: Codec,
        frame_rate: Fraction,
        quality: int,
        threads: int,
        comment: str,
    ) -> None:
        self._av = import_av()
        flags = {"fflags": "+bitexact", "movflags": "faststart+use_metadata_tags"}
        self._container = self._av.open(str(path), "w", format=kind, options=flags)
        if comment:
            self._container.metadata["comment"] = comment
        self._codec, self._rate, self._quality, self._threads = codec, frame_rate, quality, threads
        self._stream: Any = None

    def write(self, pixels: NDArray[np.uint8], time: Fraction, duration: Fraction) -> None:
        """A frame, (H, W, 3) or (H, W, 4)."""
        if self._stream is None:
            self._stream = self._add_stream(pixels)
        frame = self._frame(pixels)
        frame.time_base = self._tick
        frame.pts = round(time / self._tick)
        frame.duration = max(1, round((time + duration) / self._tick) - frame.pts)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """The rest, and the index."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def close(self) -> None:
        """Let go of the file, however far it came."""
        self._container.close()

    def _add_stream(self, pixels: NDArray[np.uint8]) -> Any:
        height, width = pixels.shape[:2]
        options = {**self._codec.options, "crf": str(self._codec.crf(self._quality))}
        stream = self._container.add_stream(self._codec.name, rate=self._rate, options=options)
        odd = self._codec.even
        stream.width, stream.height = (side + side % 2 if odd else side for side in (width, height))
        stream.pix_fmt = "yuv420p"  # the only form of H.264 that every player takes
        context = stream.codec_context
        self._tick = Fraction(1, self._rate.numerator * math.ceil(_FINEST / self._rate.numerator))
        stream.time_base = context.time_base = self._tick
        context.thread_count, context.thread_type = self._threads, "FRAME"
        context.flags |= self._av.codec.context.Flags.frame_duration
        context.colorspace, context.color_primaries = _BT709, _BT709
        context.color_trc, context.color_range = _SRGB_TRANSFER, _LIMITED
        return stream

    def _frame(self, pixels: NDArray[np.uint8]) -> Any:
        """In limited-range BT.709, an odd side repeated by a pixel where it must be even."""
        if self._codec.even:
            odd = [(0, side % 2) for side in pixels.shape[:2]]
            pixels = np.pad(pixels, [*odd, (0, 0)], mode="edge")
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        return frame.reformat(
            format="yuv420p",
            dst_colorspace=_BT709,
            dst_color_range=_LIMITED,
            interpolation=SCALING,
        )
