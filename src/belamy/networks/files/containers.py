"""What lies in a stranger's file of weights: told by its first bytes, read without running it.

Suffixes say little (`.bin`, `.ckpt`, `.pth.tar`, `.PTH` are one format), so contents decide. Before
a reader sees the file, what it declares is compared with the bytes that are there.
"""

from __future__ import annotations

import argparse
import math
import pickletools
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from belamy.checks import show_value
from belamy.errors import BelamyError, WeightsError
from belamy.files import missing_file
from belamy.networks.files.header import SUFFIX
from belamy.networks.files.network_file import open_network_file

__all__ = ["KNOWN", "read_container", "reason_of", "tell_format"]

KNOWN = ".pth, .pt, .ckpt, .pth.tar, .tar, .bin, .safetensors, .npz"
"""Suffixes under which files of weights go about."""

_LARGEST = 4 << 30  # bytes of numbers in one file; VGG-19 has 0.6 · 2^30
_LARGEST_PICKLE = 16 << 20  # bytes without the numbers; a few hundred kB where all is well
_MOST_OPCODES = 2_000_000
_LONGEST_REASON = 200  # characters of another program's message

# First bytes → what the file is, of formats that hold no state dict that can be read.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF", "HDF5, as Keras writes; save it as safetensors or .npz there"),
    (b"GGUF", "GGUF, a language model's"),
    (b"version https://git-lfs", "a pointer of Git LFS; run: git lfs pull"),
    (b"\x1f\x8b", "compressed by gzip; unpack it"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"<", "a web page; download the file itself"),
    (b"{", "text (JSON), which says where weights are; name the file that holds them"),
    (b"\x93NUMPY", "one array; save the whole state dict as .npz"),
)

# Suffix → the same, of formats that no first bytes tell.
_OTHERS_BY_SUFFIX = {
    ".onnx": "ONNX, which is run as it is: style apply, translate apply",
    ".caffemodel": "Caffe's own; save its blobs as .npz there",
    ".pb": "a graph of TensorFlow; save its weights as safetensors or .npz there",
    ".tflite": "TensorFlow Lite's; save its weights as safetensors or .npz there",
}

_TORCH7 = (b"\3\0\0\0", b"\4\0\0\0", b"3\n", b"4\n")  # a table or an object begins it


