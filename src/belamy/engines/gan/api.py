"""GANs: a forger and a critic who learn from each other, from a folder of pictures.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

from belamy.errors import OptionError, UnknownName
from belamy.precision import Precision

if TYPE_CHECKING:
    from belamy.training.trainer import Tick

__all__ = ["GanConfig", "export_gan", "plan_gan", "train_gan"]

# Loss → penalty at 64 px, the power of the size that it grows with, and steps between penalties,
# where it has a penalty of its own. The first is by eye, on portraits, its square
# StyleGAN2-ADA's; the second is Gulrajani's.
_PENALTIES = {"relativistic": (0.3, 2, 8), "wasserstein": (10.0, 0, 1)}
_USUAL = (0.0, 0, 8)
_FEW = 1000  # pictures, below which a discriminator is always shown changed ones


@dataclass(frozen=True)
class GanConfig:
    """How a generator learns to paint.

    Args:
        data: folder or zip of pictures, in any folders in it.
        architecture: light (learns from few pictures, on a processor); dcgan; art-dcgan, the
            proportion that painted Edmond de Belamy; vanilla, fully connected.
        size: side of the pictures in pixels; 16, 32, 64, …; light up to 1024.
        labels: the outermost folders are kinds of pictures, and the generator paints each on
            demand.
        loss: what the two want of each other. minimax is the formula that signs the portrait, and
            stalls; relativistic has the critic compare real with made, and drops no kind of
            picture for free.
        penalty: of the critic's slopes, so that the game comes to rest: γ of R1 and R2, the
            critic's slope on real and on made pictures in [0, 1], which falls to a tenth over
            the first quarter of the steps; for wasserstein λ of the gradient penalty. None: 0.3
            for relativistic at 64 px and with the square of the size at others; 10 for
            wasserstein; else 0.
        penalty_every: steps between penalties, which are weighted up by as much. None: 8, but 1
            for wasserstein.
        discriminator_steps: of the critic, for each of the generator.
        augment: chance that the critic is shown a picture with colours, place or parts changed, 0
            to 1. auto: 1 for fewer than 1,000 pictures; else it grows while the critic knows the
            pictures by heart.
        mirror: show the pictures from both sides; not for writing.
        enlarge: take pictures that are smaller than `size`, too, enlarged.
        latent: numbers that a picture is made from. None: 128 for light, else 100.
        width: factor on the channels of both networks.
        steps: of the generator.
        batch: pictures a step, in each process.
        accumulate: parts that a batch is worked through in, for less memory.
        learning_rate: of Adam, for both; over the run it falls to a quarter along a cosine. None:
            0.0025 for light (its weights are scaled), else 0.0002.
        half_life: of the moving average of the weights, which is what is kept, in pictures seen;
            shorter at the start.
        precision: of the convolutions: auto is bfloat16 where the processor or card has it, else
            float32; float16, for cards that have no bfloat16 (before 2020), with the losses
            scaled so that no gradient vanishes.
        start: a network to go on from, on other pictures maybe: a run folder, or the
            `network-training.safetensors` in it; or what has no critic, a `network.safetensors`
            or `portraits`, the painter inside the package. None starts from nothing.
        freeze_discriminator: how many of the critic's levels, from the finest, stay as they were
            at the start; needs one.
        seed: of the first weights, the order, the latents and the changes.
    """

    data: str
    architecture: Literal["light", "dcgan", "art-dcgan", "vanilla"] = "light"
    size: int = 64
    labels: bool = False
    loss: Literal[
        "relativistic", "non-saturating", "minimax", "least-squares", "hinge", "wasserstein"
    ] = "relativistic"
    penalty: float | None = None
    penalty_every: int | None = None
    discriminator_steps: int = 1
    augment: Literal["auto"] | float = "auto"
    mirror: bool = True
    enlarge: bool = False
    latent: int | None = None
    width: float = 1.0
    steps: int = 20_000
    batch: int = 16
    accumulate: int = 1
    learning_rate: float | None = None
    half_life: int = 10_000
    precision: Precision = "auto"
    start: str | None = None
    freeze_discriminator: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(GanConfig).items():
            if get_origin(kind) is Literal and getattr(self, name) not in get_args(kind):
                raise UnknownName(name, str(getattr(self, name)), get_args(kind))
        self._fill_in()
        _require(8 <= self.size <= 1024, "size", self.size, "8 to 1024 pixels")
        _require(0 <= self.strength < math.inf, "penalty", self.penalty, "0 or more")
        _require(1 <= self.interval <= 1000, "penalty every", self.interval, "1 to 1000")
        steps = self.discriminator_steps
        _require(1 <= steps <= 100, "discriminator steps", steps, "1 to 100")
        chance = self.augment == "auto" or 0 <= self.augment <= 1
        _require(chance, "augment", self.augment, "auto, or 0 to 1")
        latent = 1 if self.latent is None else self.latent
        _require(1 <= latent <= 4096, "latent", latent, "1 to 4096")
        _require(0.05 <= self.width <= 16, "width", self.width, "0.05 to 16")
        _require(1 <= self.steps <= 100_000_000, "steps", self.steps, "at least 1")
        _require(2 <= self.batch <= 4096, "batch", self.batch, "2 to 4096")
        parts = 1 <= self.accumulate <= self.batch // 2 and self.batch % self.accumulate == 0
        _require(parts, "accumulate", self.accumulate, "a divisor of the batch, with 2 a part")
        rate = self.learning_rate
        _require(rate is None or 0 < rate < 1, "learning rate", rate, "above 0, below 1")
        _require(1 <= self.half_life <= 1e9, "half life", self.half_life, "at least 1 picture")
        frozen = self.freeze_discriminator
        _require(frozen >= 0, "freeze discriminator", frozen, "0 or more")
        started = frozen == 0 or self.start is not None
        _require(started, "freeze discriminator", frozen, "0, or given with a network to start")

    def _fill_in(self) -> None:
        """What was left open and does not depend on the networks or the data."""
        penalty, power, every = _PENALTIES.get(self.loss, _USUAL)
        if self.penalty is None:
            object.__setattr__(self, "penalty", penalty * (self.size / 64) ** power)
        if self.penalty_every is None:
            object.__setattr__(self, "penalty_every", every)

    @property
    def strength(self) -> float:
        """`penalty`, filled in."""
        assert self.penalty is not None
        return self.penalty

    @property
    def interval(self) -> int:
        """`penalty_every`, filled in."""
        assert self.penalty_every is not None
        return self.penalty_every

    def chance(self, pictures: int) -> float | None:
        """Of changes, for a data set of so many pictures; None if it adapts."""
        if self.augment != "auto":
            return self.augment
        return 1.0 if pictures < _FEW else None


def _require(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise OptionError(f"{name} is {value!r}; it must be {wanted}")


def train_gan(config: GanConfig, folder: Path, *, device: str = "auto") -> Iterator[Tick]:
    """Train a generator of pictures in a run folder, from where it stopped.

    On the way `samples/` shows what the same latents have become. At the end the folder holds
    `network.safetensors`, the averaged generator at half precision; `network-training.safetensors`
    with the critic, to start another training from; and `progress.gif`.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Tick` that says what will be done, what was found in the data, and on the way what goes
        wrong: collapse, copying, a critic that has won.

    Raises:
        DataError: too few pictures, or labels of one kind.
        OptionError: the architecture has no such size, or the device no such numbers.
        WeightsError: the network to start from is missing, damaged, or of another shape.
        RunError: the folder holds something else, or another configuration.
        Diverged: a loss is no longer a number, again after going back to the last checkpoint.
    """
    from belamy.engines.gan import train

    yield from train.training(config, folder, device)


def plan_gan(config: GanConfig, *, device: str = "auto") -> dict[str, str]:
    """What a training would do, found out by two of its steps: a dry run.

    Args:
        config: what to train.
        device: auto, cpu, cuda or mps.

    Returns:
        the configuration with every default filled in, both networks' weights and multiply-adds,
        what was found in the data, and the time and memory that it would take; in words.

    Raises:
        DataError: too few pictures, or labels of one kind.
        OptionError: the architecture has no such size, or the device no such numbers.
        WeightsError: the network to start from is missing, damaged, or of another shape.
    """
    from belamy.engines.gan import dry_run

    return dry_run.plan(config, device)


def export_gan(run: Path, output: Path | None = None) -> Path:
    """Write the generator as it is at the last checkpoint of a run that has not ended.

    Args:
        run: the run folder.
        output: a `.safetensors` file; None for `network.safetensors` in the run.

    Returns:
        the file that was written.

    Raises:
        RunError: it is no run of a GAN, or has saved no checkpoint yet.
    """
    from belamy.engines.gan import train

    return train.export(run, output)
