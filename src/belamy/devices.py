"""Where tensors live, and where randomness comes from."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import torch

from belamy import files
from belamy.errors import BelamyError, OptionError
from belamy.precision import PassPrecision, Precision, check_precision

_NO_HALVES = ("cpu",)  # where float16 is slower than float32
# Of float32's time: below, bfloat16 is worth its coarser numbers.
_FAST_ENOUGH = 0.8
_TIMES = 5  # that a convolution is tried; the best counts, since other work can only slow it down
_TURNS = 4  # of a whole network in each precision
_SPEEDS = "speeds.json"

DTYPES: dict[Precision, torch.dtype] = {
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
            processor or card computes it faster than float32 (a processor is timed once, and the
            answer remembered: see `times_bfloat16`), and float32 elsewhere.
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
        return DTYPES[cast(Precision, name)]
    return torch.bfloat16 if _knows_bfloat16(device) else torch.float32


def name_precision(name: Precision, device: torch.device) -> Precision:
    """What `choose_precision` chooses, by its name, as recipes have it.

    Raises:
        UnknownName, OptionError: as there.
    """
    chosen = choose_precision(name, device)
    return next(known for known, dtype in DTYPES.items() if dtype == chosen)


def _knows_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # without such instructions it is emulated, and slow
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return device.type == "cpu" and bool(supported()) and times_bfloat16() <= _FAST_ENOUGH


@functools.cache
def times_bfloat16() -> float:
    """The processor's time for a convolution and its gradient in bfloat16, over that in float32.

    Measured once, in about a tenth of a second, and remembered in the cache folder for this
    processor and this version of torch: instructions that a processor has by name may be as slow
    as those they stand for. Where the folder cannot be written, each process measures.
    """
    times = _time_convolution
    return _remember("", lambda: times(torch.bfloat16) / times(torch.float32))


def is_faster_in_bfloat16(work: str, run: Callable[[PassPrecision], object]) -> bool:
    """Whether some work on the processor gains enough by bfloat16; measured and remembered as
    `times_bfloat16` is.

    Args:
        work: what it is called in the file of speeds.
        run: does it once in a precision, float32 or bfloat16.
    """
    return compare_speeds(work, lambda: run("bfloat16"), lambda: run("float32")) <= _FAST_ENOUGH


def compare_speeds(work: str, new: Callable[[], object], usual: Callable[[], object]) -> float:
    """The processor's time for one way to do some work, over that for the usual way; measured and
    remembered as `times_bfloat16` is.

    Args:
        work: what it is called in the file of speeds.
        new, usual: do it once.
    """
    return _remember(work, lambda: _compare(new, usual))


def _compare(new: Callable[[], object], usual: Callable[[], object]) -> float:
    """One's time over the other's, of one thread, in turns, each at its best."""
    runs = usual, new
    times: tuple[list[float], list[float]] = ([], [])
    with computing_on(1):
        for _ in range(_TURNS):
            for run, own in zip(runs, times, strict=True):
                start = time.process_time()
                run()
                own.append(time.process_time() - start)
    return min(times[1]) / max(min(times[0]), 1e-9)


def _remember(work: str, measure: Callable[[], float]) -> float:
    """What was measured of some work on this processor with this version of torch."""
    path = files.cache_folder() / _SPEEDS
    key = ", ".join(filter(None, (_name_processor(), f"torch {torch.__version__}", work)))
    known: dict[str, float] = {}
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text("utf-8"))
        known = {name: float(ratio) for name, ratio in found.items()}
    if key not in known:
        known[key] = round(measure(), 3)
        with suppress(BelamyError):
            files.write_text(path, json.dumps(known, indent=1))
    return known[key]


def _name_processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} ({_capability()})"
    return f"{platform.processor() or platform.machine()} ({_capability()})"


def _capability() -> str:
    return torch.backends.cpu.get_cpu_capability()


def _time_convolution(dtype: torch.dtype) -> float:
    """Seconds of one thread for one of VGG's convolutions and the way back, at their best."""
    x = torch.zeros(1, 64, 96, 96, dtype=dtype).contiguous(memory_format=torch.channels_last)
    weight = torch.zeros(64, 64, 3, 3, dtype=dtype).contiguous(memory_format=torch.channels_last)
    times = []
    with computing_on(1), torch.inference_mode(False), torch.enable_grad():
        pixels = x.requires_grad_(True)
        for _ in range(_TIMES):
            start = time.process_time()
            y = torch.nn.functional.conv2d(pixels, weight, padding=1)
            torch.autograd.grad(y.sum(), pixels)
            times.append(time.process_time() - start)
    return min(times)


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
