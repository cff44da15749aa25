"""Tensors in a safetensors file, always in the same bytes.

The safetensors library writes a file's metadata in another order each time, so that the same
weights would have another SHA-256 after every save; it also closes the file to other users, and
reports a full disk as damage. Writing is a header and a row of bytes, so it is done here; reading
is the library's.

Source: the format as https://huggingface.co/docs/safetensors describes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

__all__ = ["is_scale", "pack_kernels", "unpack_kernels", "write_tensors"]

_KINDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_SCALE = ".scale8"  # what a tensor's scales are called, after its own name
_LARGE_KERNEL = 4096  # weights, from which on they are packed
_LARGEST = 127  # of 8 bits
_ALIGNMENT = 8  # bytes: the header is filled up with spaces, so that the largest numbers lie well


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write `tensors` and `metadata` to `path`; for whole files, give it an `atomic_path`.

    Args:
        path: replaced; its permissions stay.
        tensors: of any device and any shape.
        metadata: words about them.

    Raises:
        OSError: it cannot be written, or the disk is full.
    """
    # The largest numbers first, so that every tensor begins where its kind may.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    end = 0
    for name in names:
        tensor, start = tensors[name], end
        end += tensor.numel() * tensor.element_size()
        offsets = [start, end]
        header[name] = {
            "dtype": _KINDS[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": offsets,
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            plain = tensors[name].detach().cpu().contiguous().reshape(-1)
            file.write(plain.view(torch.uint8).numpy().data)


def pack_kernels(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict for a file: large kernels and matrices in 8 bits, with a scale for each output
    channel beside them; all other fractions at half precision.

    A kernel's numbers lie evenly between those of its channel's largest one, forth and back: they
    are off by half a per cent of it at the most.
    """
    packed = {name: x.half() if x.is_floating_point() else x for name, x in state.items()}
    for name, x in state.items():
        if x.ndim in (2, 4) and len(x) > 1 and x.numel() >= _LARGE_KERNEL:
            kernel = x.detach().cpu().float()
            scale = (
                kernel.abs().amax(tuple(range(1, x.ndim)), keepdim=True).clamp_min(1e-12) / _LARGEST
            )
            packed[name] = (kernel / scale).round().to(torch.int8)
            packed[name + _SCALE] = scale
    return packed


def unpack_kernels(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict that `pack_kernels` was given, but for rounding; others as they are.

    Raises:
        KeyError: scales without a kernel.
        RuntimeError: they do not fit it.
    """
    whole = {name: x for name, x in state.items() if not is_scale(name)}
    for name in filter(is_scale, state):
        kernel = name.removesuffix(_SCALE)
        whole[kernel] = whole[kernel].float() * state[name]
    return whole


def is_scale(name: str) -> bool:
    """Whether a tensor is the scales of a kernel in 8 bits."""
    return name.endswith(_SCALE)
