"""Fog taken out of pictures, by physics: what is seen is the scene, thinned, and the air's light.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from belamy.errors import OptionError
from belamy.steps import Step, run_to_end

if TYPE_CHECKING:
    from belamy.pixels.images import Source
    from belamy.training.trainer import Tick

__all__ = [
    "DefogAdaptConfig",
    "DefogMeasures",
    "DefogTrainConfig",
    "adapt_defog",
    "defog",
    "defog_steps",
    "defogger",
    "evaluate_defog",
    "train_defog",
]


def defog_steps(
    image: Source,
    *,
    method: Literal["cyclegan", "dcp"] = "cyclegan",
    network: str = "defog",
    strength: float = 1.0,
    keep_sky: bool = False,
    compare: bool = False,
    device: str = "auto",
) -> Iterator[Step]:
    """Take the fog out of a picture: J = (I − A)/t + A.

    Where the fog is and what colour it has is seen in a picture of at most 512 pixels; the map is
    then enlarged along the edges of the large one, of which every pixel is worked on, so that no
    detail is lost at any size. Where nothing of the scene came through, nothing can come back.

    Args:
        image: a file, PIL image, array or tensor; any size. Transparency is kept.
        method: what sees the fog: cyclegan is a network that learned it; dcp is the dark channel
            prior, which needs no training and takes bright walls and white ground for fog.
        network: of the method cyclegan: defog, which is inside the package, or a file that
            `belamy defog train` made.
        strength: how much of the fog goes: 0 none, 1 all that was seen, up to 2 for more than that.
        keep_sky: leave the sky as it is.
        compare: show the picture as it was on the left of what it has become.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` with the transmission as a picture (white is clear), then one with the result.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network is not here, damaged, or another one.
        OptionError: a value out of its range.

    Source: He, Sun and Tang 2009 (dcp); the network is trained on fog made up, then as the physical
    CycleGANs are (Yang et al. 2022, D4), which know that a picture's fog has a depth and a density.
    """
    asked = dict(locals())
    from belamy.engines.defog import remove

    yield from remove.run(**asked)


defog = run_to_end(defog_steps)


def defogger(**options: Any) -> Callable[[Source], Iterator[Step]]:
    """A function that does what `defog_steps` does, and loads the network once.

    Args:
        options: its arguments, but for the image.

    Raises:
        WeightsError: the network is not here, damaged, or another one.
        OptionError: a value out of its range.
    """
    from belamy.engines.defog import remove

    arguments = inspect.signature(defog_steps).parameters
    usual = {name: one.default for name, one in arguments.items() if name != "image"}
    return remove.prepared({**usual, **options})


@dataclass(frozen=True)
class DefogMeasures:
    """How well fog was taken out.

    Args:
        pictures: how many were compared.
        measures: `untouched`, `dcp` and `cyclegan` → `psnr` in decibels and `ssim`, means over the
            pictures.
    """

    pictures: int
    measures: dict[str, dict[str, float]]


def evaluate_defog(
    hazy: str, clear: str, *, network: str = "defog", device: str = "auto"
) -> DefogMeasures:
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
    from belamy.engines.defog import evaluate

    return evaluate.measured(hazy, clear, network, device)


@dataclass(frozen=True)
class DefogTrainConfig:
    """How a network learns to see fog, on clear pictures in fog that is made up.

    Args:
        data: folders and zips of clear pictures, each of which gives the same share; in all
            folders in them.
        held_out: pictures of each that are never learned from, and measured on instead: those
            whose names have the smallest SHA-256.
        size: side in pixels of the squares that are learned from, on average; they go from 0.6 to
            1.6 times that, so that the network knows fog at several sizes.
        start: a network to go on from, defog for the one inside the package or a file; None starts
            from random weights.
        widths: channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size, of a new network.
        steps: how many batches are learned from.
        batch: squares a step, in each process; more where they are smaller.
        learning_rate: of AdamW; it rises for 100 steps, and falls to nothing along a cosine.
        weight_decay: of AdamW.
        average: decay per step of the moving average of the weights, which is what is kept.
        mixed: convolutions at bfloat16, which takes half the time where the processor has it.
        seed: of the first weights, the order, the crops and the fog.
    """

    data: tuple[str, ...]
    held_out: int = 100
    size: int = 160
    start: str | None = None
    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    steps: int = 4000
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    average: float = 0.995
    mixed: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("data", "widths"):  # lists, out of JSON or a command
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _require(len(self.widths) == 5, "widths", self.widths, "five numbers")
        _require(all(1 <= w <= 1024 for w in self.widths), "widths", self.widths, "1 to 1024 each")
        _require(0 <= self.held_out <= 100_000, "held out", self.held_out, "0 to 100000")
        _require(64 <= self.size <= 1024, "size", self.size, "64 to 1024 pixels")
        _require(1 <= self.steps <= 10_000_000, "steps", self.steps, "at least 1")
        _require(2 <= self.batch <= 4096, "batch", self.batch, "2 to 4096")
        _require(0 < self.learning_rate < 1, "learning rate", self.learning_rate, "0 to 1")
        _require(0 <= self.weight_decay < math.inf, "weight decay", self.weight_decay, "0 or more")
        _require(0 <= self.average < 1, "average", self.average, "0 up to 1, not 1 itself")


@dataclass(frozen=True)
class DefogAdaptConfig:
    """How a network that sees fog goes on to real fog, of which nobody has the truth.

    Args:
        start: the network, a file that `belamy defog train` made, or defog for the one inside.
        foggy: folders and zips of foggy pictures.
        clear: folders and zips of clear ones, of other scenes; they may be the same folders, since
            of each the foggiest go to the one side only.
        foggiest: the part of the foggy folders' pictures that is taken, foggiest first, as `start`
            sees them; 1 takes all. The clear side is then without them.
        held_out: pictures of each that are never learned from, as in `defog train`.
        size: side in pixels of the squares that are learned from.
        steps: how many batches are learned from.
        batch: squares of each side a step, in each process.
        learning_rate: of Adam, for the network; a tenth of the first training's and less keeps
            what it knows.
        critic_rate: of Adam, for the discriminator.
        loss: what the discriminator and the network want of each other.
        adversarial: weight of being taken for clear.
        cycle: weight of being found again in other fog.
        identity: weight of leaving clear pictures as they are.
        known: weight of clear pictures in fog made up, as in the first training.
        perceptual: weight of their likeness as iris sees it.
        dark: weight of the dark channel of what is found, which clear pictures have near 0.
        average: decay per step of the moving average of the weights, which is what is kept.
        mixed: convolutions at bfloat16, which takes half the time where the processor has it.
        seed: of the discriminator's first weights, the order, the crops and the fog.
    """

    start: str
    foggy: tuple[str, ...]
    clear: tuple[str, ...]
    foggiest: float = 1.0
    held_out: int = 100
    size: int = 128
    steps: int = 600
    batch: int = 6
    learning_rate: float = 1e-4
    critic_rate: float = 2e-4
    loss: Literal[
        "least-squares", "non-saturating", "minimax", "hinge", "wasserstein", "relativistic"
    ] = "least-squares"
    adversarial: float = 0.02
    cycle: float = 0.5
    identity: float = 1.0
    known: float = 1.0
    perceptual: float = 0.05
    dark: float = 0.05
    average: float = 0.99
    mixed: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("foggy", "clear"):  # lists, out of JSON or a command
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _require(0 < self.foggiest <= 1, "foggiest", self.foggiest, "above 0, at most 1")
        _require(0 <= self.held_out <= 100_000, "held out", self.held_out, "0 to 100000")
        _require(64 <= self.size <= 1024, "size", self.size, "64 to 1024 pixels")
        _require(1 <= self.steps <= 10_000_000, "steps", self.steps, "at least 1")
        _require(1 <= self.batch <= 4096, "batch", self.batch, "1 to 4096")
        for name in ("learning_rate", "critic_rate"):
            rate = getattr(self, name)
            _require(0 < rate < 1, name.replace("_", " "), rate, "0 to 1")
        for name, weight in self.weights.items():
            _require(0 <= weight < math.inf, name, weight, "0 or more")
        _require(0 <= self.average < 1, "average", self.average, "0 up to 1, not 1 itself")

    @property
    def weights(self) -> dict[str, float]:
        """Of each loss, by its name."""
        names = ("adversarial", "cycle", "identity", "known", "perceptual", "dark")
        return {name: getattr(self, name) for name in names}


def _require(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise OptionError(f"{name} is {value!r}; it must be {wanted}")


def train_defog(config: DefogTrainConfig, folder: Path, *, device: str = "auto") -> Iterator[Tick]:
    """Train a network that sees fog, in a run folder, from where it stopped.

    At the end the folder holds `network.safetensors`, at half precision; on the way `samples/`
    shows what it has learned.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Tick` that says what will be done; then ticks with the losses.

    Raises:
        DataError: there are no pictures to learn from.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.defog import train

    yield from train.training(config, folder, device)


def adapt_defog(config: DefogAdaptConfig, folder: Path, *, device: str = "auto") -> Iterator[Tick]:
    """Train a network that sees fog further, on real fog, in a run folder, from where it stopped.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there; at the end it holds `network.safetensors`.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Tick` that says what will be done; then ticks with the losses.

    Raises:
        DataError: there are no pictures to learn from.
        WeightsError: the network to start from is not here, damaged, or another one.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.defog import train

    yield from train.adapting(config, folder, device)
