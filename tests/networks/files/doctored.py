"""Doctored files of weights: kinds of files times kinds of damage, from one seed.

Every file is small, harmless to other programs, and wrong in some way (a few are right by chance).
"""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

State = dict[str, Tensor]
Random = random.Random

FORMATS = ("zip", "legacy", "safetensors", "described", "npz", "torch7", "torch7 text", "onnx")


def make_files(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Label and path of so many files, made one at a time."""
    damages = (*STATES, *BYTES)
    for number in range(count):
        rng = Random(f"{seed}/{number}")
        kind, damage = (
            FORMATS[number % len(FORMATS)],
            damages[number // len(FORMATS) % len(damages)],
        )
        state, words = small_state(rng), described()
        if damage in STATES:
            state, words = STATES[damage](state, words, rng)
        data = WRITERS[kind](state, words, rng)
        if damage in BYTES:
            data = BYTES[damage](data, rng)
        path = folder / f"{number}{SUFFIXES[kind] if rng.random() < 0.8 else '.bin'}"
        path.write_bytes(data)
        yield f"{number}: {kind}, {damage}", path


def small_state(rng: Random) -> State:
    """The names of a style, of a backbone, or of nothing, with small tensors."""
    generator = torch.Generator().manual_seed(rng.randrange(1 << 30))
    names = rng.choice(
        (
            ["conv1.conv2d.weight", "conv1.conv2d.bias", "in1.weight", "in1.bias"],
            ["features.0.weight", "features.0.bias", "features.3.squeeze.weight"],
            ["layer1.0.conv1.weight", "conv1.weight", "fc.weight"],
            ["a", "b.c"],
        )
    )
    shapes = ((4, 3, 3, 3), (4,), (4, 4))
    return {name: torch.randn(rng.choice(shapes), generator=generator) for name in names}


def described() -> dict[str, Any]:
    return {"network": "johnson", "arguments": {"widths": [4, 5, 6], "blocks": 1}, "style": "x"}


Doctor = Callable[[Any, Any, Random], tuple[Any, Any]]


def _nested(state: Any, words: Any, rng: Random) -> tuple[Any, Any]:
    for _ in range(rng.choice((1, 3, 20, 60))):
        state = {rng.choice(("state_dict", "model", "ema", "x")): state, "epoch": 3}
    return state, words


def _one(state: State, rng: Random, change: Callable[[Tensor], Tensor]) -> State:
    name = rng.choice(list(state))
    return {**state, name: change(state[name])}


STATES: dict[str, Doctor] = {
    "none": lambda s, w, r: (s, w),
    "other type": lambda s, w, r: (
        _one(s, r, lambda x: x.to(r.choice((torch.int8, torch.bool, torch.float64)))),
        w,
    ),
    "other shape": lambda s, w, r: (_one(s, r, lambda x: x.reshape(-1)[:-1]), w),
    "no size": lambda s, w, r: (_one(s, r, lambda x: x[:0]), w),
    "no dimensions": lambda s, w, r: (_one(s, r, lambda x: x.sum()), w),
    "missing": lambda s, w, r: (dict(list(s.items())[1:]), w),
    "more": lambda s, w, r: ({**s, "more": torch.zeros(3)}, w),
    "not a number": lambda s, w, r: (_one(s, r, lambda x: x * torch.nan), w),
    "infinite": lambda s, w, r: (_one(s, r, lambda x: x + torch.inf), w),
    "expanded": lambda s, w, r: (_one(s, r, lambda x: torch.zeros(1).expand(4000, 4000, 500)), w),
    "nested": _nested,
    "empty": lambda s, w, r: ({}, w),
    "arguments": lambda s, w, r: (s, {**w, "arguments": _arguments(r)}),
    "network": lambda s, w, r: (
        s,
        {
            **w,
            "network": r.choice(("vgg16", "light", "dcgan", "layers", "dehaze", "anystyle", "?")),
        },
    ),
    "layers": lambda s, w, r: (s, {"network": "layers", "arguments": _layers(r)}),
}


def _arguments(rng: Random) -> Any:
    number = rng.choice((10**9, -1, 65_000, 1e300, "many", None, [1] * 30_000, True, 0.5))
    key = rng.choice(("widths", "blocks", "classes", "size", "channels"))
    return rng.choice(({key: number}, {"blocks": number, "widths": [number] * 3}, [number], number))


def _layers(rng: Random) -> Any:
    big = rng.choice((1, 500, 2048, 65_536))
    conv = {"layer": "conv", "inputs": 3, "outputs": big, "kernel": [3, 3]}
    pad = {"layer": "pad", "mode": "zero", **dict.fromkeys(("left", "right", "top", "bottom"), big)}
    rows: list[Any] = [rng.choice((conv, pad, {"layer": "upsample", "factor": big}))]
    for _ in range(rng.choice((0, 5, 40))):
        rows = [{"layer": rng.choice(("sum", "join")), "branches": [rows, []]}]
    return {"layers": rows * rng.choice((1, 3, 500)), "colours": rng.choice(("levels", "x"))}


def _cut(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data) or 1)]


def _flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 4, 30))):
        place = rng.randrange(min(len(changed), rng.choice((40, 400, 1 << 30))))
        changed[place] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _huge(data: bytes, rng: Random) -> bytes:
    """A number somewhere near the beginning becomes as large as it can be."""
    place = rng.randrange(min(len(data), 200))
    size = rng.choice((4, 8))
    return data[:place] + b"\xff" * (size - 1) + b"\x7f" + data[place + size :]


BYTES: dict[str, Callable[[bytes, Random], bytes]] = {
    "cut": _cut,
    "bits": _flip,
    "huge": _huge,
    "header": lambda d, r: struct.pack("<Q", r.choice((1 << 60, 100 << 20, 3, 0))) + d[8:],
    "twice": lambda d, r: d + d,
    "noise": lambda d, r: d[: r.choice((2, 9, 64))] + r.randbytes(3000),
    "nothing": lambda d, r: b"" if r.random() < 0.5 else bytes(200),
}


def _torch(zipped: bool) -> Callable[[Any, Any, Random], bytes]:
    def write(state: Any, words: Any, rng: Random) -> bytes:
        buffer = io.BytesIO()
        torch.save(state, buffer, _use_new_zipfile_serialization=zipped)
        return buffer.getvalue()

    return write


def _flat(state: Any) -> State:
    while any(isinstance(value, dict) for value in state.values()):
        state = next(value for value in state.values() if isinstance(value, dict))
    return {name: x[:4] if x.numel() > 1 << 20 else x for name, x in state.items()}


_KINDS = {torch.float32: "F32", torch.float64: "F64", torch.int8: "I8", torch.bool: "BOOL"}


def _safetensors(says: bool) -> Callable[[Any, Any, Random], bytes]:
    def write(state: Any, words: Any, rng: Random) -> bytes:
        header: dict[str, Any] = {}
        if says:
            header["__metadata__"] = {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in words.items()
            }
        body = b""
        for name, tensor in _flat(state).items():
            data = b"" if tensor.numel() > 1 << 20 else tensor.contiguous().numpy().tobytes()
            offsets = [len(body), len(body) + len(data)]
            shape = list(tensor.shape)
            header[name] = {"dtype": _KINDS[tensor.dtype], "shape": shape, "data_offsets": offsets}
            body += data
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + body

    return write


def _npz(state: Any, words: Any, rng: Random) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, tensor in _flat(state).items():
            large = tensor.numel() > 1 << 20
            header = io.BytesIO()
            array = np.zeros(1, np.float32) if large else tensor.numpy()
            if large:
                shape = {"descr": "<f4", "fortran_order": False, "shape": tuple(tensor.shape)}
                np.lib.format.write_array_header_1_0(header, shape)
            else:
                np.lib.format.write_array(header, array)
            archive.writestr(f"{name}.npy", header.getvalue())
    return buffer.getvalue()


def _torch7(text: bool) -> Callable[[Any, Any, Random], bytes]:
    """A table of tensors, as Lua's torch.save writes it."""

    def write(state: Any, words: Any, rng: Random) -> bytes:
        integer = (lambda n: f"{n}\n".encode()) if text else (lambda n: struct.pack("<i", n))
        long = integer if text else (lambda n: struct.pack("<q", n))
        end = b"\n" if text else b""

        def string(value: str) -> bytes:
            return integer(len(value)) + value.encode() + end

        parts, index = [], 2
        for name, tensor in _flat(state).items():
            numbers = tensor.float().reshape(-1)[: 1 << 16].tolist()
            sizes, strides = list(tensor.shape), list(tensor.stride())
            body = integer(2) + string(name) + integer(4) + integer(index)
            body += string("V 1") + string("torch.FloatTensor") + integer(len(sizes))
            body += b"".join(map(long, (*sizes, *strides, 1))) + integer(4) + integer(index + 1)
            body += string("V 1") + string("torch.FloatStorage") + long(len(numbers))
            floats = (f"{x}" for x in numbers)
            body += (
                (" ".join(floats) + "\n").encode()
                if text
                else struct.pack(f"<{len(numbers)}f", *numbers)
            )
            parts.append(body)
            index += 2
        deep = b"".join(
            integer(3) + integer(n) + integer(1) for n in range(100, 100 + rng.choice((0, 0, 5000)))
        )
        return deep + integer(3) + integer(1) + integer(len(parts)) + b"".join(parts)

    return write


def _onnx(state: Any, words: Any, rng: Random) -> bytes:
    def varint(number: int) -> bytes:
        data = b""
        while number > 127:
            data, number = data + bytes([number & 127 | 128]), number >> 7
        return data + bytes([number])

    def field(number: int, value: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(value)) + value

    graph = b""
    for name, tensor in _flat(state).items():
        dims = b"".join(b"\x08" + varint(length) for length in tensor.shape)
        raw = b"" if tensor.numel() > 1 << 20 else tensor.float().contiguous().numpy().tobytes()
        where = rng.choice((b"../x", b"x.data", b"/dev/zero"))
        outside = field(13, field(1, b"location") + field(2, where)) if rng.random() < 0.3 else b""
        graph += field(5, dims + b"\x10\x01" + field(8, name.encode()) + field(9, raw) + outside)
    return b"\x08\x08" + field(7, graph)


WRITERS: dict[str, Callable[[Any, Any, Random], bytes]] = {
    "zip": _torch(True),
    "legacy": _torch(False),
    "safetensors": _safetensors(False),
    "described": _safetensors(True),
    "npz": _npz,
    "torch7": _torch7(False),
    "torch7 text": _torch7(True),
    "onnx": _onnx,
}
SUFFIXES = {
    **dict.fromkeys(("zip", "legacy"), ".pth"),
    **dict.fromkeys(("safetensors", "described"), ".safetensors"),
    "npz": ".npz",
    **dict.fromkeys(("torch7", "torch7 text"), ".t7"),
    "onnx": ".onnx",
}
