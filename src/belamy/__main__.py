"""The command `belamy`, and `python -m belamy`.

The C library gives large blocks of memory back to the system as soon as they are freed, and gets
them again, page by page, at the next layer: up to a third of the time of a pass over a large
picture. How it does that is read once, when a process starts; so a command that computes starts
its process anew with that switched off. Likewise oneDNN, which else keeps a thousand compiled
convolutions, one for each size of picture.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["main"]

_LIMIT = 4 << 30  # bytes: beyond any block that a layer asks for
_SETTINGS = {
    "GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={_LIMIT}:glibc.malloc.trim_threshold={_LIMIT}",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
}
# What computes; all others would only begin later.
_COMPUTING = frozenset(
    {"classify", "defog", "demo", "dream", "fog", "gan", "replay", "style", "tour", "translate"}
)
_HELP = frozenset({"-h", "--help"})


def main() -> None:
    """Run the command line, in a process whose memory is set up for large pictures."""
    if computes(sys.argv[1:]) and has_glibc() and not _SETTINGS.keys() & os.environ.keys():
        _start_again()
    from belamy.cli import main as run

    run()


def computes(arguments: list[str]) -> bool:
    """Whether the command is one that computes, and not asked for its help."""
    return bool(arguments) and arguments[0] in _COMPUTING and not _HELP & set(arguments)


def has_glibc() -> bool:
    """Whether the C library is GNU's, which reads such settings."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, OSError, ValueError):  # no such system, or no such setting
        return False


def _start_again() -> None:
    """Replace this process, which keeps its number, by the same one with the settings.

    Only where Python itself runs it: a program that has Python inside could not be called so.
    """
    name = Path(sys.orig_argv[0]).name if sys.orig_argv else ""
    if not (name.startswith("python") and sys.executable):
        return
    try:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **_SETTINGS})
    except OSError:  # it may not be allowed here: then it works as it is
        return


if __name__ == "__main__":
    main()
