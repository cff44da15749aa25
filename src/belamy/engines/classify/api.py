"""What is in a picture: asking a network, and training one to know.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.pixels.images import Source
    from belamy.training.trainer import Tick


__all__ = [
    "ClassifyConfig",
    "Guess",
    "classify",
    "evaluate_classifier",
    "guesser",
    "train_classifier",
]


@dataclass(frozen=True)
class Guess:
    """One answer of a network: a class and how probable it holds it, in [0, 1]."""

    name: str
    probability: float
    index: int


@dataclass(frozen=True)
class ClassifyConfig:
    """How a classifier is trained.

    Args:
        data: folder or zip laid out as train/CLASS/PICTURE and test/CLASS/PICTURE (or val/).
        network: the architecture, when it starts from nothing.
        start: a network to start from (a name or a file), whose last level is replaced when the
            classes are others; None starts from random weights.
        freeze: the last stage (`belamy models show NAME`) that keeps the weights it started with;
            None trains all of them.
        stages: (picture size in pixels, epochs) one after another: small pictures first, since a
            step on them is cheap. None given: 32:10,48:6,64:4 from random weights, which suit the
            64 px pictures of Tiny ImageNet; 64:8 from trained ones.
        keep: side in pixels at which the pictures are kept, out of which crops are cut; None given:
            the largest of the stages. Where the files are larger, half as much again keeps the
            crops sharp.
        batch: pictures a step, in each process; 128 from random weights, 64 from trained ones,
            where more steps do more.
        learning_rate: the top of its one cycle, for the batch as a whole; 0.2 from random weights,
            0.007 from trained ones, which 0.02 shakes out of what they know.
        weight_decay: of the weights, not of biases and norms.
        label_smoothing: part of the certainty that is spread over all classes.
        crop: the least part of a picture's area that a random crop covers; low, so that things
            are known at every size, since dreams are large.
        adversarial: each step is taken on pictures moved by at most this much (of 255) to where
            the network errs; 0 is plain training. 1 or 2 gives features nearer to ours.
        average: decay per step of the moving average of the weights, which is what is kept.
        seed: of the first weights, the order, the crops and the attacks.
    """

    data: str
    network: str = "iris"
    start: str | None = None
    freeze: str | None = None
    stages: tuple[tuple[int, float], ...] = ()
    keep: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    crop: float = 0.25
    adversarial: float = 0.0
    average: float = 0.998
    seed: int = 0

    def __post_init__(self) -> None:
        self._fill_in()
        for size, epochs in self.stages:
            _require(8 <= size <= 1024, "stage size", size, "8 to 1024 pixels")
            _require(0 < epochs <= 10_000, "stage epochs", epochs, "more than 0, at most 10000")
        _require(8 <= self.kept <= 2048, "keep", self.keep, "8 to 2048 pixels")
        freezes = self.freeze is None or self.start is not None
        _require(freezes, "freeze", self.freeze, "left out, or given with a network to start from")
        own = self.start is None or self.network == ClassifyConfig.network
        _require(own, "network", self.network, "left out: the network to start from says which")
        _require(self.per_step >= 2, "batch", self.batch, "at least 2")
        _require(0 < self.peak < math.inf, "learning rate", self.learning_rate, "more than 0")
        _require(self.weight_decay >= 0, "weight decay", self.weight_decay, "0 or more")
        _require(0 <= self.label_smoothing < 1, "label smoothing", self.label_smoothing, "0 to 1")
        _require(0 < self.crop <= 1, "crop", self.crop, "more than 0, at most 1")
        _require(0 <= self.adversarial <= 32, "adversarial", self.adversarial, "0 to 32 (of 255)")
        _require(0 <= self.average < 1, "average", self.average, "0 up to 1, not 1 itself")

    def _fill_in(self) -> None:
        """What was left open, so that a run folder says all that was done; lists out of JSON."""
        stages, batch, learning_rate = _FROM_NOTHING if self.start is None else _FROM_TRAINED
        given = tuple((int(size), float(epochs)) for size, epochs in self.stages)
        object.__setattr__(self, "stages", given or stages)
        if self.keep is None:
            object.__setattr__(self, "keep", max(size for size, _ in self.stages))
        if self.batch is None:
            object.__setattr__(self, "batch", batch)
        if self.learning_rate is None:
            object.__setattr__(self, "learning_rate", learning_rate)

    @property
    def kept(self) -> int:
        """`keep`, filled in."""
        assert self.keep is not None
        return self.keep

    @property
    def per_step(self) -> int:
        """`batch`, filled in."""
        assert self.batch is not None
        return self.batch

    @property
    def peak(self) -> float:
        """`learning_rate`, filled in."""
        assert self.learning_rate is not None
        return self.learning_rate


_FROM_NOTHING = (((32, 10.0), (48, 6.0), (64, 4.0)), 128, 0.2)  # stages, batch, learning rate
_FROM_TRAINED = (((64, 8.0),), 64, 0.007)


def _require(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise OptionError(f"{name} is {value!r}; it must be {wanted}")


def classify(
    image: Source, *, model: str = "iris", top: int = 5, device: str = "auto"
) -> list[Guess]:
    """What a network sees in a picture: its best guesses, the likeliest first.

    The picture is brought to the size that the network was trained for, and its middle square is
    looked at. For many pictures `guesser` loads the network once.

    Args:
        image: a file, PIL image, array (H, W, 3) or tensor (1, 3, H, W); any size.
        model: a network's name (`belamy models list`) or weights file; it must have classes.
        top: how many guesses; five, as ImageNet's top-5 error counts.
        device: auto, cpu, cuda or mps.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network's weights are not here, or it has no classes.
        OptionError: `top` is below one.
    """
    return guesser(model, top=top, device=device)(image)


def guesser(
    model: str = "iris", *, top: int = 5, device: str = "auto"
) -> Callable[[Source], list[Guess]]:
    """A function that says what a network sees in a picture, as `classify` does.

    Args:
        model: as in `classify`.
        top: as in `classify`.
        device: as in `classify`.

    Raises:
        WeightsError: the network's weights are not here, or it has no classes.
        OptionError: `top` is below one.
    """
    _require(top >= 1, "top", top, "at least 1")
    from belamy.engines.classify import predict

    network = predict.classifier(model, device)
    return functools.partial(predict.guesses, network, top)


def evaluate_classifier(
    data: str, *, model: str = "iris", size: int | None = None, device: str = "auto"
) -> dict[str, float]:
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
        _require(8 <= size <= 1024, "size", size, "8 to 1024 pixels")
    from belamy.engines.classify import predict

    return predict.measured(data, model, size, device)


def train_classifier(
    config: ClassifyConfig, folder: Path, *, device: str = "auto"
) -> Iterator[Tick]:
    """Train a classifier in a run folder, from its start or from where it stopped.

    At the end the folder holds `network.safetensors` (half precision, to be used) and
    `network-training.safetensors` (to be trained further with `start`).

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Tick` that says what will be done; then ticks with loss and accuracy.

    Raises:
        DataError: the data set cannot be used.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.classify import train

    yield from train.training(config, folder, device)
