"""Style in one pass, any style: a network that was shown many paintings paints like one more.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.engines.anystyle.config import AnyStyleConfig
from belamy.engines.anystyle.options import AnyStyleOptions
from belamy.steps import Step, run_to_end, with_options

if TYPE_CHECKING:
    from belamy.training.trainer import TrainingProgress

__all__ = ["AnyStyleConfig", "AnyStyleOptions", "any_style", "any_style_steps", "train_any_style"]


@with_options(AnyStyleOptions)
def any_style_steps(options: AnyStyleOptions) -> Iterator[Step]:
    """Paint one picture in the manner of others in one pass, in about a second.

    For many pictures, `belamy.AnyStylist` loads the networks once.

    Yields:
        one `Step`, with the painting.

    Raises:
        ImageError: a picture cannot be read.
        OptionError: a value out of its range, or options that exclude each other.
        UnknownName: no such network or way to keep colours.
        WeightsError: the network, or the one whose features it reads, is not here or damaged.

    Source: Huang & Belongie 2017, "Arbitrary style transfer in real-time with adaptive instance
    normalization". **Differs**: see `belamy.networks.image_to_image.arbitrary_style`; what was
    drawn gets the strength of the style's colours, see `belamy.objectives.laplacian_color`; and on
    large pictures the statistics are those of the whole picture, added up over its tiles before any
    is painted.
    """
    from belamy.engines.anystyle.render import AnyStylist

    yield from AnyStylist(options).steps()


any_style = run_to_end(any_style_steps)


def train_any_style(
    config: AnyStyleConfig, folder: str | os.PathLike[str], *, device: str = "auto"
) -> Iterator[TrainingProgress]:
    """Train a network that paints in any style, in a run folder, from where it stopped.

    At the end the folder holds `network.safetensors`, at half precision, for `any_style`; on the
    way `samples/` shows what it has learned.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `TrainingProgress` that says what will be done; then reports with the losses.

    Raises:
        DataError: there are no paintings, or no photographs to practise on.
        OptionError: the model has not the layers that are read.
        WeightsError: the model's weights are not here.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.anystyle.train import train

    yield from train(config, Path(folder), device)
