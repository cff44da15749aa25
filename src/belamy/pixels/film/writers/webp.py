"""Animated WEBP, written a frame at a time: Pillow's own writer leaves out slow changes.

libwebp takes frames for equal that differ by a few levels: half of a slow walk would be missing.
Here each frame is encoded by itself, as a still of what changed. The container is that of
https://developers.google.com/speed/webp/docs/riff_container.
"""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from belamy.pixels.encode import SUFFIXES, Format
from belamy.pixels.film.writers.changes import Change, Changes, ChangeWriter
from belamy.pixels.recipe import Recipe

__all__ = ["WebpWriter"]

_SHORTEST, _LONGEST = 11, (1 << 24) - 1  # milliseconds
_ANIMATED, _XMP, _EXIF, _ALPHA = 0x02, 0x04, 0x08, 0x10
_NOT_BLENDED = 0x02
_FORMAT: Format = SUFFIXES[".webp"]


class WebpWriter(ChangeWriter):
    """Writes one WEBP, which plays round and round.

    Args:
        path: where.
        size: (height, width).
        quality: 1 to 100.
        recipe: carried in the file.
        alpha: whether its frames may be transparent.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], quality: int, recipe: Recipe | None, alpha: bool
    ) -> None:
        super().__init__(path, Changes(Fraction(1, 1000), _SHORTEST, _LONGEST, grid=2))
        self._quality = quality
        carry = _FORMAT.carry
        self._carried = {} if recipe is None or carry is None else carry(recipe)
        flags = _ANIMATED | (_ALPHA if alpha else 0) | (_XMP | _EXIF if self._carried else 0)
        self._file.write(b"RIFF\0\0\0\0WEBP")
        self._file.write(_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + _sides(size[1], size[0])))
        self._file.write(_chunk(b"ANIM", bytes(6)))  # on nothing, round and round

    def _end(self) -> None:
        for kind, name in ((b"EXIF", "exif"), (b"XMP ", "xmp")):
            if name in self._carried:
                self._file.write(_chunk(kind, self._carried[name]))
        length = self._file.tell() - 8
        self._file.seek(4)
        self._file.write(length.to_bytes(4, "little"))

    def _write(self, change: Change) -> None:
        height, width = change.pixels.shape[:2]
        buffer = io.BytesIO()
        picture = Image.fromarray(np.ascontiguousarray(change.pixels))
        picture.save(buffer, "WEBP", **_FORMAT.options(self._quality))
        place = (change.left // 2).to_bytes(3, "little") + (change.top // 2).to_bytes(3, "little")
        head = place + _sides(width, height) + change.ticks.to_bytes(3, "little")
        data = _image_chunks(buffer.getvalue())
        self._file.write(_chunk(b"ANMF", head + bytes([_NOT_BLENDED]) + data))


def _sides(*sides: int) -> bytes:
    return b"".join((side - 1).to_bytes(3, "little") for side in sides)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def _image_chunks(webp: bytes) -> bytes:
    """What a still WEBP says of its pixels and its alpha."""
    found, at = b"", 12
    while at + 8 <= len(webp):
        length = int.from_bytes(webp[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if webp[at : at + 4] in (b"VP8 ", b"VP8L", b"ALPH"):
            found += webp[at:end]
        at = end
    return found
