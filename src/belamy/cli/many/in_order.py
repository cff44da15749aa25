"""Threads that take one item after another; what they make comes out in the items' order."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

from belamy.cli.groups import collect_messages

__all__ = ["Outcome", "work_in_order"]

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Outcome(Generic[Made]):
    """What has become of an item.

    Args:
        made: None where an error came.
        error: what came instead.
        said: the warnings on the way.
    """

    made: Made | None
    error: BaseException | None
    said: Sequence[str]


def work_in_order(
    items: Sequence[Item], work: Callable[[Item], Made], workers: int
) -> Generator[Outcome[Made], None, None]:
    """The outcome of each item, in their order, computed on so many threads.

    When it is closed, or Ctrl-C comes, what is at work is interrupted as by Ctrl-C, after the layer
    that it is at.
    """
    queue = _Queue(items, work)
    threads = [
        threading.Thread(target=copy_context().run, args=(queue.empty,))
        for _ in range(min(workers, len(items)))
    ]
    try:
        for thread in threads:
            thread.start()
        for index in range(len(items)):
            yield queue.wait_for(index)
    finally:
        queue.stop()
        for thread in threads:
            _interrupt(thread)
        for thread in threads:
            if thread.ident is not None:
                thread.join()


def _interrupt(thread: threading.Thread) -> None:
    """Raise KeyboardInterrupt in a thread that is at work, when it comes to its next statement."""
    if thread.is_alive():
        exception = ctypes.py_object(KeyboardInterrupt)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), exception)


class _Queue(Generic[Item, Made]):
    """The items that are left, and the outcomes that nobody has taken yet."""

    def __init__(self, items: Sequence[Item], work: Callable[[Item], Made]) -> None:
        self._left: Iterator[tuple[int, Item]] = iter(enumerate(items))
        self._work = work
        self._outcomes: dict[int, Outcome[Made]] = {}
        self._changed = threading.Condition()

    def stop(self) -> None:
        """Let nobody begin anything more."""
        with self._changed:
            self._left = iter(())

    def empty(self) -> None:
        """Take one item after another."""
        with suppress(KeyboardInterrupt):
            while True:
                with self._changed:
                    index, item = next(self._left, (-1, None))
                if index < 0:
                    return
                outcome = self._try(item)  # type: ignore[arg-type]
                with self._changed:
                    self._outcomes[index] = outcome
                    self._changed.notify_all()

    def _try(self, item: Item) -> Outcome[Made]:
        with collect_messages() as said:
            try:
                return Outcome(self._work(item), None, said)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # it is raised where the outcome is read
                return Outcome(None, error, said)

    def wait_for(self, index: int) -> Outcome[Made]:
        with self._changed:
            while index not in self._outcomes:
                self._changed.wait()
            return self._outcomes.pop(index)
