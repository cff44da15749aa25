"""Watching a stream of work from a terminal.

Engines yield what they have made so far. Here it is run_to_end, with a bar on standard error where
that is a terminal. Ctrl-C ends the work but not the command, which still has to save what was made:

    step, stopped = show_steps(steps, "dreaming")
    save_step(step, output)
    if stopped:
        raise KeyboardInterrupt(f"what was made so far is in {output}")
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import typer

from belamy.cli.heartbeat import Clock, beating

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

    from belamy.networks.files.download import Progress as Received
    from belamy.steps import Step
    from belamy.training.trainer import TrainingProgress

__all__ = ["show_bytes", "show_steps", "show_training", "track_steps"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Mark:
    """How far the work is, in what a bar can draw."""

    done: float
    total: float | None
    numbers: str = ""
    note: str = ""
    fraction: float | None = None
    current: Callable[[], int] | None = None

    def progress(self) -> tuple[float, str]:
        """The fraction that is done by now, and words for it."""
        done = self.done if self.current is None else self.current()
        fraction = done / self.total if self.total else 0.0
        words = f"step {done:,.0f} of {self.total:,.0f}" if self.total and done else ""
        return (fraction if self.fraction is None else self.fraction), words


_Draw = Callable[[_Mark], None]


def show_steps(steps: Iterable[Step], description: str) -> tuple[Step, bool]:
    """Drain `steps`, drawing a bar with the time left and the losses.

    When piped it says the steps' notes and, of work that takes a while, how long it takes.

    Returns:
        the last step, and whether Ctrl-C stopped the work there.

    Raises:
        KeyboardInterrupt: Ctrl-C came before the first step.
    """
    with _bar(description, _counting, quiet=False) as draw:
        return _last(steps, lambda step: draw(_of_step(step)))


def track_steps(steps: Iterable[Step], description: str) -> Iterator[Step]:
    """The steps as they come, with the bar of `show_steps`: for those who need each of them."""
    with _bar(description, _counting, quiet=False) as draw:
        try:
            for step in steps:
                draw(_of_step(step))
                yield step
        finally:
            _close(steps)


def show_training(
    reports: Iterable[TrainingProgress], description: str
) -> tuple[TrainingProgress, bool]:
    """The same for a training, whose numbers are in its run folder's `log.jsonl` too.

    Raises:
        KeyboardInterrupt: Ctrl-C came before the first report.
    """
    with _bar(description, _counting, quiet=False) as draw:
        return _last(reports, lambda report: draw(_of_report(report)))


def show_bytes(download: Iterable[Received], description: str) -> None:
    """Drain a download, drawing a bar of bytes; silent when piped.

    Raises:
        KeyboardInterrupt: Ctrl-C; half a download is nothing to keep.
    """
    with _bar(description, _weighing) as draw:
        try:
            for received in download:
                draw(_Mark(received.received, received.total))
        finally:
            _close(download)


def _last(items: Iterable[Item], show: Callable[[Item], None]) -> tuple[Item, bool]:
    latest: list[Item] = []
    try:
        for item in items:
            latest = [item]
            show(item)
    except KeyboardInterrupt:
        if not latest:
            raise
        return latest[0], True
    finally:
        _close(items)
    assert latest, "an engine yields at least one step"
    return latest[0], False


def _close(items: Iterable[object]) -> None:
    """Let a generator put back what it borrowed (hooks, files) now, not when it is collected."""
    if isinstance(items, Generator):
        items.close()


def _of_step(step: Step) -> _Mark:
    numbers = _numbers(step.losses)
    return _Mark(step.index, step.total, numbers, step.note, fraction=step.fraction)


def _of_report(report: TrainingProgress) -> _Mark:
    numbers = _numbers({**report.losses, **report.measures})
    return _Mark(report.step, report.total_steps, numbers, report.note, current=report.current)


def _numbers(values: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items())


def _say_note(mark: _Mark) -> None:
    if mark.note:
        _tell(mark.note)


def _tell(line: str) -> None:
    """A remark on standard error; where that is full or closed the work goes on without it."""
    with suppress(OSError):
        typer.echo(f"belamy: {line}", err=True)


def _ignore(mark: _Mark) -> None:
    """What is drawn when nobody looks."""


@contextmanager
def _lines(description: str) -> Iterator[_Draw]:
    """Notes, and of work that takes a while how far it is, where there is no terminal."""
    clock = Clock(time.monotonic())
    current: list[Callable[[], int]] = []

    def draw(mark: _Mark) -> None:
        if mark.current is not None and mark.total:  # a training, which may go on
            current[:] = [mark.current]
            clock.began, clock.start = time.monotonic(), mark.done / mark.total
        mark = replace(mark, current=current[0]) if current else mark
        clock.progress = mark.progress
        if not current and not clock.first and mark.progress()[0] > 0:
            clock.begin_again()
        _say_note(mark)

    with beating(description, clock, _tell):
        yield draw


@contextmanager
def _bar(
    description: str, columns: Callable[[], list[ProgressColumn]], *, quiet: bool = True
) -> Iterator[_Draw]:
    """A bar on standard error; where that is no terminal lines, or nothing."""
    if not sys.stderr.isatty():
        with nullcontext(_ignore) if quiet else _lines(description) as draw:
            yield draw
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(*columns(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=None, numbers="", count="")

        def draw(mark: _Mark) -> None:
            done = mark.done
            if mark.fraction is not None and mark.total:  # steps that differ in what they cost
                done = mark.fraction * mark.total
            count = f"{mark.done:.0f}/{mark.total:.0f}" if mark.total else ""
            progress.update(
                task, completed=done, total=mark.total, numbers=mark.numbers, count=count
            )
            if mark.note:  # above the bar, which rich draws again below it
                progress.console.print(mark.note, markup=False, highlight=False)

        yield draw


def _counting() -> list[ProgressColumn]:
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    count = TextColumn("{task.fields[count]}", style="progress.download", markup=False)
    numbers = TextColumn("{task.fields[numbers]}", style="dim", markup=False)
    return [*_title(), BarColumn(), count, TimeRemainingColumn(), numbers]


def _weighing() -> list[ProgressColumn]:
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

    return [*_title(), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()]


def _title() -> list[ProgressColumn]:
    from rich.progress import TextColumn

    return [TextColumn("{task.description}", markup=False)]
