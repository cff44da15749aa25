"""Parts of a film's file, read without a decoder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

__all__ = ["Range", "read_comment", "read_head"]

Range = tuple[int, int]
"""Where something begins and ends."""

_LONGEST = 1 << 24  # bytes of a comment; as long as recipes may be


def read_head(path: str | os.PathLike[str], count: int) -> bytes:
    """The first bytes of a file; nothing of one that cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(count)
    except (OSError, ValueError):
        return b""


def read_comment(file: BinaryIO, place: Range) -> bytes:
    """What is at a place, as far as comments go."""
    file.seek(place[0])
    return file.read(min(max(0, place[1] - place[0]), _LONGEST))
