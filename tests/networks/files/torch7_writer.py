"""A writer of Torch 7 files, written from the format's description and sharing nothing with the
reader that it tests. Tests load it by its path."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = {
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
}


@dataclass(eq=False)
class Lua:
    """An object of a Lua class."""

    kind: str
    fields: dict[Any, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Storage:
    numbers: NDArray[Any]


@dataclass(eq=False)
class View:
    """A tensor that looks into a storage; the offset counts from 0."""

    storage: Storage
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0
    cuda: bool = False


@dataclass(eq=False)
class Code:
    dumped: bytes
    closed_over: Any = None
    kind: int = 8


def view(array: NDArray[Any]) -> View:
    strides = tuple(stride // array.itemsize for stride in array.strides)
    return View(Storage(array.reshape(-1)), array.shape, strides)


def write(value: Any, *, ascii: bool = False, long: int = 8, version: bool = True) -> bytes:
    writer = Writer(ascii, long, version)
    writer.value(value)
    return bytes(writer.out)


class Writer:
    def __init__(self, ascii: bool, long: int, version: bool) -> None:
        self.ascii, self.long, self.version = ascii, long, version
        self.out = bytearray()
        self.seen: dict[int, int] = {}
        self.kept: list[Any] = []  # so that no id is used twice

    def numbers(self, form: str, *values: Any) -> None:
        if self.ascii:
            words = [f"{v:.17g}" if form in "fde" else str(v) for v in values]
            self.out += " ".join(words).encode() + (b"\n" if values else b"")
        else:
            self.out += struct.pack(f"<{len(values)}{form}", *values)

    def integer(self, value: int) -> None:
        self.numbers("i", value)

    def longs(self, *values: int) -> None:
        self.numbers("q" if self.long == 8 else "i", *values)

    def raw(self, data: bytes) -> None:
        self.out += data
        if self.ascii and data:
            self.out += b"\n"

    def text(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        self.integer(len(data))
        self.raw(data)

    def value(self, value: Any) -> None:
        if value is None:
            self.integer(0)
        elif isinstance(value, bool):
            self.integer(5)
            self.integer(int(value))
        elif isinstance(value, (int, float)):
            self.integer(1)
            self.numbers("d", float(value))
        elif isinstance(value, str):
            self.integer(2)
            self.text(value)
        else:
            self.referred(view(value) if isinstance(value, np.ndarray) else value)

    def referred(self, value: Any) -> None:
        kind = 3 if isinstance(value, (dict, list)) else 4
        kind = value.kind if isinstance(value, Code) else kind
        self.integer(kind)
        if kind != 6:
            new = id(value) not in self.seen
            self.integer(self.seen.setdefault(id(value), len(self.seen) + 1))
            self.kept.append(value)
            if not new:
                return
        {3: self.table, 4: self.thing}.get(kind, self.code)(value)

    def table(self, value: dict[Any, Any] | list[Any]) -> None:
        entries = dict(enumerate(value, 1)) if isinstance(value, list) else value
        self.integer(len(entries))
        for key, item in entries.items():
            self.value(key)
            self.value(item)

    def code(self, value: Code) -> None:
        self.text(value.dumped)
        self.value(value.closed_over)

    def thing(self, value: Lua | View | Storage) -> None:
        if self.version:
            self.text("V 1")
        if isinstance(value, Lua):
            self.text(value.kind)
            self.value(value.fields)
            return
        storage = value.storage if isinstance(value, View) else value
        kind = KINDS[storage.numbers.dtype.name]
        if isinstance(value, View):
            self.text("torch.CudaTensor" if value.cuda else f"torch.{kind}Tensor")
            self.integer(len(value.sizes))
            self.longs(*value.sizes)
            self.longs(*value.strides)
            self.longs(value.offset + 1)
            self.value(storage)
            return
        self.text(f"torch.{kind}Storage")
        self.longs(len(storage.numbers))
        if kind in ("Byte", "Char"):
            self.raw(storage.numbers.tobytes())
        elif kind == "Long":
            self.longs(*storage.numbers.tolist())
        else:
            self.numbers(storage.numbers.dtype.char, *storage.numbers.tolist())
