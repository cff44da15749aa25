"""Style in one pass: a network that has learned one style repaints a picture.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.engines.faststyle.config import StyleTrainConfig
from belamy.engines.faststyle.options import ApplyStyleOptions
from belamy.steps import Step, run_to_end, with_options

if TYPE_CHECKING:
    from belamy.training.trainer import TrainingProgress

__all__ = [
    "ApplyStyleOptions",
    "StyleTrainConfig",
    "apply_style",
    "apply_style_steps",
    "train_style",
]


@with_options(ApplyStyleOptions)
def apply_style_steps(options: ApplyStyleOptions) -> Iterator[Step]:
    """Repaint a picture with a network that has learned one style.

    For many pictures, `belamy.StyleApplier` loads the network once.

    Yields:
        one `Step`, with the painting.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network is not here, damaged, or has a part that is unknown.
        OptionError: a value out of its range.
        MissingExtra: the runtime is not installed.

    Source: Johnson, Alahi and Fei-Fei 2016. **Differs** on large pictures: the statistics of the
    instance norms are taken from samples of the whole picture, and then held while its tiles are
    painted, so that tiles fit together without a seam or a change of colour.
    """
    from belamy.engines.faststyle.apply import StyleApplier

    yield from StyleApplier(options).steps()


apply_style = run_to_end(apply_style_steps)


def train_style(
    config: StyleTrainConfig, folder: str | os.PathLike[str], *, device: str = "auto"
) -> Iterator[TrainingProgress]:
    """Train a network that paints in one style, in a run folder, from where it stopped.

    At the end the folder holds `network.safetensors`, at half precision, for `apply_style`; on the
    way `samples/` shows what it has learned.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `TrainingProgress` that says what will be done; then reports with the losses.

    Raises:
        ImageError: the painting cannot be read.
        DataError: there are no photographs to practise on.
        WeightsError: the model's weights are not here.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.faststyle.train import train

    yield from train(config, Path(folder), device)
