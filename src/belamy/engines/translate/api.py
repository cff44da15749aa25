"""Image-to-image translation: every picture of one domain becomes one of the other.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.checks import Between, check_number
from belamy.engines.translate.config import TranslateConfig
from belamy.engines.translate.options import Direction, TranslateOptions
from belamy.pixels.display.tables import Measures
from belamy.steps import Step, run_to_end, with_options

if TYPE_CHECKING:
    from belamy.training.trainer import TrainingProgress

__all__ = [
    "TranslateConfig",
    "TranslateOptions",
    "evaluate_translation",
    "train_translation",
    "translate",
    "translate_steps",
]


@with_options(TranslateOptions)
def translate_steps(options: TranslateOptions) -> Iterator[Step]:
    """Translate a picture from one domain into another.

    For many pictures, `belamy.Translator` loads the network once.

    Yields:
        one `Step`, with the translation.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network is not here, damaged, or has not learned this direction.
        OptionError: a value out of its range.
        MissingExtra: the runtime is not installed.

    Source: Zhu, Park, Isola and Efros 2017, "Unpaired image-to-image translation using
    cycle-consistent adversarial networks". **Differs** on large pictures, see
    `belamy.engines.faststyle.api.apply_style_steps`.
    """
    from belamy.engines.translate.render import Translator

    yield from Translator(options).steps()


translate = run_to_end(translate_steps)


def train_translation(
    config: TranslateConfig, folder: str | os.PathLike[str], *, device: str = "auto"
) -> Iterator[TrainingProgress]:
    """Learn to translate between two domains, in a run folder, from where it stopped.

    At the end the folder holds `network.safetensors`, at half precision, for `translate`; on the
    way `samples/` shows what it has learned, and ticks say where it goes wrong.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `TrainingProgress` that says what will be done; then reports with the losses.

    Raises:
        DataError: a domain has no pictures, or pairs do not match.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.translate.train import train

    yield from train(config, Path(folder), device)


def evaluate_translation(
    network: str,
    a: str,
    b: str,
    *,
    direction: Direction = "a-to-b",
    model: str = "iris",
    size: int = 128,
    pairs: bool = False,
    device: str = "auto",
) -> Measures[float | str]:
    """Measure how well pictures of one domain become those of the other.

    Args:
        network: a file that `belamy translate train` made.
        a: folder or zip of pictures of domain A.
        b: the same of domain B.
        direction: which is translated into which.
        model: the network on whose features the distances are measured, `belamy models list`;
            numbers on different ones cannot be compared.
        size: side in pixels of the squares that are translated and compared.
        pairs: pictures of the same name in A and B belong together: compare them by PSNR and SSIM.
        device: auto, cpu, cuda or mps.

    Returns:
        `fid` (where there are enough pictures for it) and `kid` to the true pictures; `kid_before`,
        of the pictures as they were; `features`, what they were measured on; `change`, the mean
        difference to the input; `cycle`, the error of the way there and back, where both
        directions are known; `psnr` and `ssim` of pairs; `remarks`, where something is plainly
        wrong: light or colours turned into their opposites, all pictures alike, nothing changed.

    Raises:
        DataError: a domain has too few pictures, or pairs do not match.
        OptionError: `size` is out of range.
        WeightsError: a network is not here, or has not learned this direction.
    """
    check_number("size", size, Between(16, 1024, "pixels"))
    from belamy.engines.translate.evaluate import measure

    return measure(network, a, b, direction, model, size, pairs, device)
