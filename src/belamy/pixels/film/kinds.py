"""What a path is: a film in a container, a picture that moves, or frames one by one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from belamy.pixels import decode
from belamy.pixels.formats.frames import count_frames

__all__ = ["Kind", "are_frames", "is_film", "is_pattern", "kind_of"]

Kind = Literal["container", "animated", "frames", ""]

_HEAD = 64  # bytes
_PICTURES = (b"GIF87a", b"GIF89a", b"\x89PNG\r\n\x1a\n")
_STILL_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"crx ", b"M4A ")
_CONTAINERS = (
    (0, b"\x1aE\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"FLV"),
    (0, b"OggS"),
    (0, b"\x00\x00\x01\xba"),  # MPEG, as a programme
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # Windows Media
    (0, b"\x06\x0e\x2b\x34"),  # MXF
    (4, b"moov"),  # old QuickTime
    (4, b"mdat"),
    (4, b"wide"),
    (4, b"free"),
)
_ZIP = b"PK\x03\x04"
_TRANSPORT = 188  # bytes of a packet of an MPEG transport stream, each of which begins with G


def kind_of(path: str | os.PathLike[str]) -> Kind:
    """By content; "" for what is none of the three, or cannot be read."""
    place = Path(path)
    try:
        if are_frames(path):
            return "frames"
        with place.open("rb") as file:
            head = file.read(_TRANSPORT * 2 + 1)
    except (OSError, ValueError):
        return ""
    if head.startswith(_ZIP):
        return "frames"
    if head.startswith(_PICTURES) or head[8:12] == b"WEBP" or head[4:12] in _AVIF:
        return "animated"
    if head[4:8] == b"ftyp":
        return "" if head[8:12] in _STILL_BRANDS else "container"
    if len(head) > _TRANSPORT and head[0] == head[_TRANSPORT] == ord("G"):
        return "container"
    return "container" if any(head.startswith(b, at) for at, b in _CONTAINERS) else ""


_AVIF = (b"ftypavif", b"ftypavis")


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether it names many files by their number: `frames/%06d.png`."""
    return "%" in Path(path).name


def are_frames(path: str | os.PathLike[str]) -> bool:
    """Whether it is a folder, or names many files, so that each frame is a file of its own."""
    place = Path(path)
    return place.is_dir() or (is_pattern(path) and not place.is_file())


def is_film(path: str | os.PathLike[str]) -> bool:
    """Whether there is a film at `path`: a container of films, or a picture with several frames.

    A folder or a zip of frames is none by itself: it may be a folder of pictures.

    Raises:
        ImageError: it is a picture, and damaged.
    """
    kind = kind_of(path)
    if kind != "animated":
        return kind == "container"
    with decode.open_picture(path, max_megapixels=decode.MAX_MEGAPIXELS) as picture:
        return count_frames(picture) > 1
