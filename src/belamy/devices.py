"""Where tensors live, and where randomness comes from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from belamy.errors import OptionError
from belamy.precision import check_precision

_NO_HALVES = ("cpu",)  # where float16 is slower than float32

DTYPES = {
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


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """What convolutions and products are to be computed in on a device.

    Args:
        name: one of `belamy.precision.TRAINING_PRECISIONS`; `auto` takes bfloat16 where the
            processor or card computes it, in about half the time of float32, and float32 elsewhere.
        device: where.

    Raises:
        UnknownName: no such precision.
        OptionError: float16 on a processor.
    """
    check_precision(name)
    if name == "float16" and device.type in _NO_HALVES:
        raise OptionError(
            f"precision float16 is for graphics cards, and this is {device.type}; take auto"
        )
    if name != "auto":
        return DTYPES[name]
    return torch.bfloat16 if _knows_bfloat16(device) else torch.float32


def _knows_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # without such instructions it is emulated, and slow
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return device.type == "cpu" and bool(supported())


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which convolutions and products compute as `choose_precision` says.

    It changes nothing for float32. Sums over places are still to be taken in float32.
    """
    dtype = choose_precision(precision, device)
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def make_rng(seed: int, *stream: int | str) -> torch.Generator:
    """A CPU random generator that depends on `seed` and on the names of the stream alone.

    Addressing randomness by (seed, purpose, step) instead of keeping one long stream lets a
    resumed run draw what an unbroken one would have drawn, with no state to save.
    """
    text = ":".join(str(part) for part in (seed, *stream))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)


_MOST_THREADS = 64  # a machine of any size can have so many, if slowly


@contextmanager
def computing_on(threads: int | None) -> Iterator[str]:
    """Let the processor compute on as many threads inside this block.

    Sums are added up in another order on another number of threads, so that the same picture to
    the bit needs the same number.

    Args:
        threads: how many; None leaves it as it is.

    Yields:
        what cannot be done, on one line; "" if all can.
    """
    usual = torch.get_num_threads()
    most = max(_MOST_THREADS, 4 * (os.cpu_count() or 1))
    limit = os.environ.get("OMP_THREAD_LIMIT", "")
    most = min(most, int(limit)) if limit.isdecimal() and int(limit) > 0 else most
    if threads is None or threads == usual:
        yield ""
        return
    if threads > most:
        yield _cannot(threads, usual)
        return
    torch.set_num_threads(threads)
    try:
        now = torch.get_num_threads()
        yield "" if now == threads else _cannot(threads, now)
    finally:
        torch.set_num_threads(usual)


def _cannot(threads: int, now: int) -> str:
    return (
        f"it was made on {threads} threads, which cannot be had here; on {now}, small differences "
        "are likely"
    )
