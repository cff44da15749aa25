"""The comment in a Matroska or WebM file, read without a decoder.

Such a file is a tree of elements, each a number that names it, a length, and what is in it. The
comment lies at Segment/Tags/Tag/SimpleTag, where a TagName stands beside a TagString.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from belamy.pixels.formats.parts import Range, read_comment, read_head

__all__ = ["comment_of", "is_matroska"]

_MAGIC = b"\x1aE\xdf\xa3"
_SEGMENT, _TAGS, _TAG, _SIMPLE = 0x18538067, 0x1254C367, 0x7373, 0x67C8
_NAME, _STRING = 0x45A3, 0x4487
_MOST = 1_000_000  # elements that are looked at


def is_matroska(path: str | os.PathLike[str]) -> bool:
    """Whether the file at `path` begins as such a film does; False for what cannot be read."""
    return read_head(path, len(_MAGIC)) == _MAGIC


def comment_of(path: str | os.PathLike[str]) -> bytes | None:
    """The comment of a Matroska film; None where there is none, or it is damaged before it.

    Raises:
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        for tags in _inside(file, (_SEGMENT, _TAGS, _TAG, _SIMPLE), 0, end):
            parts = {kind: (start, stop) for kind, start, stop in _elements(file, *tags)}
            if {_NAME, _STRING} <= parts.keys():
                name = read_comment(file, parts[_NAME])
                if name.rstrip(b"\0").upper() == b"COMMENT":
                    return read_comment(file, parts[_STRING])
    return None


def _inside(file: BinaryIO, way: tuple[int, ...], start: int, end: int) -> Iterator[Range]:
    """The inside of every element at the end of a way."""
    for kind, begin, stop in _elements(file, start, end):
        if kind == way[0]:
            if len(way) == 1:
                yield begin, stop
            else:
                yield from _inside(file, way[1:], begin, stop)


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Kind, beginning and end of the inside of each element; nothing after one that is damaged."""
    for _ in range(_MOST):
        file.seek(start)
        head = file.read(12)
        kind = _number(head, keep=True)
        if kind is None or start >= end:
            return
        length = _number(head[kind[1] :], keep=False)
        if length is None:
            return
        begin = start + kind[1] + length[1]
        unknown = length[0] == (1 << 7 * length[1]) - 1  # up to the end of what it is in
        stop = end if unknown else begin + length[0]
        if stop > end and kind[0] != _SEGMENT:
            return
        yield kind[0], begin, min(stop, end)
        start = stop


def _number(data: bytes, *, keep: bool) -> tuple[int, int] | None:
    """A number, and its bytes, of which the zeros that it begins with tell how many there are.

    Args:
        keep: whether the bit that ends those zeros belongs to the number.
    """
    if not data or not data[0]:
        return None
    length = 9 - data[0].bit_length()
    if len(data) < length:
        return None
    value = int.from_bytes(data[:length], "big")
    return value if keep else value - (1 << 7 * length), length