def tell_format(path: Path) -> str:
    """zip, safetensors, pickle or torch7, by the first bytes.

    Raises:
        WeightsError: there is no file, it is empty or too large, or of a format that is not read.
    """
    if path.is_dir():
        raise WeightsError(f"{path} is a folder; name the file of weights in it")
    if not path.is_file():
        raise missing_file(WeightsError, path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error
    if not size:
        raise WeightsError(f"{path} is empty or damaged; get the file again")
    if size > _LARGEST:
        raise WeightsError(f"{path} has {size:,} bytes, more than {_LARGEST >> 30} GB; refused")
    for magic, words in _OTHERS:
        if start.lstrip().lower().startswith(magic.lower()):
            raise WeightsError(f"{path} is {words}; known are {KNOWN}")
    if start[:4] == b"PK\x03\x04":
        return "zip"
    if start[8:9] == b"{":
        return "safetensors"
    if start[:1] == b"\x80":
        return "pickle"
    if start[:4] in _TORCH7 or start[:2] in _TORCH7:
        return "torch7"
    if _is_tar(path):
        raise WeightsError(f"{path} is a tar archive; unpack it, and name the file in it")
    if path.suffix.lower() == SUFFIX:
        return "safetensors"
    words = _OTHERS_BY_SUFFIX.get(path.suffix.lower(), "damaged, or not a file of weights")
    raise WeightsError(f"{path} is {words}; known are {KNOWN}")


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(257)
        return file.read(5) == b"ustar"


def read_container(path: Path) -> Any:
    """The tree of containers and tensors in a file; safetensors and `.npz` are one flat dict.

    Raises:
        WeightsError: missing, damaged, too large, or with an object in it that is no plain data.
    """
    kind = tell_format(path)
    if kind == "torch7":
        raise WeightsError(f"{path} is of Torch 7; of those, styles alone are read: style apply")
    if kind == "safetensors":
        with open_network_file(path) as file:
            return {name: file.read(name) for name in sorted(file.tensors)}
    return _translate_errors(path, _read_zip if kind == "zip" else _read_pickle)


def _translate_errors(path: Path, read: Callable[[Path], Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, about old formats that it reads all the same
            return read(path)
    except BelamyError:
        raise
    # A damaged file can fail in any of its reader's many ways: none of them is a bug of ours.
    except Exception as error:
        raise WeightsError(f"{path} is damaged, or no file of weights: {reason_of(error)}") from (
            error
        )


def reason_of(error: Exception) -> str:
    """Another program's message on one line: no escape codes, no advice to run strangers' code."""
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", str(error))
    lines = [line for line in text.splitlines() if line.strip()]
    line = re.sub(r"[^\x20-\x7e\xa0-\uffff]", "", lines[0]) if lines else type(error).__name__
    if "weights_only" in line or "WeightsUnpickler" in text:
        return "its pickle cannot be read"
    return line[:_LONGEST_REASON]


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > _LARGEST:
            raise WeightsError(f"{path} unpacks to more than {_LARGEST >> 30} GB; refused")
        names = [member.filename for member in members]
        if any(name.rpartition("/")[2] == "constants.pkl" for name in names):
            raise WeightsError(
                f"{path} is a TorchScript program, which is not run; save its state dict: "
                "torch.save(model.state_dict(), 'plain.pth')"
            )
        pickled = [m for m in members if m.filename.rpartition("/")[2] == "data.pkl"]
        if not pickled:
            return _read_arrays(path, archive)
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise WeightsError(f"{path} is damaged: torch does not compress; get the file again")
        if pickled[0].file_size > _LARGEST_PICKLE:
            raise WeightsError(f"{path} has a table of more than {_LARGEST_PICKLE >> 20} MB")
        _check_pickle(path, archive.read(pickled[0]))
    return _load(path, mapped=True)


def _read_pickle(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(_LARGEST_PICKLE)
    for start in _pickles(head):
        _check_pickle(path, head[start:])
    return _load(path, mapped=False)


def _pickles(data: bytes) -> Iterator[int]:
    """Where the pickles begin that torch's older format has one after another."""
    start = 0
    for _ in range(4):
        yield start
        end = next(
            (place for op, _, place in pickletools.genops(data[start:]) if op.name == "STOP")
        )
        start += (end or 0) + 1
        if data[start : start + 1] != b"\x80":
            return


def _load(path: Path, *, mapped: bool) -> Any:
    safe: list[Any] = [argparse.Namespace, np.dtype, np.ndarray, np.float64, *_numpy_parts()]
    try:
        with torch.serialization.safe_globals(safe):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except RuntimeError as error:
        raise WeightsError(f"{path} is damaged: {reason_of(error)}; get the file again") from error


def _numpy_parts() -> list[Any]:
    """What numbers of numpy are made of in a pickle, under old names and new."""
    core = np._core.multiarray  # type: ignore[attr-defined]
    old = "numpy.core.multiarray"
    kinds = [type(np.dtype(code)) for code in ("?", "b", "i2", "i4", "i8", "u1", "f2", "f4", "f8")]
    parts: list[Any] = [*kinds, np.dtypes.StrDType]
    for function in (core.scalar, core._reconstruct):
        parts += [function, (function, f"{old}.{function.__name__}")]
    return parts


# What torch's restricted reader takes, beside tensors: everything else is named to the user.
_PLAIN = re.compile(
    r"(torch|torch\._utils|torch\.storage|torch\.nn\.parameter|torch\.serialization|torch\.\w+) "
    r"|collections (OrderedDict|defaultdict|Counter)|argparse Namespace|_codecs encode"
    r"|(numpy|numpy\._core\.multiarray|numpy\.core\.multiarray|numpy\.dtypes) "
    r"|(builtins|__builtin__) (set|bytearray|complex|dict|list|tuple|int|float|bool)$"
)


def _check_pickle(path: Path, data: bytes) -> None:
    """Look through a pickle without running it: its objects, and the sizes that it declares."""
    size = path.stat().st_size
    last: int | None = None
    texts: list[str] = []
    inside = False  # between a tensor's storage and the call that makes the tensor of it
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if count > _MOST_OPCODES:
            raise WeightsError(f"{path} has more parts than any network; refused")
        if isinstance(argument, int) and not isinstance(argument, bool):
            last = argument
            if inside and "INT" in opcode.name and abs(last) > size:
                raise WeightsError(f"{path} is damaged: a tensor reaches beyond it")
        elif isinstance(argument, str):
            texts = [*texts[-1:], argument]
        if opcode.name in ("GLOBAL", "STACK_GLOBAL"):
            _check_object(path, argument if argument else " ".join(texts))
        elif opcode.name == "BINPERSID":
            inside = True
            if last is not None and last > size:
                raise WeightsError(f"{path} is damaged: it declares {last:,} numbers")
        elif opcode.name == "REDUCE":
            inside = False


def _check_object(path: Path, name: str) -> None:
    if _PLAIN.match(name):
        return
    kind = show_value(name.replace(" ", "."))
    raise WeightsError(
        f"{path} holds an object {kind}, not tensors alone, and nothing in it is run; "
        "where it was made, save the state dict alone: "
        "torch.save(model.state_dict(), 'plain.pth')"
    )


def _read_arrays(path: Path, archive: zipfile.ZipFile) -> dict[str, Tensor]:
    arrays: dict[str, Tensor] = {}
    for member in archive.infolist():
        name = member.filename
        if not name.endswith(".npy"):
            raise WeightsError(
                f"{path} is a zip of files, {show_value(name)} among them; unpack it"
            )
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
                version, np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(file)
        if dtype.hasobject:
            raise WeightsError(f"{path} holds objects, not numbers alone, in {show_value(name)}")
        if math.prod(shape) * dtype.itemsize > member.file_size:
            raise WeightsError(f"{path} is damaged: {show_value(name)} declares too many numbers")
        with archive.open(member) as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
        if array.dtype.kind in "fiub":
            arrays[name.removesuffix(".npy")] = torch.from_numpy(np.ascontiguousarray(array))
    return arrays
