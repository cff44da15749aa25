"""How networks that estimate fog are trained, and trained further: every option, once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from belamy.checks import Between, check_number, check_options, require
from belamy.precision import Precision

__all__ = ["DefogAdaptConfig", "DefogTrainConfig"]

_HELD_OUT = Between(0, 100_000)
_SIDES = Between(64, 1024, "pixels")
_STEPS = Between(1, 10_000_000)
_LEARNING_RATES = Between(0, 1, above=True, below=True)
_DECAYS = Between(0, 1, below=True)
_WEIGHTS = Between(0, math.inf)
_CHANNELS = Between(1, 1024)
_RESOLUTIONS = 5  # of the network, from half the size to 1/32


@dataclass(frozen=True)
class DefogTrainConfig:
    """How a network learns to estimate fog, on clear pictures in synthetic fog.

    Args:
        data: folders and zips of clear pictures, each of which gives the same share; in all
            folders in them.
        held_out: pictures of each that are never learned from, and measured on instead: those
            whose names have the smallest SHA-256.
        size: side in pixels of the squares that are learned from, on average; they go from 0.6 to
            1.6 times that, so that the network knows fog at several sizes.
        rendered: scenes (rooms, streets, valleys) that are rendered to learn on beside the
            pictures, with textures out of them: their depth is exact. 0 for none; a thousand take
            some four minutes, once.
        rendered_share: of the squares of each step, those of rendered scenes.
        start: a network to go on from, defog for the one inside the package or a file; None starts
            from random weights.
        design: of the network: 1 as in belamy 0.1; 2 takes fog for nearly white and looks twice.
        widths: channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size, of a new network.
        steps: how many batches are learned from.
        batch: squares a step, in each process; more where they are smaller.
        learning_rate: of AdamW; it rises for 100 steps, and falls to nothing along a cosine.
        weight_decay: of AdamW.
        ema: decay per step of the exponential moving average of the weights, which is what is
            kept.
        precision: of the convolutions: bfloat16 takes half the time where the processor or card has
            it; auto is bfloat16 there and float32 elsewhere; float16, for cards that have no
            bfloat16 (before 2020), with the losses scaled so that no gradient vanishes.
        seed: of the first weights, the order, the crops and the fog.

    Raises:
        OptionError: a value out of its range.
        UnknownName: no such precision.
    """

    data: tuple[str, ...]
    held_out: Annotated[int, _HELD_OUT] = 100
    size: Annotated[int, _SIDES] = 160
    rendered: Annotated[int, Between(0, 100_000)] = 0
    rendered_share: Annotated[float, Between(0, 1, above=True, below=True)] = 0.5
    start: str | None = None
    design: Annotated[int, Between(1, 2)] = 2
    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    steps: Annotated[int, _STEPS] = 4000
    batch: Annotated[int, Between(2, 4096)] = 16
    learning_rate: Annotated[float, _LEARNING_RATES] = 2e-3
    weight_decay: Annotated[float, Between(0)] = 1e-4
    ema: Annotated[float, _DECAYS] = 0.995
    precision: Precision = "bfloat16"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("data", "widths"):  # lists, out of JSON or a command
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_options(self)
        require(len(self.widths) == _RESOLUTIONS, "widths", self.widths, "five numbers")
        for width in self.widths:
            check_number("widths", width, _CHANNELS)


@dataclass(frozen=True)
class DefogAdaptConfig:
    """How a network that estimates fog goes on to real fog, of which nobody has the truth.

    Args:
        start: the network, a file that `belamy defog train` made, or defog for the one inside.
        foggy: folders and zips of foggy pictures.
        clear: folders and zips of clear ones, of other scenes; they may be the same folders, since
            of each the foggiest go to the one side only.
        foggiest: the part of the foggy folders' pictures that is taken, foggiest first, as `start`
            estimates them; 1 takes all. The clear side is then without them.
        held_out: pictures of each that are never learned from, as in `defog train`.
        size: side in pixels of the squares that are learned from.
        steps: how many batches are learned from.
        batch: squares of each side a step, in each process.
        learning_rate: of Adam, for the network; a tenth of the first training's and less keeps
            what it knows.
        discriminator_learning_rate: of Adam, for the discriminator.
        loss: what the discriminator and the network want of each other.
        adversarial: weight of being taken for clear.
        cycle: weight of being found again in other fog.
        identity: weight of leaving clear pictures as they are.
        known: weight of clear pictures in synthetic fog, as in the first training.
        perceptual: weight of their likeness as iris sees it.
        dark: weight of the dark channel of what is found, which clear pictures have near 0.
        ema: decay per step of the exponential moving average of the weights, which is what is
            kept.
        precision: of the convolutions: bfloat16 takes half the time where the processor or card has
            it; auto is bfloat16 there and float32 elsewhere; float16, for cards that have no
            bfloat16 (before 2020), with the losses scaled so that no gradient vanishes.
        seed: of the discriminator's first weights, the order, the crops and the fog.

    Raises:
        OptionError: a value out of its range.
        UnknownName: none of the choices.
    """

    start: str
    foggy: tuple[str, ...]
    clear: tuple[str, ...]
    foggiest: Annotated[float, Between(0, 1, above=True)] = 1.0
    held_out: Annotated[int, _HELD_OUT] = 100
    size: Annotated[int, _SIDES] = 128
    steps: Annotated[int, _STEPS] = 600
    batch: Annotated[int, Between(1, 4096)] = 6
    learning_rate: Annotated[float, _LEARNING_RATES] = 1e-4
    discriminator_learning_rate: Annotated[float, _LEARNING_RATES] = 2e-4
    loss: Literal[
        "least-squares", "non-saturating", "minimax", "hinge", "wasserstein", "relativistic"
    ] = "least-squares"
    adversarial: Annotated[float, _WEIGHTS] = 0.02
    cycle: Annotated[float, _WEIGHTS] = 0.5
    identity: Annotated[float, _WEIGHTS] = 1.0
    known: Annotated[float, _WEIGHTS] = 1.0
    perceptual: Annotated[float, _WEIGHTS] = 0.05
    dark: Annotated[float, _WEIGHTS] = 0.05
    ema: Annotated[float, _DECAYS] = 0.99
    precision: Precision = "bfloat16"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("foggy", "clear"):  # lists, out of JSON or a command
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_options(self)

    @property
    def weights(self) -> dict[str, float]:
        """Of each loss, by its name."""
        return {
            "adversarial": self.adversarial,
            "cycle": self.cycle,
            "identity": self.identity,
            "known": self.known,
            "perceptual": self.perceptual,
            "dark": self.dark,
        }
