"""How a process that computes takes its memory, and waits: what its environment says at its start.

The C library gives large blocks of memory back to the system as soon as they are freed, and gets
them again, page by page, at the next layer: up to a third of the time of a pass over a large
picture. Likewise oneDNN keeps a thousand compiled convolutions, one for each size of picture. Both
are read once, when a process starts.

So is how threads wait for each other. As OpenMP comes, they run in circles for a while; where other
work wants the cores, that takes the time that the others need to come to the same place.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Callable

__all__ = ["PICTURE", "free_at_once", "give_back", "has_glibc", "memory_settings"]

PICTURE = 128 << 20
"""Bytes of a picture from which on its copies are larger than what one tile of it takes."""

_LARGE = 4 << 30  # bytes: beyond any block that a layer asks for
# Of what repaints whole pictures in strips: a strip's blocks are smaller and are kept, the few
# pictures are larger, and would leave holes that nothing fits into.
_PICTURE = 64 << 20
# Threads share one heap: those of their own are cut up, and given back whole. And no small blocks
# are set aside when they are freed (tcache, fast bins): before each tensor lies a sliver that lines
# it up, and is freed at once. Set aside it is never joined to the tensor's own place when that is
# freed, which is then just too small for the next tensor of the same size.
_MALLOC = ":".join(
    (
        "glibc.malloc.mmap_threshold={0}",
        "glibc.malloc.trim_threshold={1}",
        "glibc.malloc.arena_max=1",
        "glibc.malloc.tcache_count=0",
        "glibc.malloc.mxfast=0",
    )
)
_MMAP_THRESHOLD = -3  # glibc's number of this setting
_PRIMITIVES = "16"  # that oneDNN keeps


def memory_settings(*, strips: bool = False) -> dict[str, str]:
    """Environment variables for a process that computes; none where the C library knows none.

    Args:
        strips: whether it works on pictures in strips, and nothing else.
    """
    if not has_glibc():
        return {}
    return {
        "GLIBC_TUNABLES": _MALLOC.format(_PICTURE if strips else _LARGE, _LARGE),
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": _PRIMITIVES,
        "OMP_WAIT_POLICY": "PASSIVE",
    }


def has_glibc() -> bool:
    """Whether the C library is GNU's, which reads such settings."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, OSError, ValueError):  # no such system, or no such setting
        return False


def give_back() -> None:
    """What was freed goes back to the system, also from between blocks that are in use.

    glibc keeps it else, and what is larger than any of these holes takes new memory.
    """
    trim = _find("malloc_trim")
    if trim is not None:
        trim(0)


def free_at_once() -> None:
    """From now on what is freed of `PICTURE` bytes or more goes back to the system at once.

    For work in tiles on pictures of that size: a few blocks of a step, which would leave holes.
    """
    change = _find("mallopt")
    if change is not None:
        change(_MMAP_THRESHOLD, PICTURE)


@functools.cache
def _find(name: str) -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), name, None)  # musl has none of these
