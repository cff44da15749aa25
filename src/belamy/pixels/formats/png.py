"""PNG's text and colour, read within bounds of our own and kept away from Pillow.

Pillow refuses a picture whose text or profile unpacks to more than 1 MiB, though the pixels need
none of it. Here they are read apart; Pillow gets a view of the file that leaves them out.
"""

from __future__ import annotations

import bisect
import io
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from PIL import Image

from belamy.errors import ImageError

__all__ = [
    "SIGNATURE",
    "Chunk",
    "add_code",
    "add_metadata",
    "chunks",
    "read_text",
    "without_metadata",
]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT = 64 << 20  # bytes of all texts together, unpacked; what is beyond is left out
LONGEST_TEXT = 32 << 20  # of one
MAX_PROFILE = 32 << 20  # bytes of a colour profile, unpacked

_MAX_CHUNKS = 1_000_000
_MOST = 1032  # bytes that deflate can pack into one
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_COLOUR = (b"IHDR", b"iCCP", b"cICP", b"tRNS")
_LONGEST = 64 << 20  # bytes of a chunk that is read
_XMP = "XML:com.adobe.xmp"


class Chunk(NamedTuple):
    """A part of a PNG: its name, and where its data stand in the file."""

    name: bytes
    start: int
    length: int


def chunks(stream: BinaryIO) -> list[Chunk]:
    """All chunks of the PNG, up to its end or the first that is cut short; the data unread."""
    size = stream.seek(0, os.SEEK_END)
    found: list[Chunk] = []
    at = len(SIGNATURE)
    while at + 12 <= size and len(found) < _MAX_CHUNKS:
        stream.seek(at)
        length, name = struct.unpack(">I4s", stream.read(8))
        if at + 12 + length > size:
            break
        found.append(Chunk(name, at + 8, length))
        at += 12 + length
        if name == b"IEND":
            break
    return found


def read_text(stream: BinaryIO) -> dict[str, str]:
    """The texts of the PNG by their keywords, those behind the pixels too; the first of a name.

    A text that is damaged, or beyond `LONGEST_TEXT` or `MAX_TEXT`, is left out.
    """
    return _read_text(stream, chunks(stream))


def without_metadata(stream: BinaryIO, parts: Sequence[Chunk]) -> BinaryIO:
    """A view of the PNG without its texts and its colour profile."""
    dropped = [part for part in parts if part.name in (*_TEXTS, b"iCCP")]
    if not dropped:
        stream.seek(0)
        return stream
    return io.BufferedReader(_View(stream, list(_keep(stream, dropped))))


def add_metadata(picture: Image.Image, stream: BinaryIO, parts: Sequence[Chunk], name: str) -> None:
    """Put the texts, the colour profile and the colour code into `picture.info`, as Pillow would.

    A code is (primaries, transfer, matrix, full range), under "cicp".

    Raises:
        ImageError: the profile unpacks to more than `MAX_PROFILE`.
    """
    texts = _read_text(stream, parts)
    picture.info.update(texts)
    if _XMP in texts:
        picture.info["xmp"] = texts[_XMP].encode()
    before = parts[: next((i for i, p in enumerate(parts) if p.name == b"IDAT"), len(parts))]
    bits = 8
    for part in before:
        data = _read(stream, part) if part.name in _COLOUR and part.length <= _LONGEST else b""
        if part.name == b"iCCP":
            picture.info["icc_profile"] = _profile(data, name)
        elif part.name == b"cICP" and len(data) == 4:
            picture.info["cicp"] = tuple(data)
        elif part.name == b"IHDR" and len(data) == 13:
            bits = data[8]
        elif part.name == b"tRNS" and picture.mode in ("1", "L") and bits < 8:
            # Pillow stretches grey of few bits to 8, but not the grey that is transparent.
            clear, top = int.from_bytes(data[:2], "big"), 2**bits - 1
            picture.info["transparency"] = min(clear, top) * 255 // top


def add_code(picture: Image.Image, stream: BinaryIO) -> None:
    """Put the colour code alone into `picture.info`."""
    code = next((part for part in chunks(stream) if part.name == b"cICP"), None)
    if code is not None and code.length == 4:
        picture.info["cicp"] = tuple(_read(stream, code))


def _read_text(stream: BinaryIO, parts: Sequence[Chunk]) -> dict[str, str]:
    texts: dict[str, str] = {}
    left = MAX_TEXT
    for part in parts:
        limit = min(left, LONGEST_TEXT)
        if part.name not in _TEXTS or part.length > limit:
            continue
        keyword, text, used = _text(part.name, _read(stream, part), limit)
        left -= used
        if keyword and text is not None:
            texts.setdefault(keyword, text)
    return texts


def _text(kind: bytes, data: bytes, limit: int) -> tuple[str, str | None, int]:
    """The keyword, the text or None, and how many bytes were unpacked for it."""
    keyword, _, rest = data.partition(b"\0")
    packed, encoding = kind == b"zTXt", "latin-1"
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        packed, encoding = rest[:1] == b"\1", "utf-8"
        fields = rest[2:].split(b"\0", 2)  # language, translated keyword, text
        if len(fields) < 3:
            return "", None, 0
        rest = fields[2]
    if packed:
        unpacked = _unpack(rest, limit)
        if unpacked is None:
            return "", None, min(limit, _MOST * len(rest))
        rest = unpacked
    try:
        return keyword.decode("latin-1"), rest.decode(encoding), len(rest)
    except UnicodeDecodeError:
        return "", None, len(rest)


def _profile(data: bytes, name: str) -> bytes | None:
    """The colour profile; None where it is damaged."""
    _, _, rest = data.partition(b"\0")
    try:
        unpacker = zlib.decompressobj()
        profile = unpacker.decompress(rest[1:], MAX_PROFILE)
    except zlib.error:
        return None
    if unpacker.unconsumed_tail:
        raise ImageError(
            f"cannot read {name}: its colour profile unpacks to more than {MAX_PROFILE >> 20} MiB"
        )
    return profile if rest[:1] == b"\0" else None


def _unpack(data: bytes, limit: int) -> bytes | None:
    """`data` inflated; None where it is damaged or longer than `limit`."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, limit)
    except zlib.error:
        return None
    return text if unpacker.eof else None


def _read(stream: BinaryIO, part: Chunk) -> bytes:
    stream.seek(part.start)
    return stream.read(part.length)


def _keep(stream: BinaryIO, dropped: Sequence[Chunk]) -> Iterator[tuple[int, int]]:
    """The (start, end) of what stands between the chunks to drop."""
    start = 0
    for part in dropped:
        yield start, part.start - 8
        start = part.start + part.length + 4
    yield start, stream.seek(0, os.SEEK_END)


class _View(io.RawIOBase):
    """Pieces of a stream, one after the other, as a stream of their own."""

    def __init__(self, stream: BinaryIO, pieces: Sequence[tuple[int, int]]) -> None:
        self._stream, self._pieces, self._at = stream, pieces, 0
        self._begins, total = [], 0  # where each piece begins in the view
        for start, end in pieces:
            self._begins.append(total)
            total += end - start
        self._size = total

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        index = bisect.bisect_right(self._begins, self._at) - 1
        start, end = self._pieces[index]
        inside = start + self._at - self._begins[index]
        self._stream.seek(inside)
        data = self._stream.read(min(len(buffer), end - inside))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
