"""APNG, written a frame at a time: Pillow's own writer keeps them all in memory."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.pixels.film.writers.changes import Change, Changes, ChangeWriter
from belamy.pixels.formats import png

__all__ = ["ApngWriter"]

_SHORTEST, _LONGEST = 11, 65_535 * 100  # milliseconds; what is longer is written in tenths
_THOUSAND = 65_535
_COMPRESSION = 6


class ApngWriter(ChangeWriter):
    """Writes one APNG, which plays round and round, and loses nothing.

    Args:
        path: where.
        texts: keyword → text in ASCII.
        compression: 1 is fast, 9 small.
        shortest: milliseconds that a frame stands at least; 0 where no browser will play it.
    """

    def __init__(
        self,
        path: Path,
        texts: Mapping[str, str],
        compression: int = _COMPRESSION,
        shortest: int = _SHORTEST,
    ) -> None:
        super().__init__(path, Changes(Fraction(1, 1000), shortest, _LONGEST))
        self._texts, self._compression = texts, compression
        self._count = self._sequence = 0
        self.durations: list[int] = []
        """Milliseconds of the frames that were written."""

    def write(self, pixels: NDArray[np.uint8], time: Fraction, duration: Fraction) -> None:
        """A frame, (H, W, 3) or (H, W, 4)."""
        if not self._file.tell():
            self._begin(pixels)
        super().write(pixels, time, duration)

    def _end(self) -> None:
        self._chunk(b"IEND", b"")
        self._file.seek(self._control)
        self._chunk(b"acTL", struct.pack(">II", self._count, 0))

    def _begin(self, pixels: NDArray[np.uint8]) -> None:
        height, width, channels = pixels.shape
        kind = 6 if channels == 4 else 2  # of colours, with or without alpha
        self._file.write(png.SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
        self._chunk(b"sRGB", b"\0")
        for keyword, text in self._texts.items():
            self._chunk(b"tEXt", keyword.encode("ascii") + b"\0" + text.encode("ascii"))
        self._control = self._file.tell()
        self._chunk(b"acTL", bytes(8))

    def _write(self, change: Change) -> None:
        height, width = change.pixels.shape[:2]
        delay = (change.ticks, 1000)
        if change.ticks > _THOUSAND:
            delay = (round(change.ticks / 100), 10)
        place = struct.pack(">IIII", width, height, change.left, change.top)
        self._chunk(b"fcTL", self._number() + place + struct.pack(">HHBB", *delay, 0, 0))
        first = not self._count
        for data in self._compress(change.pixels):
            self._chunk(*((b"IDAT", data) if first else (b"fdAT", self._number() + data)))
        self._count += 1
        self.durations.append(change.ticks)

    def _compress(self, pixels: NDArray[np.uint8]) -> list[bytes]:
        buffer = io.BytesIO()
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        picture.save(buffer, "PNG", compress_level=self._compression)
        data = buffer.getvalue()
        found, at = [], len(png.SIGNATURE)
        while at < len(data):
            (length,) = struct.unpack(">I", data[at : at + 4])
            if data[at + 4 : at + 8] == b"IDAT":
                found.append(data[at + 8 : at + 8 + length])
            at += length + 12
        return found

    def _number(self) -> bytes:
        self._sequence += 1
        return struct.pack(">I", self._sequence - 1)

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self._file.write(struct.pack(">I", len(data)) + kind + data)
        self._file.write(struct.pack(">I", zlib.crc32(kind + data)))
