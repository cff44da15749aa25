"""What the training of a GAN is asked for: every option, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from belamy.checks import Between, check_options, require
from belamy.errors import UnknownName
from belamy.objectives.adversarial import LOSSES, AdversarialLoss
from belamy.precision import Precision

__all__ = ["GanConfig"]

_FEW = 1000  # pictures, below which the discriminator is always shown augmented ones


@dataclass(frozen=True)
class GanConfig:
    """How a generator learns to paint.

    Args:
        data: folder or zip of pictures, in any folders in it.
        architecture: light (learns from few pictures, on a processor); dcgan; art-dcgan, the
            proportion that painted Edmond de Belamy; vanilla, fully connected.
        size: side of the pictures in pixels; 16, 32, 64, …; light up to 1024, and 48, 96, 192 …
            between them.
        labels: the outermost folders are labels of pictures, and the generator paints each on
            demand.
        loss: what the two networks minimise: relativistic, non-saturating, minimax,
            least-squares, hinge or wasserstein. minimax is the formula that signs the portrait,
            and stalls; relativistic has the discriminator compare real with fake, and drops no
            mode for free.
        penalty: weight of the penalty on the discriminator's gradient, so that the game comes to
            rest: γ of R1 and R2, of the gradient at real and at fake pictures in [0, 1], which
            falls over the first quarter of the steps; for wasserstein λ of the gradient penalty.
            None: 0.3 for relativistic at 64 px and with the square of the size at others; 10 for
            wasserstein; else 0.
        penalty_final: the fraction of γ that it falls to; 1 keeps it, for a start from a painter
            that has been through the fall.
        penalty_every: steps between penalties, which are weighted up by as much. None: 8, but 1
            for wasserstein.
        discriminator_steps: of the discriminator, for each of the generator.
        augment: probability that the discriminator is shown a picture with colours, place or parts
            changed, 0 to 1. auto: 1 for fewer than 1,000 pictures; else it grows while the
            discriminator overfits (ADA).
        projected: a network (`belamy models list`) at whose features further discriminators look.
            Pictures get their parts sooner, and become more alike; measure on another network.
        noise: give the finer features of light noise to make grain and strokes of, which it
            otherwise makes of lines like worms. A painter without can be gone on from.
        smoothing: width of the bend that light's last activation has in place of its kink, where
            lines like worms are born; 0 leaves the kink. What a start has of this and of noise,
            it keeps.
        mirror: show the pictures from both sides; not for writing.
        enlarge: take pictures that are smaller than `size`, too, enlarged.
        latent: numbers that a picture is made from. None: 128 for light, else 100.
        width: factor on the channels of both networks.
        steps: of the generator.
        batch: pictures a step, in each process.
        accumulate: parts that a batch is worked through in, for less memory.
        learning_rate: of Adam, for both; over the run it falls to a quarter along a cosine. None:
            0.0025 for light (its weights are scaled), else 0.0002.
        generator_learning_rate: of the generator alone (the two time-scale update rule, TTUR);
            less than `learning_rate` where the discriminator has to catch up with it. None: the
            same for both.
        ema_half_life: of the moving average of the weights (EMA), which is what is kept, in
            pictures seen; shorter at the start.
        precision: of the convolutions: auto is bfloat16 where the processor or card has it, else
            float32; float16, for cards that have no bfloat16 (before 2020), with the losses
            scaled so that no gradient vanishes.
        start: a network to go on from, on other pictures maybe: a run folder, or the
            `network-training.safetensors` in it; or what has no discriminator, a
            `network.safetensors` or `portraits`, the painter inside the package. One of smaller
            pictures is grown, of light: it begins as it was, enlarged. None starts from nothing.
        warm_up: steps at the start in which the discriminator alone learns: for a start from a
            painter that comes without its own.
        freeze_discriminator: how many of the discriminator's layers, from the finest, stay as they
            were at the start (Freeze-D); needs one.
        seed: of the first weights, the order, the latents and the augmentation.

    Raises:
        OptionError: a value out of its range.
        UnknownName: none of the choices.
    """

    data: str
    architecture: Literal["light", "dcgan", "art-dcgan", "vanilla"] = "light"
    size: Annotated[int, Between(8, 1024, "pixels")] = 64
    labels: bool = False
    loss: str = "relativistic"
    penalty: Annotated[float | None, Between(0)] = None
    penalty_final: Annotated[float, Between(0, 1)] = 0.1
    penalty_every: Annotated[int | None, Between(1, 1000)] = None
    discriminator_steps: Annotated[int, Between(1, 100)] = 1
    augment: Literal["auto"] | Annotated[float, Between(0, 1)] = "auto"
    projected: str | None = None
    noise: bool = False
    smoothing: Annotated[float, Between(0, 10)] = 0.0
    mirror: bool = True
    enlarge: bool = False
    latent: Annotated[int | None, Between(1, 4096)] = None
    width: Annotated[float, Between(0.05, 16)] = 1.0
    steps: Annotated[int, Between(1, 100_000_000)] = 20_000
    batch: Annotated[int, Between(2, 4096)] = 16
    accumulate: Annotated[int, Between(1)] = 1
    learning_rate: Annotated[float | None, Between(0, 1, above=True, below=True)] = None
    generator_learning_rate: Annotated[float | None, Between(0, 1, above=True, below=True)] = None
    ema_half_life: Annotated[int, Between(1, 1e9, "pictures")] = 10_000
    precision: Precision = "auto"
    start: str | None = None
    warm_up: Annotated[int, Between(0)] = 0
    freeze_discriminator: Annotated[int, Between(0)] = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise UnknownName("loss", str(self.loss), LOSSES)
        check_options(self)
        self._fill_in()
        parts = self.accumulate <= self.batch // 2 and self.batch % self.accumulate == 0
        require(parts, "accumulate", self.accumulate, "a divisor of the batch, with 2 a part")
        light = self.architecture == "light"
        require(light or not self.noise, "noise", self.noise, "false for all but light")
        require(light or not self.smoothing, "smoothing", self.smoothing, "0 for all but light")
        frozen = self.freeze_discriminator
        started = frozen == 0 or self.start is not None
        require(started, "freeze_discriminator", frozen, "0, or given with a network to start")

    def _fill_in(self) -> None:
        """What was left open and does not depend on the networks or the data."""
        if self.penalty is None:
            object.__setattr__(self, "penalty", self.adversarial_loss.penalty_at(self.size))
        if self.penalty_every is None:
            object.__setattr__(self, "penalty_every", self.adversarial_loss.penalty_every)

    @property
    def adversarial_loss(self) -> AdversarialLoss:
        """The row of the loss."""
        return LOSSES[self.loss]

    @property
    def penalty_weight(self) -> float:
        """`penalty`, filled in."""
        assert self.penalty is not None
        return self.penalty

    @property
    def penalty_interval(self) -> int:
        """`penalty_every`, filled in."""
        assert self.penalty_every is not None
        return self.penalty_every

    def augment_probability(self, pictures: int) -> float | None:
        """Of a data set of so many pictures; None where it adapts."""
        if self.augment != "auto":
            return self.augment
        return 1.0 if pictures < _FEW else None
