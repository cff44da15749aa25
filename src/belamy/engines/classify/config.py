"""How a classifier is trained: every option, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from belamy.checks import Between, check_number, check_options, require

__all__ = ["SIDES", "ClassifyConfig"]

SIDES = Between(8, 1024, "pixels")
"""Sides of pictures that classifiers are trained on, and measured on."""

_EPOCHS = Between(0, 10_000, above=True)

Stages = tuple[tuple[int, float], ...]  # (size in pixels, epochs)


@dataclass(frozen=True)
class ClassifyConfig:
    """How a classifier is trained.

    Args:
        data: folder or zip laid out as train/CLASS/PICTURE and test/CLASS/PICTURE (or val/).
        network: the architecture, when it starts from nothing.
        start: a network to start from (a name or a file), whose last layer is replaced when the
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
        ema: decay per step of the exponential moving average of the weights, which is what is
            kept.
        seed: of the first weights, the order, the crops and the attacks.

    Raises:
        OptionError: a value out of its range, or options that exclude each other.
    """

    data: str
    network: str = "iris"
    start: str | None = None
    freeze: str | None = None
    stages: Stages = ()
    keep: Annotated[int | None, Between(8, 2048, "pixels")] = None
    batch: Annotated[int | None, Between(2)] = None
    learning_rate: Annotated[float | None, Between(0, above=True)] = None
    weight_decay: Annotated[float, Between(0)] = 5e-4
    label_smoothing: Annotated[float, Between(0, 1, below=True)] = 0.1
    crop: Annotated[float, Between(0, 1, above=True)] = 0.25
    adversarial: Annotated[float, Between(0, 32)] = 0.0
    ema: Annotated[float, Between(0, 1, below=True)] = 0.998
    seed: int = 0

    def __post_init__(self) -> None:
        self._fill_in()
        for size, epochs in self.stages:
            check_number("stage size", size, SIDES)
            check_number("stage epochs", epochs, _EPOCHS)
        check_options(self)
        freezes = self.freeze is None or self.start is not None
        require(freezes, "freeze", self.freeze, "left out, or given with a network to start from")
        own = self.start is None or self.network == ClassifyConfig.network
        require(own, "network", self.network, "left out: the network to start from says which")

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
    def kept_side(self) -> int:
        """`keep`, filled in."""
        assert self.keep is not None
        return self.keep

    @property
    def batch_size(self) -> int:
        """`batch`, filled in."""
        assert self.batch is not None
        return self.batch

    @property
    def peak_learning_rate(self) -> float:
        """`learning_rate`, filled in."""
        assert self.learning_rate is not None
        return self.learning_rate


_FROM_NOTHING = (((32, 10.0), (48, 6.0), (64, 4.0)), 128, 0.2)  # stages, batch, learning rate
_FROM_TRAINED = (((64, 8.0),), 64, 0.007)
