"""What TensorBoard is told of a GAN's training, where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from belamy.pixels.images import load_image
from belamy.training.runs import Run
from belamy.training.trainer import Tick

__all__ = ["open_board"]

FOLDER = "tensorboard"  # in the run's


def open_board(run: Run, held: ExitStack) -> Callable[[Tick], None] | None:
    """What writes a tick's losses and measures, and the samples, if any were drawn at it.

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

    def write(tick: Tick) -> None:
        if not opened:
            place = str(run.folder / FOLDER)
            opened.append(SummaryWriter(place, purge_step=tick.step + 1))
            held.callback(opened[0].close)
        for name, value in {**tick.losses, **tick.measures}.items():
            opened[0].add_scalar(name, value, tick.step)
        drawn = run.samples / f"step-{tick.step:07d}.png"
        if tick.losses and drawn.is_file():
            opened[0].add_image("samples", load_image(drawn)[0].numpy(), tick.step)

    return write
