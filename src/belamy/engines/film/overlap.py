"""Reading, computing and writing on threads of their own, at the same time; the order stays."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import TypeVar

import torch

from belamy.pixels.tiles import MEMORY_FRACTION, available_memory

__all__ = ["Background", "choose_threads", "choose_workers", "read_ahead", "work_ahead"]

Item = TypeVar("Item")
Made = TypeVar("Made")

_AHEAD = 2  # things that wait: enough for both sides to be at work, and few to be held
_WAITING = 1  # things besides those that are worked on, for whoever is ready first

# Frames that are painted at a time: with more the one thread that joins them is behind.
_MOST = 8
# What one of them takes meanwhile, an upper bound by eye: see `_BYTES_PER_FLOAT` of feedforward.
_BYTES_PER_PIXEL, _BYTES = 1024, 128 << 20


def choose_threads(size: tuple[int, int]) -> int:
    """Threads for each frame of (height, width), where several share those that torch takes now.

    Two threads for one frame wait for each other at every layer; one for each of two never waits.
    """
    cores = torch.get_num_threads()
    return cores // min(cores, _fitting(size))


def choose_workers(size: tuple[int, int]) -> int:
    """Frames of (height, width) that are painted at a time, on as many threads each as torch takes
    now."""
    return max(1, min(_count_cores() // torch.get_num_threads(), _fitting(size)))


def _fitting(size: tuple[int, int]) -> int:
    """Frames that the free memory holds at work, at most `_MOST`, at least one."""
    free = MEMORY_FRACTION * available_memory(torch.device("cpu"))
    return max(1, min(_MOST, int(free / (_BYTES + _BYTES_PER_PIXEL * size[0] * size[1]))))


def _count_cores() -> int:
    """Those that this process may take: as `OMP_NUM_THREADS` says, or all that it may run on."""
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if given.isdecimal() and int(given) > 0:
        return int(given)
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1


def read_ahead(items: Iterator[Item], most: int = _AHEAD) -> Generator[Item, None, None]:
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


def work_ahead(
    items: Iterator[Item], work: Callable[[Item], Made], workers: int = 1
) -> Generator[Made, None, None]:
    """What is made of each thing, in their order: one thread fetches them, others work.

    Args:
        items: as few are fetched and worked on before they are due as keep all threads busy.
        work: called on one of the threads.
        workers: how many things are worked on at a time.
    """
    coming: deque[tuple[Future[tuple[Item, ...]], Future[tuple[Made, ...]]]] = deque()
    with ThreadPoolExecutor(1) as source, ThreadPoolExecutor(workers) as threads:

        def begin() -> None:
            taken = source.submit(_take, items)
            coming.append((taken, threads.submit(lambda: tuple(map(work, taken.result())))))

        try:
            for _ in range(workers + _WAITING):
                begin()
            while found := coming[0][1].result():
                coming.popleft()
                begin()
                yield found[0]
        finally:
            for pair in coming:
                for one in pair:
                    one.cancel()
            source.submit(_close, items)


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
