"""The comment in an MP4 file, read without a decoder: a recipe needs no more than that.

An MP4 is a tree of boxes, each a length, a name of four letters, and what is in it. The comment
lies at moov/udta/meta/ilst/©cmt/data.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

__all__ = ["comment_of", "is_mp4"]

_KIND = b"ftyp"  # the name of the first box of every such file, and of AVIF and HEIC pictures
_BRANDS = (b"iso", b"mp4", b"avc1", b"M4V", b"qt  ")  # what follows it where the thing is a film
_HEADER = 8  # bytes: length and name
_LONG = 16  # with a length of eight bytes more, where the first says 1
# The way to the comment, and the bytes of its own that each box has before those inside it.
_WAY = ((b"moov", 0), (b"udta", 0), (b"meta", 4), (b"ilst", 0), (b"\xa9cmt", 0), (b"data", 8))
_LONGEST = 1 << 24  # bytes of a comment; as long as recipes may be


def is_mp4(path: str | os.PathLike[str]) -> bool:
    """Whether the file at `path` begins as an MP4 does; False for what cannot be read."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(_LONG)
            return head[4:8] == _KIND and head[8:].startswith(_BRANDS)
    except (OSError, ValueError):
        return False


def comment_of(path: str | os.PathLike[str]) -> bytes | None:
    """The comment of an MP4; None where there is none, or the file is damaged before it.

    Raises:
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = 0
        for name, own in _WAY:
            found = _box(file, name, start, end)
            if found is None:
                return None
            start, end = found[0] + own, found[1]
        file.seek(start)
        return file.read(min(max(0, end - start), _LONGEST))


def _box(file: BinaryIO, kind: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Where the inside of the box `wanted` begins and ends, among those from `start` to `end`."""
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
