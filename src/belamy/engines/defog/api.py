"""Single-image dehazing: what is seen is the scene, thinned, and the airlight; that is solved for.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.engines.defog.config import DefogAdaptConfig, DefogTrainConfig
from belamy.engines.defog.options import DefogOptions
from belamy.steps import Step, run_to_end, with_options

if TYPE_CHECKING:
    from belamy.engines.defog.evaluate import DefogMetrics
    from belamy.training.trainer import TrainingProgress

__all__ = [
    "DefogAdaptConfig",
    "DefogOptions",
    "DefogTrainConfig",
    "adapt_defog",
    "defog",
    "defog_steps",
    "evaluate_defog",
    "train_defog",
]


@with_options(DefogOptions)
def defog_steps(options: DefogOptions) -> Iterator[Step]:
    """Take the fog out of a picture: J = (I − A)/t + A.

    Where the fog is and what colour it has is estimated in a picture of at most 512 pixels; the
    transmission is then enlarged along the edges of the large one, of which every pixel is worked
    on, so that no detail is lost at any size. Where nothing of the scene came through, nothing can
    come back. For many pictures, `belamy.Defogger` loads the network once.

    Yields:
        a `Step` with the transmission as a picture (white is clear), then one with the result.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network is not here, damaged, or another one.
        OptionError: a value out of its range.

    Source: He, Sun and Tang 2009 (dcp); the network is trained on synthetic fog, at invented
    depths of photos and at the exact ones of rendered scenes.
    """
    from belamy.engines.defog.remove import Defogger

    yield from Defogger(options).steps()


defog = run_to_end(defog_steps)


def evaluate_defog(
    hazy: str, clear: str, *, network: str = "defog", device: str = "auto"
) -> DefogMetrics:
    """Measure against the truth, at full size and on 8 bits: hazy pictures as they are, what the
    dark channel prior makes of them, and what a network does.

    Args:
        hazy: folder or zip of hazy pictures, or one picture.
        clear: of the same scenes without haze. Names are the same but for words such as `hazy` and
            `GT`, or the hazy ones go on after an underscore (`0001_0.8_0.2` of `0001`). A clear
            picture may have an even border more, as in RESIDE's indoor set.
        network: as in `defog_steps`.
        device: auto, cpu, cuda or mps.

    Raises:
        DataError: no pictures, one without its partner, or two of different sizes.
        ImageError: a picture cannot be read.
        WeightsError: the network is not here, damaged, or another one.
    """
    from belamy.engines.defog.evaluate import measure

    return measure(hazy, clear, network, device)


def train_defog(
    config: DefogTrainConfig, folder: str | os.PathLike[str], *, device: str = "auto"
) -> Iterator[TrainingProgress]:
    """Train a network that estimates fog, in a run folder, from where it stopped.

    At the end the folder holds `network.safetensors`, at half precision; on the way `samples/`
    shows what it has learned.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `TrainingProgress` that says what will be done; then reports with the losses.

    Raises:
        DataError: there are no pictures to learn from.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.defog.train import train

    yield from train(config, Path(folder), device)


def adapt_defog(
    config: DefogAdaptConfig, folder: str | os.PathLike[str], *, device: str = "auto"
) -> Iterator[TrainingProgress]:
    """Train a network that estimates fog further, on real fog, in a run folder, from where it
    stopped.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there; at the end it holds `network.safetensors`.
        device: auto, cpu, cuda or mps.

    Yields:
        a `TrainingProgress` that says what will be done; then reports with the losses.

    Raises:
        DataError: there are no pictures to learn from.
        WeightsError: the network to start from is not here, damaged, or another one.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.defog.train import adapt

    yield from adapt(config, Path(folder), device)
