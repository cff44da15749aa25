"""A stranger's ONNX file, looked through before any program opens it.

Large networks keep their numbers in a file beside (`x.onnx.data`): it must be there, in the same
folder, and hold what is declared; so must the numbers in the file itself. The file is a protobuf:
fields of a number and a type, one after another, some of them messages again.

Source: the encoding of protobuf as its documentation describes it; field numbers of onnx.proto.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from belamy.checks import show_value
from belamy.errors import WeightsError
from belamy.files import sha256

__all__ = ["check_onnx", "hash_network"]

_LARGEST = 2 << 30  # bytes, which is the most that a protobuf may have
_DEEPEST = 32
_MOST_MESSAGES = 500_000

# Message → number of a field → the message in it.
_SCHEMA: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
}
_DIMS, _KIND, _RAW, _OUTSIDE, _PLACE = 1, 2, 9, 13, 14
_TYPED = (4, 5, 6, 7, 10, 11)  # lists of numbers of some type
_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}


class _Malformed(Exception):
    """No protobuf."""


def hash_network(path: Path) -> dict[str, str]:
    """The SHA-256 of a network's file, and of those beside it that have numbers of an ONNX.

    Raises:
        WeightsError: as in `check_onnx`.
        BelamyError: one cannot be read.
    """
    beside = check_onnx(path) if path.suffix.lower() == ".onnx" else ()
    own = {file.relative_to(path.parent).as_posix(): sha256(file) for file in beside}
    return {path.name: sha256(path), **own}


def check_onnx(path: Path) -> tuple[Path, ...]:
    """The other files, beside it, in which the file has numbers.

    Raises:
        WeightsError: it is no ONNX, declares more numbers than there are, or the file beside it is
            missing, too short or elsewhere.
    """
    size = path.stat().st_size
    if size > _LARGEST:
        raise WeightsError(f"{path} has {size:,} bytes, more than any ONNX may; get it again")
    try:
        outside: list[Path] = []
        for count, tensor in enumerate(_tensors(memoryview(path.read_bytes()), "model", 0)):
            if count > _MOST_MESSAGES:
                raise _Malformed("too many parts")
            outside += _check_tensor(path, tensor)
    except (_Malformed, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} is damaged, or no ONNX: {error}; get it again") from error
    return tuple(dict.fromkeys(outside))


def _tensors(data: memoryview, message: str, depth: int) -> Iterator[memoryview]:
    if depth > _DEEPEST:
        raise _Malformed("graphs lie too deep in each other")
    inner = _SCHEMA[message]
    for number, value in _fields(data):
        if number in inner and isinstance(value, memoryview):
            if inner[number] == "tensor":
                yield value
            else:
                yield from _tensors(value, inner[number], depth + 1)


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number of a field and its value: a whole number, or the bytes of anything longer."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == 2:
            length, place = _varint(data, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise _Malformed("a field is of no type")
        if length > len(data) - place:
            raise _Malformed("it ends too early")
        yield number, data[place : place + length]
        place += length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
    raise _Malformed("a number has no end")


def _check_tensor(path: Path, data: memoryview) -> list[Path]:
    dims: list[int] = []
    kind, typed, raw, outside = 0, 0, 0, False
    words: dict[str, str] = {}
    for number, value in _fields(data):
        if number == _DIMS:
            dims += _numbers(value)
        elif number == _KIND and isinstance(value, int):
            kind = value
        elif number == _PLACE:
            outside = outside or value == 1
        elif isinstance(value, memoryview):
            raw += len(value) if number == _RAW else 0
            typed += len(value) if number in _TYPED else 0
            if number == _OUTSIDE:
                key, word = _entry(value)
                words[key] = word
        elif number in _TYPED:
            typed += 1
    declared = math.prod(dims) * _BYTES.get(kind, 0)
    if words or outside:
        return [_check_outside(path, words, declared)]
    if declared > max(raw, typed * 8):
        raise _Malformed(f"it declares {math.prod(dims):,} numbers that it does not have")
    return []


def _numbers(value: int | memoryview) -> list[int]:
    if isinstance(value, int):
        return [value]
    found, place = [], 0
    while place < len(value):
        number, place = _varint(value, place)
        found.append(number)
    return found


def _entry(data: memoryview) -> tuple[str, str]:
    parts = {number: bytes(x).decode() for number, x in _fields(data) if isinstance(x, memoryview)}
    return parts.get(1, ""), parts.get(2, "")


def _check_outside(path: Path, words: dict[str, str], declared: int) -> Path:
    name = words.get("location", "")
    shown = show_value(name)
    parts = PurePosixPath(name.replace("\\", "/")).parts
    elsewhere = PureWindowsPath(name).drive or name.startswith(("/", "\\")) or ".." in parts
    if not name or elsewhere or "\0" in name:
        raise WeightsError(f"{path} has its numbers at {shown}, outside its folder; refused")
    file = path.parent / name
    if not file.is_file():
        raise WeightsError(f"{path} has its numbers in {shown}, which is not beside it; get it too")
    if not file.resolve().is_relative_to(path.parent.resolve()):
        raise WeightsError(f"{path} has its numbers at {shown}, outside its folder; refused")
    offset, length = (words.get(key, "0") for key in ("offset", "length"))
    if not (offset.isdecimal() and length.isdecimal() and len(offset + length) < 40):
        raise _Malformed("a place in the file beside it is no number")
    if int(offset) + max(int(length), declared) > file.stat().st_size:
        raise WeightsError(f"{file} is shorter than {path} says; get both again")
    return file
