"""Files of Torch 7 (`.t7`), read without Lua and without executing anything.

What `torch.save` of the Lua years wrote: a tree of values, each an integer that says its type and
then its contents. Tables, objects and functions carry an index, by which they are referred to
where they occur again. Files are binary (little-endian; the length of a C `long` is the writing
machine's: 8 bytes, or 4) or ASCII, with the same things in the same order.

    0 nil · 1 number · 2 string · 3 table · 4 object · 5 boolean · 6, 7, 8 functions

Functions are skipped. An object that is neither a tensor nor a storage is its class's name and its
fields; what those mean is for others to know (`belamy.networks.image_to_image.third_party`).

Source: the format as torch7's File.lua, DiskFile and generic/Tensor.c read and write it.
"""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from belamy.errors import WeightsError
from belamy.files import missing_file

__all__ = ["TorchObject", "Value", "read_torch7"]

Key: TypeAlias = "bool | float | str"
Value: TypeAlias = "bool | float | str | Tensor | TorchObject | dict[Key, Any] | None"

_LARGEST = 256 << 20  # bytes; Johnson's styles have up to 20 · 2^20
_LARGEST_ASCII = 48 << 20  # bytes, each number of which becomes an object for a moment
_MOST_VALUES = 1_000_000  # a style has a few thousand, tensors being one each
_DEEPEST = 100  # values inside each other; Johnson's networks go about 20 deep
_DIMENSIONS = 16
_LONGEST_NUMBER = 32  # characters in ASCII, spaces included: %.17g takes 25

# Kind of element → how it lies in the file; a long is as long as the writing machine's.
_KINDS = {
    "Byte": "u1",
    "Char": "i1",
    "Short": "<i2",
    "Int": "<i4",
    "Long": "long",
    "Half": "<f2",
    "Float": "<f4",
    "Double": "<f8",
}
_NUMERIC = re.compile(
    r"torch\.(Cuda)?(Byte|Char|Short|Int|Long|Half|Float|Double|)(Tensor|Storage)"
)
_TOKEN = re.compile(rb"\s*(\S{1,%d})(?=\s|$)" % _LONGEST_NUMBER)
_VERSION = re.compile(r"V \d+")


@dataclass(eq=False)
class TorchObject:
    """An object of a Lua class: the class's name (`nn.Sequential`) and the fields."""

    kind: str
    fields: dict[Key, Any] = field(default_factory=dict)


def read_torch7(path: str | os.PathLike[str]) -> Value:
    """The value in a Torch 7 file.

    Args:
        path: of any suffix; binary or ASCII is told by the first byte.

    Returns:
        None, booleans, floats, texts, dicts for tables, `TorchObject`s; tensors and storages of
        every type as tensors on the CPU, those that shared memory sharing it still. A function is
        a `TorchObject` of the kind "function", empty.

    Raises:
        WeightsError: missing, too large, cut short or otherwise malformed.
    """
    data = _contents(Path(path))
    if data[:1].isdigit():  # no binary file begins with such a byte: there are but nine types
        if len(data) > _LARGEST_ASCII:
            raise WeightsError(f"{path} has {len(data)} bytes of text; it is no style")
        sources: list[_Source] = [_Ascii(data)]
    else:
        sources = [_Binary(data, "<i8"), _Binary(data, "<i4")]
    faults = []
    for source in sources:
        reader = _Reader(source)
        try:
            value = reader.value(0)
            # With the wrong length of a long, noughts in the middle of one read as ends.
            _need(source is sources[0] or source.place == len(data), "it goes on after its end")
            return value
        except _Fault as fault:
            inside = f", in {reader.inside[-1]}" if reader.inside else ""
            faults.append(f"{fault} (at byte {source.place} of {len(data)}{inside})")
    raise WeightsError(f"{path} is damaged, or no Torch 7 file: {faults[0]}; get the file again")


