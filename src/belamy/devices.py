"""Where tensors live, and where randomness comes from."""

from __future__ import annotations

import hashlib

import torch

from belamy.errors import OptionError

PRECISIONS = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name`; `auto` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        OptionError: torch does not know the device, or this machine does not have it.
    """
    if name == "auto":
        return torch.device(_best())
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(f"device {name!r} is not a device; try auto, cpu, cuda or mps") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise OptionError(f"device {name!r} is not on this machine; try auto or cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise OptionError(f"device {name!r} is not on this machine; try auto or cpu")
    return device


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which convolutions and products compute in one of `PRECISIONS`.

    It changes nothing for float32. Sums over places are still to be taken in float32.
    """
    dtype = PRECISIONS[precision]
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def generator(seed: int, *stream: int | str) -> torch.Generator:
    """A CPU random generator that depends on `seed` and on the names of the stream alone.

    Addressing randomness by (seed, purpose, step) instead of keeping one long stream lets a
    resumed run draw what an unbroken one would have drawn, with no state to save.
    """
    text = ":".join(str(part) for part in (seed, *stream))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)
