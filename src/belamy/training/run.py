"""The frame of every training: device, data, run folder, task, loop, saving."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from accelerate import Accelerator

from belamy.pixels.display.notebook import interrupted_in_a_line
from belamy.training.processes import choose_accelerator
from belamy.training.run_folder import Run, open_run
from belamy.training.task import TrainingTask
from belamy.training.trainer import Intervals, Trained, TrainingProgress, choose_intervals, train

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Observer", "Training", "observe_nothing", "run_training"]

Config = TypeVar("Config", bound="DataclassInstance")
Data = TypeVar("Data")
Observer = Callable[[TrainingProgress], None]


def observe_nothing(run: Run, held: ExitStack) -> Observer | None:
    """The observer of trainings that have none."""
    return None


@dataclass(frozen=True)
class Training(Generic[Config, Data]):
    """What one kind of training does in its own way.

    Args:
        run_type: of its runs, in their `config.json`.
        load_data: reads pictures, and networks that are not trained. The first process does so
            before the others: it decodes, they find what is decoded.
        make_task: what the loop runs, made of the data.
        save: writes the trained networks into the run folder; only the first process does so.
        choose_intervals: how often it reports, evaluates and saves, by the number of its steps.
        open_observer: what else takes note of the progress, in the first process, until the stack
            is closed; None for nothing.
    """

    run_type: str
    load_data: Callable[[Config, Accelerator], Data]
    make_task: Callable[[Config, Data, Run, Accelerator], TrainingTask]
    save: Callable[[Config, Data, Run, Trained], None]
    choose_intervals: Callable[[int], Intervals] = choose_intervals
    open_observer: Callable[[Run, ExitStack], Observer | None] = observe_nothing


def run_training(
    training: Training[Config, Data],
    config: Config,
    folder: Path,
    device: str,
    *,
    precision: str = "auto",
) -> Iterator[TrainingProgress]:
    """Train in a run folder, from its last checkpoint or from the start, and save what was trained.

    Args:
        training: which.
        config: how; it is written into a new folder, and must be what stands in one that is there.
        folder: of the run.
        device: auto, cpu, cuda or mps.
        precision: what convolutions are computed in, which the device must know.

    Raises:
        OptionError: there is no such device, or it does not compute in `precision`.
        RunError: the folder holds something else, or another configuration.
        Diverged, KeyboardInterrupt: see `train`.
    """
    accelerator = choose_accelerator(device, precision)
    with accelerator.main_process_first():
        data = training.load_data(config, accelerator)
        run = open_run(folder, training.run_type, config)
    task = training.make_task(config, data, run, accelerator)
    with ExitStack() as held:
        observer = training.open_observer(run, held) if accelerator.is_main_process else None
        progress = train(task, run, accelerator, training.choose_intervals(task.total_steps))
        held.enter_context(
            interrupted_in_a_line(lambda: f"Stopped; the run in {folder} can be resumed.")
        )
        trained = yield from _observe(progress, observer)
    if accelerator.is_main_process:
        training.save(config, data, run, trained)
    accelerator.wait_for_everyone()


def _observe(
    progress: Generator[TrainingProgress, None, Trained], observer: Observer | None
) -> Generator[TrainingProgress, None, Trained]:
    """The same news, of which an observer hears first."""
    with closing(progress):
        while True:
            try:
                news = next(progress)
            except StopIteration as end:
                trained: Trained = end.value
                return trained
            if observer is not None:
                observer(news)
            yield news