def _contents(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise WeightsError(f"{path} has {size} bytes, more than {_LARGEST}; it is no style")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise missing_file(WeightsError, path) from error
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise WeightsError(f"cannot read {path}: {cause}; check the path") from error


class _Fault(Exception):
    """What is wrong with the file, in words."""


class _Source(Protocol):
    """Numbers and texts, one after another."""

    place: int

    def integer(self) -> int: ...

    def number(self) -> float: ...

    def text(self, length: int) -> bytes: ...

    def array(self, kind: str, count: int) -> NDArray[Any]:
        """`count` numbers of one of `_KINDS`, in memory of their own."""


class _Binary:
    """Little-endian; `long` is numpy's name for a C long of the machine that wrote the file."""

    def __init__(self, data: bytes, long: str) -> None:
        self.data, self.place, self._long = data, 0, long

    def integer(self) -> int:
        return int(struct.unpack("<i", self.text(4))[0])

    def number(self) -> float:
        return float(struct.unpack("<d", self.text(8))[0])

    def text(self, length: int) -> bytes:
        start, end = self.place, self.place + length
        _need(length >= 0 and end <= len(self.data), f"{length} bytes should follow, but it ends")
        self.place = end
        return self.data[start:end]

    def array(self, kind: str, count: int) -> NDArray[Any]:
        stored = _KINDS[kind] if kind != "Long" else self._long
        size = np.dtype(stored).itemsize
        _need(count >= 0, f"an array has {count} numbers")
        found = np.frombuffer(self.text(count * size), stored)
        return found.astype(_native(kind))


class _Ascii:
    """Numbers between white space; texts and bytes as they are, with a line's end behind them."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def integer(self) -> int:
        return int(self._parse(int))

    def number(self) -> float:
        return float(self._parse(float))

    def _parse(self, parse: Callable[[bytes], Any]) -> Any:
        token = _TOKEN.match(self.data, self.place)
        _need(token is not None, "a number should follow")
        assert token is not None
        self.place = token.end()
        self._end_line()
        try:
            return parse(token[1])
        except ValueError as error:
            raise _Fault(f"{token[1]!r} is no number") from error

    def text(self, length: int) -> bytes:
        start, end = self.place, self.place + length
        _need(length >= 0 and end <= len(self.data), f"{length} bytes should follow, but it ends")
        self.place = end
        if length:
            self._end_line()
        return self.data[start:end]

    def _end_line(self) -> None:
        if self.data[self.place : self.place + 1] == b"\n":
            self.place += 1

    def array(self, kind: str, count: int) -> NDArray[Any]:
        if kind in ("Byte", "Char"):
            return np.frombuffer(self.text(count), _KINDS[kind]).astype(_native(kind))
        left = len(self.data) - self.place
        _need(0 <= count <= left, f"{count} numbers should follow, but it ends")
        window = self.data[self.place : self.place + _LONGEST_NUMBER * (count + 1)]
        tokens = window.split(None, count)
        rest = len(tokens.pop()) if len(tokens) > count else 0
        whole = rest > 0 or len(window) == left
        _need(len(tokens) == count and whole, f"{count} numbers should follow")
        self.place += len(window) - rest
        parse: Callable[[bytes], Any] = float if "f" in _KINDS[kind] else int
        try:
            numbers = [parse(token) for token in tokens]
            return np.array(numbers, np.float64 if parse is float else np.int64).astype(
                _native(kind)
            )
        except (ValueError, OverflowError) as error:
            raise _Fault(f"a number of {kind} cannot be read: {error}") from error


def _native(kind: str) -> np.dtype[Any]:
    stored = _KINDS[kind]
    return np.dtype("i8") if stored == "long" else np.dtype(stored).newbyteorder("=")


class _Reader:
    """Values out of a source; `inside` are the classes of the objects being read."""

    def __init__(self, source: _Source) -> None:
        self.source = source
        self.inside: list[str] = []
        self._known: dict[int, Value] = {}
        self._count = 0

    def value(self, depth: int) -> Value:
        self._count += 1
        _need(self._count <= _MOST_VALUES, f"it has more than {_MOST_VALUES} values")
        _need(depth <= _DEEPEST, f"values lie more than {_DEEPEST} deep in each other")
        kind = self.source.integer()
        _need(kind in _READERS, f"{kind} is no type of value")
        return _READERS[kind](self, depth)

    def text(self) -> str:
        return self.source.text(self.source.integer()).decode("utf-8", "replace")

    def boolean(self) -> bool:
        return self.source.integer() == 1

    def table(self, depth: int) -> Value:
        index = self.source.integer()
        if index in self._known:
            return self._known[index]
        found: dict[Key, Any] = {}
        self._known[index] = found
        count = self.source.integer()
        _need(count >= 0, f"a table has {count} entries")
        for _ in range(count):
            key = self.value(depth + 1)
            _need(isinstance(key, (bool, float, str)), "a table's key is no number and no text")
            assert isinstance(key, (bool, float, str))
            found[key] = self.value(depth + 1)
        return found

    def thing(self, depth: int) -> Value:
        """A tensor, a storage, or an object of another class."""
        index = self.source.integer()
        if index in self._known:
            return self._known[index]
        name = self.text()
        if _VERSION.fullmatch(name):  # older files have no versions
            name = self.text()
        self.inside.append(name)
        numeric = _NUMERIC.fullmatch(name)
        if numeric is None or not (numeric[1] or numeric[2]):
            made = TorchObject(name)
            self._known[index] = made
            fields = self.value(depth + 1)
            _need(isinstance(fields, dict), "an object has no table of fields")
            assert isinstance(fields, dict)
            made.fields = fields
            found: Value = made
        else:
            read = self._storage if numeric[3] == "Storage" else self._tensor
            found = self._known[index] = read(numeric[2] or "Float", depth)
        self.inside.pop()
        return found

    def _storage(self, kind: str, depth: int) -> Tensor:
        count = int(self.source.array("Long", 1)[0])
        return torch.from_numpy(self.source.array(kind, count))

    def _tensor(self, kind: str, depth: int) -> Tensor:
        count = self.source.integer()
        _need(0 <= count <= _DIMENSIONS, f"a tensor has {count} dimensions")
        sizes = self.source.array("Long", count).tolist()
        strides = self.source.array("Long", count).tolist()
        offset = int(self.source.array("Long", 1)[0]) - 1  # Lua counts from 1
        storage = self.value(depth + 1)
        if storage is None or count == 0 or 0 in sizes:
            return torch.empty(0, dtype=torch.from_numpy(np.empty(0, _native(kind))).dtype)
        _need(isinstance(storage, Tensor) and storage.dim() == 1, "a tensor has no storage")
        assert isinstance(storage, Tensor)
        last = offset + sum((n - 1) * stride for n, stride in zip(sizes, strides, strict=True))
        inside = min(sizes) > 0 and min(strides) >= 0 and offset >= 0 and last < len(storage)
        _need(inside and math.prod(sizes) <= len(storage), "a tensor reaches beyond its storage")
        return torch.as_strided(storage, sizes, strides, offset)

    def function(self, depth: int) -> Value:
        index = self.source.integer()
        if index in self._known:
            return self._known[index]
        self._known[index] = TorchObject("function")
        return self.old_function(depth)

    def old_function(self, depth: int) -> Value:
        self.source.text(self.source.integer())  # compiled code, which nobody runs
        self.value(depth + 1)  # what it closed over
        return TorchObject("function")


_READERS: dict[int, Callable[[_Reader, int], Value]] = {
    0: lambda reader, depth: None,
    1: lambda reader, depth: reader.source.number(),
    2: lambda reader, depth: reader.text(),
    3: _Reader.table,
    4: _Reader.thing,
    5: lambda reader, depth: reader.boolean(),
    6: _Reader.old_function,
    7: _Reader.function,
    8: _Reader.function,
}


def _need(good: bool, fault: str) -> None:
    if not good:
        raise _Fault(fault)
