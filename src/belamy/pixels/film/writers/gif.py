"""GIF, written a frame at a time: Pillow's own writer keeps them all in memory.

Each frame has 256 colours of its own, and is only what changed. Pillow compresses it, as a GIF of
one frame, whose blocks are taken.
"""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.pixels.film.writers.changes import Change, Changes, ChangeWriter

__all__ = ["GifWriter", "comment_block"]

_COLOURS = 255  # one of 256 is for what stays as it is, or is transparent
_OPAQUE_FROM = 128
_SHORTEST, _LONGEST = 2, 65_535  # hundredths of a second
_KEEP, _CLEAR = 1, 2  # what becomes of a frame when the next comes
_BLOCK = 255


def comment_block(comment: bytes) -> bytes:
    """A comment as it stands in a file."""
    parts = [comment[at : at + _BLOCK] for at in range(0, len(comment), _BLOCK)]
    return b"!\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


class GifWriter(ChangeWriter):
    """Writes one GIF, which plays round and round.

    Args:
        path: where.
        size: (height, width).
        comment: carried in the file.
        alpha: whether its frames may be transparent.
    """

    def __init__(self, path: Path, size: tuple[int, int], comment: bytes, alpha: bool) -> None:
        super().__init__(path, Changes(Fraction(1, 100), _SHORTEST, _LONGEST, whole=alpha))
        self._file.write(b"GIF89a" + _numbers(size[1], size[0]) + b"\x70\0\0")
        self._file.write(b"!\xff\x0bNETSCAPE2.0" + b"\x03\x01\0\0\0")
        if comment:
            self._file.write(comment_block(comment))

    def _end(self) -> None:
        self._file.write(b";")

    def _write(self, change: Change) -> None:
        hidden = change.mask is not None
        mask, disposal = (~change.mask if change.mask is not None else None), _KEEP
        if change.pixels.shape[2] == 4:
            mask, disposal = change.pixels[..., 3] < _OPAQUE_FROM, _CLEAR
            hidden = True
        colours, data = _compress(change.pixels[..., :3], mask)
        flags = disposal << 2 | int(hidden)
        self._file.write(b"!\xf9\x04" + bytes([flags]) + _numbers(change.ticks))
        self._file.write(bytes([_COLOURS, 0]))
        height, width = change.pixels.shape[:2]
        self._file.write(b"," + _numbers(change.left, change.top, width, height))
        self._file.write(b"\x87" + colours + data)


def _numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "little") for value in values)


def _compress(pixels: NDArray[np.uint8], mask: NDArray[np.bool_] | None) -> tuple[bytes, bytes]:
    """The 256 colours of a frame, and its compressed indices; where `mask` is, the last index."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    palette = picture.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    picture = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    indices = np.array(picture)
    if mask is not None:
        indices[mask] = _COLOURS
    plain = Image.fromarray(indices)  # as greys, so that Pillow leaves the indices as they are
    buffer = io.BytesIO()
    plain.save(buffer, "GIF", optimize=False, interlace=False)
    colours = bytes(palette.getpalette() or ())[: 3 * 256].ljust(3 * 256, b"\0")
    return colours, _image_data(buffer.getvalue())


def _image_data(gif: bytes) -> bytes:
    """The compressed indices of a GIF of one frame, from the size of their codes to their end."""
    at = 13 + (3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0)
    while gif[at : at + 1] == b"!":
        at += 2
        while gif[at]:
            at += gif[at] + 1
        at += 1
    flags = gif[at + 9]
    at += 10 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    return gif[at:-1]
