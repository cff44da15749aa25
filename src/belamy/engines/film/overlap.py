"""Reading and writing on threads of their own while a network computes; the order stays."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import TypeVar

__all__ = ["Background", "read_ahead"]

Item = TypeVar("Item")

_AHEAD = 2  # things that wait: enough for both sides to be at work, and few to be held


def read_ahead(items: Iterator[Item], most: int = _AHEAD) -> Iterator[Item]:
    """The same things in the same order; a thread fetches up to `most` before they are due."""
    coming: deque[Future[tuple[Item, ...]]] = deque()
    with ThreadPoolExecutor(1) as thread:
        try:
            coming.extend(thread.submit(_take, items) for _ in range(most))
            while found := coming.popleft().result():
                coming.append(thread.submit(_take, items))
                yield found[0]
        finally:
            for one in coming:
                one.cancel()
            thread.submit(_close, items)


def _take(items: Iterator[Item]) -> tuple[Item, ...]:
    """The next one; nothing after the last."""
    return tuple(islice(items, 1))


def _close(items: Iterator[Item]) -> None:
    """End a generator where it stands, so that its files are closed."""
    close = getattr(items, "close", None)
    if close is not None:
        close()


class Background:
    """Work done on one thread, one thing after another; all of it is done at the end of `with`.

    Args:
        most: things that may wait; then who gives more waits.
    """

    def __init__(self, most: int = _AHEAD) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()
        self._most = most

    def run(self, work: Callable[[], None]) -> None:
        """Do this after what is waiting; an error of earlier work is raised here."""
        while len(self._waiting) >= self._most:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(work))

    def __enter__(self) -> Background:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown()
        if error is None:
            for one in self._waiting:
                one.result()
