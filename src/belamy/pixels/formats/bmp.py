"""The colour profile in a BMP of version 5, which Pillow passes over."""

from __future__ import annotations

import struct
from typing import BinaryIO

from PIL import BmpImagePlugin, Image

__all__ = ["add_profile"]

_HEADER = 14  # bytes of the file's own, before the picture's
_VERSION_5, _EMBEDDED = 124, b"DEBM"
_LARGEST = 32 << 20  # bytes, as of a profile in a PNG


def add_profile(picture: Image.Image, stream: BinaryIO) -> None:
    """Put the profile into `picture.info`, as Pillow does for other formats; `stream` stays."""
    if not isinstance(picture, BmpImagePlugin.BmpImageFile):
        return
    place = stream.tell()
    try:
        stream.seek(_HEADER)
        header = stream.read(_VERSION_5)
        if len(header) < _VERSION_5 or header[56:60] != _EMBEDDED:
            return
        size, (start, length) = header[:4], struct.unpack("<2I", header[112:120])
        if int.from_bytes(size, "little") == _VERSION_5 and length <= _LARGEST:
            stream.seek(_HEADER + start)
            picture.info["icc_profile"] = stream.read(length)
    finally:
        stream.seek(place)
