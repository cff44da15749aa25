"""JPEGs that Pillow does not read: what they are, and what to do with them."""

from __future__ import annotations

from typing import BinaryIO

__all__ = ["explain"]

_HEAD = 1 << 20  # bytes, among which the frame's header stands in all but strange files
_START = b"\xff\xd8"
_USUAL_BITS = 8
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_ARITHMETIC = (0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_JPEG_LS = 0xF7
_FRAMES = {*range(0xC0, 0xD0), _JPEG_LS} - {0xC4, 0xC8, 0xCC}  # which are tables and extensions
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers that have no length
_BEFORE = b"\xff"
_ADVICE = "open it elsewhere, and save it as JPEG of 8 bits, PNG or TIFF"


def explain(stream: BinaryIO) -> str | None:
    """Why a JPEG is not read; None where that is not known, or it is none."""
    stream.seek(0)
    frame = _find_frame(stream.read(_HEAD))
    if frame is None:
        return None
    kind, bits = frame
    if kind == _JPEG_LS:
        return f"it is a JPEG-LS, which few programs read; {_ADVICE}"
    if kind in _LOSSLESS:
        return f"it is a lossless JPEG of {bits} bits, as scanners and cameras keep; {_ADVICE}"
    if bits != _USUAL_BITS:
        return f"it is a JPEG of {bits} bits a colour, and only those of 8 are read; {_ADVICE}"
    if kind in _ARITHMETIC:
        return f"it is a JPEG with arithmetic coding, which few programs read; {_ADVICE}"
    return None


def _find_frame(head: bytes) -> tuple[int, int] | None:
    """The marker of the frame's header, and the bits of a colour that it says."""
    if not head.startswith(_START):
        return None
    place = len(_START)
    while place + 5 <= len(head) and head[place : place + 1] == _BEFORE:
        kind = head[place + 1]
        if kind == 0xFF:  # fill bytes may stand before a marker
            place += 1
        elif kind in _ALONE:
            place += 2
        elif kind in _FRAMES:
            return kind, head[place + 4]
        else:
            place += 2 + max(2, int.from_bytes(head[place + 2 : place + 4], "big"))
    return None
