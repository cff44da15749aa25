"""The comment in an MP4 or MOV file, read without a decoder: a recipe needs no more than that.

Both are a tree of boxes, each a length, a name of four letters, and what is in it. The comment of
an MP4 lies at moov/udta/meta/ilst/©cmt/data. A MOV, where such a comment takes 64 kB at most, has a
list of names in moov/udta/meta/keys, and in ilst beside it boxes that are called by their numbers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from belamy.pixels.formats.parts import Range, read_comment, read_head

__all__ = ["comment_of", "is_mp4"]

_KIND = b"ftyp"  # the name of the first box of every such file, and of AVIF and HEIC pictures
_BRANDS = (b"iso", b"mp4", b"avc1", b"M4V", b"qt  ")  # what follows it where the thing is a film
_HEADER = 8  # bytes: length and name
_LONG = 16  # with a length of eight bytes more, where the first says 1
# The way to the comment, and the bytes of its own that each box has before those inside it.
_WAY = ((b"moov", 0), (b"udta", 0), (b"meta", 4), (b"ilst", 0), (b"\xa9cmt", 0), (b"data", 8))
_KEYS = ((b"moov", 0), (b"udta", 0), (b"meta", 4), (b"keys", 8))
_VALUES = ((b"moov", 0), (b"udta", 0), (b"meta", 4), (b"ilst", 0))
_NAMES = (b"comment", b"com.apple.quicktime.comment")
_MOST_KEYS = 1000


def is_mp4(path: str | os.PathLike[str]) -> bool:
    """Whether the file at `path` begins as an MP4 or a MOV does; False for what cannot be read."""
    head = read_head(path, _LONG)
    return head[4:8] == _KIND and head[8:].startswith(_BRANDS)


def comment_of(path: str | os.PathLike[str]) -> bytes | None:
    """The comment of an MP4 or MOV; None where there is none, or the file is damaged before it.

    Raises:
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        whole = (0, file.seek(0, os.SEEK_END))
        place = _follow(file, _WAY, whole) or _find_by_key(file, whole)
        return None if place is None else read_comment(file, place)


def _find_by_key(file: BinaryIO, whole: Range) -> Range | None:
    keys, values = _follow(file, _KEYS, whole), _follow(file, _VALUES, whole)
    if keys is None or values is None:
        return None
    at, end = keys
    for number in range(1, _MOST_KEYS):
        if at + _HEADER > end:
            return None
        file.seek(at)
        length = int.from_bytes(file.read(4), "big")
        file.seek(4, os.SEEK_CUR)  # "mdta"
        if length < _HEADER:
            return None
        if file.read(min(length - _HEADER, 100)).lower() in _NAMES:
            return _follow(file, ((number.to_bytes(4, "big"), 0), (b"data", 8)), values)
        at += length
    return None


def _follow(
    file: BinaryIO, way: tuple[tuple[bytes, int], ...], inside: Range | None
) -> Range | None:
    """Where the inside of the last box of the way begins and ends."""
    for name, own in way:
        inside = None if inside is None else _box(file, name, *inside)
        if inside is None:
            return None
        inside = inside[0] + own, inside[1]
    return inside


def _box(file: BinaryIO, kind: bytes, start: int, end: int) -> Range | None:
    """Where the inside of the box `kind` begins and ends, among those from `start` to `end`."""
    while start + _HEADER <= end:
        file.seek(start)
        head = file.read(_LONG)
        length, header = int.from_bytes(head[:4], "big"), _HEADER
        if length == 1:
            length, header = int.from_bytes(head[8:], "big"), _LONG
        if length < header or start + length > end:
            return None
        if head[4:8] == kind:
            return start + header, start + length
        start += length
    return None
