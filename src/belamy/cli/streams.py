"""Standard input, output and error as they may be: closed, full, or of few characters."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress

__all__ = ["PIPE_CLOSED", "close_streams", "open_streams", "silence_output"]

PIPE_CLOSED = 141  # what a shell reports for tools whose reader has gone: 128 + SIGPIPE
_HANDLER = "belamy-output"


def open_streams() -> None:
    """Make all three streams writable or readable, whatever they are.

    A stream that is closed becomes /dev/null, lest a file that is opened later take its place. A
    character that a terminal cannot show becomes a question mark; the bytes of a file's name that
    is not UTF-8 pass as they are.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout = sys.stdout or io.TextIOWrapper(io.FileIO(1, "w", closefd=False))
    sys.stderr = sys.stderr or io.TextIOWrapper(io.FileIO(2, "w", closefd=False))
    codecs.register_error(_HANDLER, _encode_anyway)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _encode_anyway(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    with suppress(UnicodeError):
        return codecs.lookup_error("surrogateescape")(error)
    return "?" * (error.end - error.start), error.end


def close_streams(code: int) -> int:
    """Write what is still to be written; gives the exit code, another one where that fails."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError as error:
        silence_output()
        return PIPE_CLOSED if error.errno == errno.EPIPE else code or 1
    return code


def silence_output() -> None:
    """Let nothing more be written, so that the end of the process does not fail at it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):  # a stream without a number
                os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
