"""SIGTERM and a closed terminal do what Ctrl-C does.

`docker stop`, SLURM and `timeout` send SIGTERM, a terminal that closes sends SIGHUP. Either becomes
the `KeyboardInterrupt` that everything here knows how to end on, with what was made saved; only
the exit code tells them apart, as a shell's does: 128 and the number of the signal.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "stoppable"]

# Ctrl-C may be ignored, as it is for jobs in the background of a script; then it stays so.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# Seconds: `timeout` sends its signal to the process and then to its group, so that it comes twice.
_SAME_SIGNAL = 0.3


class Stop:
    """What has come to stop the process.

    Attributes:
        number: of the first signal; 0 as long as none came.
    """

    def __init__(self) -> None:
        self.number = 0
        self._first = self._last = 0.0
        self._count = 0

    def exit_code(self, usual: int) -> int:
        """What the process exits with, where Ctrl-C alone would be `usual`."""
        return 128 + self.number if self.number else usual

    def take(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first ends the work, a second the saving too, a third all at once.

        Raises:
            KeyboardInterrupt: unless a training finishes its step first.
        """
        now = time.monotonic()
        if self._count and now - self._last < _SAME_SIGNAL:
            return
        self.number = self.number or number
        self._last = now
        self._count += 1
        if self._count > 2:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        handler = signal.getsignal(signal.SIGINT)  # a training has put its own there
        if self._count == 1 and callable(handler) and handler not in _plain_handlers(self):
            handler(number, frame)
            return
        raise KeyboardInterrupt


def _plain_handlers(stop: Stop) -> tuple[object, ...]:
    return (stop.take, signal.default_int_handler)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Let signals stop what is inside as Ctrl-C does; those that are ignored stay so."""
    stop = Stop()
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may set handlers
        return
    taken = [number for number in numbers if before[number] not in (signal.SIG_IGN, None)]
    for number in taken:
        signal.signal(number, stop.take)
    try:
        yield stop
    finally:
        for number in taken:
            signal.signal(number, before[number])
