"""Losses, measures and samples written for TensorBoard, where it is installed."""

from __future__ import annotations

import importlib.util
from contextlib import ExitStack
from typing import Any

from belamy.pixels.images import load_image
from belamy.training.run import Observer
from belamy.training.run_folder import Run
from belamy.training.trainer import TrainingProgress

__all__ = ["open_board"]

FOLDER = "tensorboard"  # in the run's


def open_board(run: Run, held: ExitStack) -> Observer | None:
    """What writes losses and measures, and the samples, where any were drawn.

    A run that was resumed reads like an unbroken one: what was told of steps that are taken again
    is struck out.

    Args:
        run: whose folder gets another, `tensorboard`.
        held: closes the files at its end.

    Returns:
        None, where TensorBoard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    opened: list[Any] = []

    def write(progress: TrainingProgress) -> None:
        if not opened:
            place = str(run.folder / FOLDER)
            opened.append(SummaryWriter(place, purge_step=progress.step + 1))
            held.callback(opened[0].close)
        for name, value in {**progress.losses, **progress.measures}.items():
            opened[0].add_scalar(name, value, progress.step)
        samples = run.samples / f"step-{progress.step:07d}.png"
        if progress.losses and samples.is_file():
            opened[0].add_image("samples", load_image(samples)[0].numpy(), progress.step)

    return write
