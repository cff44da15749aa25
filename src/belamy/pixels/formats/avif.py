"""What Pillow does not see to in AVIF: the colour that code points name (`nclx`); and the time at
which a film was written, which is taken out, so that the same frames give the same bytes."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import AvifImagePlugin, Image

__all__ = ["add_code", "clear_times", "read_code"]

_LONGEST = 16 << 20  # bytes of a header box that are read
_MOST_BOXES = 10_000
_FULL = 4  # bytes of version and flags that begin some boxes
_SAMPLE_ENTRY = 78  # bytes of a film's `av01` before its boxes
_TIMED = (b"mvhd", b"tkhd", b"mdhd")  # begin with when they were made, and when changed
_SEQUENCE_FOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


class _Place(NamedTuple):
    """Where a box is in a file: what is inside it, from `begin` to `end`."""

    kind: bytes
    begin: int
    end: int


class _Box(NamedTuple):
    kind: bytes
    data: bytes


def add_code(picture: Image.Image, stream: BinaryIO) -> None:
    """Put the code into `picture.info`, as png.py does; not where a profile stands above it."""
    if not isinstance(picture, AvifImagePlugin.AvifImageFile) or picture.info.get("icc_profile"):
        return
    code = read_code(stream)
    if code is not None:
        picture.info["cicp"] = (*code, 0, 1)  # libavif has made RGB of full range


def clear_times(path: Path) -> None:
    """Say of an animated AVIF neither when it was made nor when it was changed: both become 0.

    Source: ISO/IEC 14496-12, 8.2.2, 8.3.2 and 8.4.2, whose times take 8 bytes each in version 1 and
    4 in version 0. libavif (1.4.2, inside Pillow 13.0.0) writes the clock's second.
    """
    with path.open("r+b") as file:
        for begin in _find_timed(file, 0, file.seek(0, os.SEEK_END)):
            file.seek(begin)
            (version,) = file.read(1)
            file.seek(begin + _FULL)
            file.write(bytes(16 if version == 1 else 8))


def _find_timed(stream: BinaryIO, at: int, end: int) -> Iterator[int]:
    """Where the insides of boxes begin that hold times."""
    for box in _walk(stream, at, end):
        if box.kind in _TIMED:
            yield box.begin
        elif box.kind in _SEQUENCE_FOLDERS:
            yield from _find_timed(stream, box.begin, box.end)


def read_code(stream: BinaryIO) -> tuple[int, int] | None:
    """(primaries, transfer) of the picture that libavif shows; None where the file names none."""
    top = {box.kind: box.data for box in _top_boxes(stream)}
    try:
        if top.get(b"ftyp", b"")[:4] == b"avis" and b"moov" in top:
            return _of_sequence(top[b"moov"])
        return _of_item(top[b"meta"][_FULL:])
    except (KeyError, IndexError, struct.error):
        return None


def _top_boxes(stream: BinaryIO) -> Iterator[_Box]:
    """The boxes of the file that describe it; those of pixels are passed over."""
    for box in _walk(stream, 0, stream.seek(0, os.SEEK_END)):
        if box.kind in (b"ftyp", b"meta", b"moov") and box.end - box.begin <= _LONGEST:
            stream.seek(box.begin)
            yield _Box(box.kind, stream.read(box.end - box.begin))


def _walk(stream: BinaryIO, at: int, end: int) -> Iterator[_Place]:
    """The boxes between two places of a file, one after the other; one that is cut off ends there.

    Source: ISO/IEC 14496-12, 4.2: a size of 1 stands for one of 64 bits, 0 for all that is left.
    """
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        stream.seek(at)
        size, kind = struct.unpack(">I4s", stream.read(8))
        begin = at + 8
        if size == 1:
            size, begin = int.from_bytes(stream.read(8), "big"), at + 16
        size = size or end - at
        if at + size < begin:
            return
        at += size
        yield _Place(kind, begin, min(at, end))


def _boxes(data: bytes) -> list[_Box]:
    places = _walk(io.BytesIO(data), 0, len(data))
    return [_Box(place.kind, data[place.begin : place.end]) for place in places]


def _only(data: bytes, kind: bytes) -> bytes:
    return next((box.data for box in _boxes(data) if box.kind == kind), b"")


def _of_sequence(movie: bytes) -> tuple[int, int] | None:
    for track in (box.data for box in _boxes(movie) if box.kind == b"trak"):
        inside = track
        for kind in _SEQUENCE_FOLDERS[2:]:
            inside = _only(inside, kind)
        entries = _boxes(_only(inside, b"stsd")[8:])
        picture = next((box.data for box in entries if box.kind == b"av01"), None)
        if picture is not None:
            return _code_in(_boxes(picture[_SAMPLE_ENTRY:]))
    return None


def _of_item(meta: bytes) -> tuple[int, int] | None:
    """Through `pitm`, which names the picture, and `ipma`, which names its properties."""
    primary = _only(meta, b"pitm")
    item = int.from_bytes(primary[4:6] if primary[0] == 0 else primary[4:8], "big")
    properties = _only(meta, b"iprp")
    kept = _boxes(_only(properties, b"ipco"))
    owned = _associations(_only(properties, b"ipma")).get(item, [])
    return _code_in([kept[index - 1] for index in owned if 1 <= index <= len(kept)])


def _associations(data: bytes) -> dict[int, list[int]]:
    """Item → the numbers of its properties, from 1."""
    version, wide = data[0], data[3] & 1
    (count,) = struct.unpack(">I", data[4:8])
    at, found = 8, {}
    for _ in range(min(count, _MOST_BOXES)):
        length = 2 if version < 1 else 4
        item = int.from_bytes(data[at : at + length], "big")
        at += length
        size, mask = (2, 0x7FFF) if wide else (1, 0x7F)
        many = data[at]
        at += 1
        places = range(at, at + many * size, size)
        found[item] = [int.from_bytes(data[p : p + size], "big") & mask for p in places]
        at += many * size
    return found


def _code_in(properties: list[_Box]) -> tuple[int, int] | None:
    for box in properties:
        if box.kind == b"colr" and box.data[:4] == b"nclx":
            primaries, transfer = struct.unpack(">HH", box.data[4:8])
            return primaries, transfer
    return None
