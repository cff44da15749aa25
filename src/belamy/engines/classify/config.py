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
class _Defaults:
    """What is taken where nothing is given."""

    stages: Stages
    batch: int
    learning_rate: float | None
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1


_FROM_NOTHING = _Defaults(((32, 10.0), (48, 6.0), (64, 4.0)), 128, 0.2)
_FROM_TRAINED = _Defaults(((64, 8.0),), 64, 0.007)
_HEAD_ALONE = _Defaults(((224, 1.0),), 64, None, 0.02, 0.0)


@dataclass(frozen=True)
class ClassifyConfig:
    """How a classifier is trained.

    Args:
        data: folder or zip laid out as train/CLASS/PICTURE and test/CLASS/PICTURE (or val/).
        network: the architecture, when it starts from nothing.
        start: a network to start from (a name, a file, or "auto" for the best that is here), whose
            last layer is replaced when the classes are others; None starts from random weights.
        freeze: the last stage (`belamy models show NAME`) that keeps the weights it started with;
            "all" trains the last layer alone: the rest looks at each whole picture once, which is
            quick; "none" trains all. None given: "all" from a network that saw all of ImageNet
            (efficientnet_lite0 and 2), else "none".
        stages: (picture size in pixels, epochs) one after another: small pictures first, since a
            step on them is cheap. None given: 32:10,48:6,64:4 from random weights, which suit the
            64 px pictures of Tiny ImageNet; 64:8 from trained ones; 224:1 where only the last
            layer is trained.
        keep: side in pixels at which the pictures are kept, out of which crops are cut; None given:
            the largest of the stages. Where the files are larger, half as much again keeps the
            crops sharp.
        batch: pictures a step, in each process; 128 from random weights, 64 from trained ones,
            where more steps do more.
        learning_rate: the top of its one cycle, for the batch as a whole; 0.2 from random weights,
            0.007 from trained ones, which 0.02 shakes out of what they know; the last layer
            alone has none, since it is solved for.
        weight_decay: of the weights, not of biases and norms; None given: 5e-4, and 0.02 for the
            last layer alone.
        label_smoothing: part of the certainty that is spread over all classes; None given: 0.1,
            and 0 for the last layer alone, which else is drawn to the pictures that are no doubt.
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
    weight_decay: Annotated[float | None, Between(0)] = None
    label_smoothing: Annotated[float | None, Between(0, 1, below=True)] = None
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
        freezes = self.freeze in (None, "none") or self.start is not None
        require(freezes, "freeze", self.freeze, "left out, or given with a network to start from")
        if self.head_alone:
            self._check_head_alone()
        own = self.start is None or self.network == ClassifyConfig.network
        require(own, "network", self.network, "left out: the network to start from says which")

    def _check_head_alone(self) -> None:
        once = len(self.stages) == 1 and self.stages[0][1] == 1
        require(once, "stages", self.stages, "one SIZE:1 with --freeze all")
        solved = self.learning_rate is None
        require(solved, "learning_rate", self.learning_rate, "left out with --freeze all")
        unmoved = self.adversarial == 0
        require(unmoved, "adversarial", self.adversarial, "0 with --freeze all")

    def _fill_in(self) -> None:
        """What was left open, so that a run folder says all that was done; lists out of JSON."""
        if self.start == "auto":
            from belamy.networks.find import choose_backbone

            object.__setattr__(self, "start", choose_backbone("auto"))
        if self.freeze is None and self.start is not None:
            from belamy.networks.registry import IMAGENET_BACKBONES

            if self.start in IMAGENET_BACKBONES:  # features that tell most things apart as they are
                object.__setattr__(self, "freeze", "all")
        defaults = self._defaults()
        given = tuple((int(size), float(epochs)) for size, epochs in self.stages)
        object.__setattr__(self, "stages", given or defaults.stages)
        if self.keep is None:
            object.__setattr__(self, "keep", max(size for size, _ in self.stages))
        for name in ("batch", "learning_rate", "weight_decay", "label_smoothing"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(defaults, name))

    def _defaults(self) -> _Defaults:
        if self.start is None:
            return _FROM_NOTHING
        return _HEAD_ALONE if self.head_alone else _FROM_TRAINED

    @property
    def head_alone(self) -> bool:
        """Whether the last layer alone is trained."""
        return self.freeze == "all"

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

    @property
    def decay(self) -> float:
        """`weight_decay`, filled in."""
        assert self.weight_decay is not None
        return self.weight_decay

    @property
    def smoothing(self) -> float:
        """`label_smoothing`, filled in."""
        assert self.label_smoothing is not None
        return self.label_smoothing
