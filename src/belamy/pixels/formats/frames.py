"""How many pictures are in a file beside the one that is read: frames of a film, pages, views."""

from __future__ import annotations

import os
import warnings
from typing import BinaryIO

from PIL import GifImagePlugin, Image, JpegImagePlugin, MpoImagePlugin, TiffImagePlugin

from belamy.errors import PictureWarning
from belamy.pixels.formats.tiff import DeepTiff, read_directory

__all__ = ["count_frames", "warn_of_more"]

_MOST = 1_000  # frames that are counted
_SUBFILE, _OLD_SUBFILE = 254, 255  # TIFF: what a page is
_REDUCED, _MASK = 1, 4  # bits of 254: a smaller copy of another page, or its mask
_ENTRIES, _OFFSET, _SIZE = 0xB002, "DataOffset", "Size"  # of an MPO
_GAIN_MAPS = (b"hdrgm:", b"HDRGainMap", b"urn:iso:std:iso:ts:21496")
_HEADER = 1 << 18  # bytes of a JPEG among which a gain map names itself


def warn_of_more(picture: Image.Image, name: str) -> None:
    """Say that only the first frame is used, where there are more; before it is loaded."""
    try:
        count = count_frames(picture) if picture.tell() == 0 else 1
    except Exception:  # the first frame may be sound where others are damaged
        return
    if count > 1:
        many = f"more than {_MOST}" if count > _MOST else str(count)
        kind, still = "frames", "belamy.open_film reads them all"
        if picture.format == "TIFF":
            kind, still = "pages", "save the others as files of their own"
        elif picture.format == "MPO":
            kind, still = "views", "save the others as files of their own"
        text = f"{name} has {many} {kind}; only the first is used: {still}"
        warnings.warn(text, PictureWarning, stacklevel=2)


def count_frames(picture: Image.Image, most: int = _MOST) -> int:
    """The frames, pages or views; a small copy, a mask or a gain map beside a photo is none.

    Args:
        most: of a TIFF or a GIF no more are counted than one above it.
    """
    stream = getattr(picture, "fp", None)
    if isinstance(picture, (TiffImagePlugin.TiffImageFile, DeepTiff, GifImagePlugin.GifImageFile)):
        if stream is None:
            return 1
        place = stream.tell()
        try:
            return (_pages if picture.format == "TIFF" else _gif_frames)(stream, most)
        finally:
            stream.seek(place)
    if isinstance(picture, MpoImagePlugin.MpoImageFile) and stream is not None:
        place = stream.tell()
        try:
            return 1 + _other_views(picture, stream)
        finally:
            stream.seek(place)
    frames: int = getattr(picture, "n_frames", 1)
    return frames


def _pages(stream: BinaryIO, most: int) -> int:
    """Pages of a TIFF that are pictures of their own."""
    seen: set[int] = set()
    count, start = 0, None
    while count <= most and len(seen) <= most:
        directory = read_directory(stream, start)
        if directory is None or 256 not in directory:
            break
        kind = directory.get(_SUBFILE, 0)
        small = directory.get(_OLD_SUBFILE) == 2 or (
            isinstance(kind, int) and bool(kind & (_REDUCED | _MASK))
        )
        count += int(not small)
        start = directory.next
        if not start or start in seen:
            break
        seen.add(start)
    return max(count, 1)


def _gif_frames(stream: BinaryIO, most: int) -> int:
    """Image blocks of a GIF, their pixels passed over."""
    stream.seek(10)
    stream.seek(_palette(stream.read(3)[0]), os.SEEK_CUR)
    count = 0
    while count <= most:
        kind = stream.read(1)
        if kind == b",":
            flags = stream.read(9)[-1:] or b"\0"
            stream.seek(_palette(flags[0]) + 1, os.SEEK_CUR)
            if not _pass_over(stream):
                break  # a frame cut short is none
            count += 1
        elif kind != b"!" or not stream.read(1) or not _pass_over(stream):
            break
    return max(count, 1)


def _palette(flags: int) -> int:
    """Bytes of the palette that these flags announce."""
    return (flags >> 7) * (3 << ((flags & 7) + 1))


def _pass_over(stream: BinaryIO) -> bool:
    """Skip sub-blocks; tells whether their end was there."""
    while length := stream.read(1):
        if length == b"\0":
            return True
        stream.seek(length[0], os.SEEK_CUR)
    return False


def _other_views(picture: MpoImagePlugin.MpoImageFile, stream: BinaryIO) -> int:
    """Images of an MPO that are neither a small copy of the first nor its gain map.

    Cameras give the copies a type. A gain map has none: it names itself, or is smaller.
    """
    entries = (picture.mpinfo or {}).get(_ENTRIES, [])
    stream.seek(0)
    first = stream.read(_HEADER)
    base = first.find(b"MPF\0") + 4  # where the list of images stands, from which they are counted
    count = 0
    for entry in entries[1:]:
        kind = entry["Attribute"]["MPType"]
        if kind.startswith("Multi-Frame"):
            count += 1
        elif not kind.startswith("Large Thumbnail"):
            stream.seek(base + entry[_OFFSET])
            head = stream.read(min(_HEADER, entry[_SIZE]))
            gain = any(mark in head or mark in first for mark in _GAIN_MAPS)
            stream.seek(base + entry[_OFFSET])
            count += int(not gain and _size(stream) == picture.size)
    return count


def _size(stream: BinaryIO) -> tuple[int, int]:
    """(width, height) of the JPEG that begins here."""
    image = JpegImagePlugin.JpegImageFile(stream)
    return image.width, image.height
