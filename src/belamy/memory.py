"""How a process that computes takes its memory: what its environment says when it starts.

The C library gives large blocks of memory back to the system as soon as they are freed, and gets
them again, page by page, at the next layer: up to a third of the time of a pass over a large
picture. Likewise oneDNN keeps a thousand compiled convolutions, one for each size of picture. Both
are read once, when a process starts.
"""

from __future__ import annotations

import os

__all__ = ["has_glibc", "memory_settings"]

_LIMIT = 4 << 30  # bytes: beyond any block that a layer asks for
_SETTINGS = {
    "GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={_LIMIT}:glibc.malloc.trim_threshold={_LIMIT}",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
}


def memory_settings() -> dict[str, str]:
    """Environment variables for a process that computes; none where the C library knows none."""
    return dict(_SETTINGS) if has_glibc() else {}


def has_glibc() -> bool:
    """Whether the C library is GNU's, which reads such settings."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, OSError, ValueError):  # no such system, or no such setting
        return False
