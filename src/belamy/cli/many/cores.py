"""How many pictures are worked on at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from belamy.cli.inputs import holds_many

__all__ = ["MemoryBudget", "share_cores"]

_PATIENCE = 0.2  # seconds after which who waits looks whether the work is stopped


@contextmanager
def share_cores(images: Sequence[Path], device: str) -> Iterator[int]:
    """Inside, each of several pictures is computed on a thread of its own.

    Two threads for one picture wait for each other at every layer; one thread for each of two
    pictures never waits. To be entered before a network is loaded, since other programs ask for
    their threads then.

    Args:
        images: what the command is given.
        device: where it computes; only a processor has cores to share.

    Yields:
        how many pictures are worked on at a time: as many as torch would take threads, which
        `OMP_NUM_THREADS` sets.
    """
    if len(images) < 2 and not any(map(holds_many, images)):
        yield 1
        return
    import torch

    from belamy.devices import choose_device, computing_on

    workers = torch.get_num_threads() if choose_device(device).type == "cpu" else 1
    if workers < 2:
        yield 1
        return
    with computing_on(1):
        yield workers


class MemoryBudget:
    """Memory that pictures at work share.

    Args:
        size: how much there is of it. What needs more has it alone.
    """

    def __init__(self, size: float) -> None:
        self._size, self._taken = size, 0.0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, amount: float) -> Iterator[None]:
        """Wait until there is room, and have it inside."""
        with self._changed:
            while self._taken and self._taken + amount > self._size:
                self._changed.wait(_PATIENCE)
            self._taken += amount
        try:
            yield
        finally:
            with self._changed:
                self._taken -= amount
                self._changed.notify_all()
