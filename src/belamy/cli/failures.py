"""What the machine refuses, memory above all, as one line with what to do."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from belamy.errors import BelamyError

__all__ = ["OutOfMemory", "PipeClosed", "plain_failures", "shorten"]

_LONGEST = 200  # characters of what was given, in a message
_LONGEST_MESSAGE = 4000

_NO_MEMORY = re.compile(
    r"out of memory|not enough memory|can(?:'t|not) allocate memory|unable to allocate|"
    r"DefaultCPUAllocator|ALLOC_FAILED|bad_alloc|could not create a memory|"
    r"Storage size calculation overflowed|Invalid buffer size",
    re.IGNORECASE,
)
"""What torch, oneDNN, CUDA, MPS and safetensors say when memory ends."""


# Set by the outermost `plain_failures`, which knows the command, for those within it.
_SMALLER: ContextVar[Sequence[str]] = ContextVar("options that save memory", default=())


class OutOfMemory(BelamyError):
    """The machine has not enough memory for what was asked."""


class PipeClosed(Exception):
    """Nobody reads what is printed."""


@contextmanager
def plain_failures(smaller: Sequence[str] = ()) -> Iterator[None]:
    """Turn what the machine refuses inside into errors of one line.

    Args:
        smaller: options of the command, such as `--size`, that take less memory when smaller; none
            for those that were named further out.

    Raises:
        OutOfMemory: there is no more memory.
        PipeClosed: nobody reads standard output.
        BelamyError: any other refusal of the system's.
    """
    before = _SMALLER.set(smaller or _SMALLER.get())
    try:
        yield
    except BelamyError:
        raise
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
            raise OutOfMemory(_without_memory()) from error
        raise
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise PipeClosed from error
        if error.errno == errno.ENOMEM:
            raise OutOfMemory(_without_memory()) from error
        if error.errno is None:  # a library's own, not the system's
            raise
        raise BelamyError(_refusal(error)) from error
    finally:
        _SMALLER.reset(before)


def _without_memory() -> str:
    words = " or ".join(f"a smaller {flag}" for flag in _SMALLER.get())
    hint = f"try {words}, or close other programs" if words else "close other programs, or ask less"
    return f"out of memory; {hint}"


def _refusal(error: OSError) -> str:
    cause = error.strerror or str(error)
    advice = {
        errno.ENOSPC: "make room, or choose another place",
        errno.EDQUOT: "make room, or choose another place",
        errno.ENAMETOOLONG: "choose a shorter name",
        errno.EACCES: "choose another place, or ask for permission",
        errno.EROFS: "choose another place",
        errno.EMFILE: "close other programs, or raise the limit (ulimit -n)",
    }.get(error.errno or 0, "check it, and try again")
    if error.filename is None:
        return f"cannot write: {cause}; {advice}"
    return f"cannot use {str(error.filename)!r}: {cause}; {advice}"


def shorten(message: str, given: Sequence[str] | None = None) -> str:
    """`message` with at most 200 characters of each thing that was typed.

    Args:
        message: on one line.
        given: what was typed; None for the words of the command line.
    """
    message = re.sub(rf"(\S{{{_LONGEST}}})\S+", r"\1…", message)
    for word in sys.argv[1:] if given is None else given:
        flat = " ".join(word.split())
        if len(flat) > _LONGEST:
            message = _cut(message[: _LONGEST_MESSAGE * 4], flat)
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + "…"


def _cut(message: str, word: str) -> str:
    """`message`, of whose longest stretch out of `word` 200 characters are left."""
    begin = next(
        (
            index
            for index in range(len(message) - _LONGEST)
            if message[index : index + _LONGEST + 1] in word
        ),
        None,
    )
    if begin is None:
        return message
    end = begin + _LONGEST + 1
    while end < len(message) and message[begin : end + 1] in word:
        end += 1
    return f"{message[: begin + _LONGEST]}…{message[end:]}"
