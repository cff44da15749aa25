"""GANs: a generator and a discriminator who learn from each other, from a folder of pictures.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.engines.gan.config import GanConfig
from belamy.engines.gan.options import EvaluateOptions
from belamy.steps import Step, run_to_end, with_options

if TYPE_CHECKING:
    from belamy.training.trainer import TrainingProgress

__all__ = [
    "GanConfig",
    "export_gan",
    "gan_evaluate",
    "gan_evaluate_steps",
    "plan_gan",
    "train_gan",
]


def train_gan(
    config: GanConfig, folder: str | os.PathLike[str], *, device: str = "auto"
) -> Iterator[TrainingProgress]:
    """Train a generator of pictures in a run folder, from where it stopped.

    On the way `samples/` shows what the same latents have become. At the end the folder holds
    `network.safetensors`, the averaged generator at half precision; `network-training.safetensors`
    with the discriminator, to start another training from; and `progress.gif`.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `TrainingProgress` that says what will be done, what was found in the data, and on the
        way what goes wrong: collapse, copying, a discriminator that has won.

    Raises:
        DataError: too few pictures, or labels of one kind.
        OptionError: the architecture has no such size, or the device no such numbers.
        WeightsError: the network to start from is missing, damaged, or of another shape.
        RunError: the folder holds something else, or another configuration.
        Diverged: a loss is no longer a number, again after going back to the last checkpoint.
    """
    from belamy.engines.gan.train import train

    yield from train(config, Path(folder), device)


def plan_gan(config: GanConfig, *, device: str = "auto") -> dict[str, str]:
    """What a training would do, found out by two of its steps: a dry run.

    Args:
        config: what to train.
        device: auto, cpu, cuda or mps.

    Returns:
        the configuration with every default filled in, both networks' weights and multiply-adds,
        what was found in the data, and the time and memory that it would take; in words.

    Raises:
        DataError: too few pictures, or labels of one kind.
        OptionError: the architecture has no such size, or the device no such numbers.
        WeightsError: the network to start from is missing, damaged, or of another shape.
    """
    from belamy.engines.gan.dry_run import dry_run

    return dry_run(config, device)


def export_gan(run: str | os.PathLike[str], output: str | os.PathLike[str] | None = None) -> Path:
    """Write the generator as it is at the last checkpoint of a run that has not ended.

    Args:
        run: the run folder.
        output: a `.safetensors` file; None for `network.safetensors` in the run.

    Returns:
        the file that was written.

    Raises:
        RunError: it is no run of a GAN, or has saved no checkpoint yet.
    """
    from belamy.engines.gan.train import export

    return export(Path(run), None if output is None else Path(output))


@with_options(EvaluateOptions)
def gan_evaluate_steps(options: EvaluateOptions) -> Iterator[Step]:
    """Measure a painter against real pictures; show the nearest real one beside each of some.

    `fid` (Fréchet distance) and `kid` (kernel distance × 1000): smaller is better, 0 is the same.
    `precision`: which part of its pictures looks real; `recall`: which part of the real ones it
    could have painted; both 0 to 1. `nearest`: how far its pictures are from the nearest real one,
    over how far real ones are from each other: near 1 is right, near 0 is copying.

    Yields:
        a `Step` for each few pictures; the last has the sheet, and the measures for its losses.

    Raises:
        DataError: there are too few pictures for any of this to mean something.
        UnknownName: no such painter or model.
        WeightsError: the painter or the model is not here, damaged, or of another kind.
        OptionError: a value out of its range.

    Source: see `belamy.training.distribution_metrics`.
    """
    from belamy.engines.gan.metrics import evaluate

    yield from evaluate(options)


gan_evaluate = run_to_end(gan_evaluate_steps)
