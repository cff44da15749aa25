"""Image classification: asking a network what it sees, and training one on your own classes.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.checks import check_number
from belamy.engines.classify.config import SIDES, ClassifyConfig
from belamy.engines.classify.options import ClassifyOptions, ExplainOptions, Guess, Guesses
from belamy.errors import OptionError
from belamy.pixels.display.tables import Measures
from belamy.steps import Step, run_to_end, with_options

if TYPE_CHECKING:
    from belamy.training.trainer import TrainingProgress

__all__ = [
    "ClassifyConfig",
    "ClassifyOptions",
    "ExplainOptions",
    "Guess",
    "Guesses",
    "classify",
    "evaluate_classifier",
    "explain",
    "explain_steps",
    "train_classifier",
]


@with_options(ClassifyOptions)
def classify(options: ClassifyOptions) -> Guesses:
    """What a network sees in a picture: its best guesses, the likeliest first.

    The picture is brought to the size that the network was trained for, and its middle square is
    looked at. For many pictures, `belamy.Classifier` loads the network once.

    Returns:
        a list of `Guess`, each with `name`, `probability` in [0, 1] and `index`.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network's weights are not here, or it has no classes.
        OptionError: a value out of its range, or no picture.
    """
    if options.image is None:
        raise OptionError("there is no image to classify; give one")
    from belamy.engines.classify.predict import Classifier

    return Classifier(options)(options.image)


@with_options(ExplainOptions)
def explain_steps(options: ExplainOptions) -> Iterator[Step]:
    """Where a network looks when it names a class: the picture beside a heat map, over a bar.

    Bright is what speaks for the class (Grad-CAM); the bar says how probable it is held. What lies
    outside of the middle square is not seen by a classifier, and stays dark. For the numbers, and
    for many pictures, there is `belamy.Explainer`.

    Yields:
        one `Step`, with the picture.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network's weights are not here, or it has no classes.
        UnknownName: it has no such class.
        OptionError: there is no picture.

    Source: Selvaraju et al. 2017, "Grad-CAM".
    """
    if options.image is None:
        raise OptionError("there is no image to explain; give one")
    from belamy.engines.classify.explain import Explainer

    yield from Explainer(options).steps(options.image)


explain = run_to_end(explain_steps)


def evaluate_classifier(
    data: str, *, model: str = "iris", size: int | None = None, device: str = "auto"
) -> Measures[float]:
    """How often a network is right on the test split of a data set.

    Args:
        data: folder or zip with test/CLASS/PICTURE (or val/); the classes are matched by name.
        model: a network's name (`belamy models list`) or weights file; it must have classes.
        size: side in pixels at which it looks at the pictures; None for its own.
        device: auto, cpu, cuda or mps.

    Returns:
        `accuracy` and `top5` (one of five guesses right) in per cent, and how many `pictures`.

    Raises:
        DataError: the data set cannot be used, or has classes that the network does not know.
        WeightsError: the network's weights are not here, or it has no classes.
        OptionError: `size` is out of range.
    """
    if size is not None:
        check_number("size", size, SIDES)
    from belamy.engines.classify.evaluate import evaluate

    return evaluate(data, model, size, device)


def train_classifier(
    config: ClassifyConfig, folder: str | os.PathLike[str], *, device: str = "auto"
) -> Iterator[TrainingProgress]:
    """Train a classifier in a run folder, from its start or from where it stopped.

    At the end the folder holds `network.safetensors` (half precision, to be used) and
    `network-training.safetensors` (to be trained further with `start`).

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `TrainingProgress` that says what will be done; then reports with loss and accuracy.

    Raises:
        DataError: the data set cannot be used.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.classify.train import train

    yield from train(config, Path(folder), device)
