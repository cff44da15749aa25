"""Jobs on several threads: what is said of each comes in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar

import typer

from belamy.cli.failures import plain_failures
from belamy.cli.groups import remark
from belamy.cli.heartbeat import Clock, beating
from belamy.cli.many.cores import MemoryBudget
from belamy.cli.many.in_order import work_in_order
from belamy.errors import BelamyError

__all__ = ["count_pixels", "do_together"]

Item = TypeVar("Item")
Made = TypeVar("Made")

# What a picture takes while it is worked on, by eye on defog and style; a clear upper bound.
_BYTES_PER_PIXEL, _BYTES = 160, 128 << 20


def do_together(
    items: Sequence[Item],
    work: Callable[[Item], Made],
    workers: int,
    doing: str,
    pixels: Callable[[Item], int] = lambda item: 0,
) -> Generator[tuple[Item, Made | BelamyError], None, None]:
    """Each item with what was made of it, or why nothing was, in their order.

    While they are worked on, now and then a line on standard error says how far it is. It is to be
    closed, lest the work go on when its reader has stopped.

    Args:
        pixels: of an item; so many are at work at a time as the free memory holds.

    Raises:
        BaseException: what is no BelamyError, where its item's turn comes.
    """
    import torch

    from belamy.pixels.tiles import MEMORY_FRACTION, available_memory

    budget = MemoryBudget(MEMORY_FRACTION * available_memory(torch.device("cpu")))
    count, done = len(items), 0

    def work_within(item: Item) -> Made:
        with plain_failures(), budget.take(_BYTES + _BYTES_PER_PIXEL * pixels(item)):
            return work(item)

    clock = Clock(time.monotonic())
    clock.progress = lambda: (
        done / count,
        f"picture {done} of {count}" if done else "at the first",
    )
    outcomes = work_in_order(items, work_within, workers)
    with beating(doing, clock, lambda line: typer.echo(f"belamy: {line}", err=True)):
        try:
            for item, outcome in zip(items, outcomes, strict=True):
                for line in outcome.said:
                    remark(line)
                if outcome.error is not None and not isinstance(outcome.error, BelamyError):
                    raise outcome.error
                done += 1
                yield item, outcome.error or outcome.made  # type: ignore[misc]
        finally:
            outcomes.close()


def count_pixels(path: Path) -> int:
    """Of a picture, by its header; 0 where it is in a zip, or cannot be read."""
    from belamy.pixels.decode import open_picture

    try:
        with open_picture(path) as picture:
            return int(picture.width * picture.height)
    except BelamyError:  # who reads its pixels says why
        return 0
