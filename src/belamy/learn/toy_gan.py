"""A GAN on points of the plane, with what each of its two networks sees on the way.

The target: eight Gaussian clouds on a ring of radius 2, as in Metz et al. 2016, "Unrolled
generative adversarial networks". **Differs**: the clouds are 0.05 wide rather than 0.02, so that a
last row can see them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.errors import Diverged
from belamy.objectives.adversarial import LOSSES
from belamy.objectives.gradient_penalties import gradient_penalty, zero_centred_penalty
from belamy.training.schedules import set_learning_rate

__all__ = ["MODES", "RADIUS", "REACH", "SPREAD", "Snapshot", "ToyGan", "centres"]

MODES, RADIUS, SPREAD = 8, 2.0, 0.05
REACH = 3.0  # of what is drawn: −3 to 3 both ways
GOOD = 3 * SPREAD  # a point this near to a cloud's centre is good: 98.9 % of the real ones are
COVERED = 0.02  # part of all points that makes a cloud covered; a fair share is 0.125

LATENT, WIDTH, HIDDEN_LAYERS = 2, 128, 3  # both networks: three hidden layers of 128
BATCH = 128
LEARNING_RATE, BETA2 = 3e-3, 0.9  # of Adam; it falls to nothing in the second half, that all settle
EVALUATED, SHOWN, ARROWS = 2500, 700, 90  # points
GRID = 121  # positions each way of the discriminator's field

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Snapshot:
    """How the game stands.

    Args:
        loss: its name.
        step: of the generator, made so far; `steps` in all.
        real: points of the target (N, 2).
        latents: what the generator was given (N, 2).
        fake: what it made of them (N, 2).
        field: the discriminator's D(x), above what it gives on average, as (GRID, GRID), from 0
            (fake) to 1 (real).
        directions: for the first of `fake`, minus the gradient of the generator's loss (A, 2).
        history: rows (step, discriminator's loss, generator's loss, clouds covered, fraction good).
    """

    loss: str
    step: int
    steps: int
    real: Array
    latents: Array
    fake: Array
    field: Array
    directions: Array
    history: NDArray[np.float64]

    @property
    def covered(self) -> int:
        """Of the eight clouds, how many hold a fiftieth or more of the fake points."""
        return int(self.history[-1, 3])

    @property
    def good(self) -> float:
        """Fraction of the fake points within three standard deviations of a cloud's centre."""
        return float(self.history[-1, 4])


def centres() -> Tensor:
    """Of the clouds: (8, 2)."""
    angles = torch.arange(MODES) * (2 * math.pi / MODES)
    return RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)


def _sample_target(count: int, rng: torch.Generator) -> Tensor:
    """Of the target: (count, 2)."""
    modes = torch.randint(MODES, (count,), generator=rng)
    return centres()[modes] + SPREAD * torch.randn(count, 2, generator=rng)


def _build_network(outputs: int, rng: torch.Generator) -> nn.Sequential:
    sizes = (LATENT, *[WIDTH] * HIDDEN_LAYERS, outputs)
    parts: list[nn.Module] = []
    for inputs, neurons in itertools.pairwise(sizes):
        layer = nn.Linear(inputs, neurons)
        bound = 1 / math.sqrt(inputs)  # torch's own, but of our seed
        nn.init.uniform_(layer.weight, -bound, bound, rng)
        nn.init.uniform_(layer.bias, -bound, bound, rng)
        parts += [layer, nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts[:-1])


class ToyGan:
    """A generator against a discriminator, each a small multilayer perceptron.

    Args:
        loss: of `LOSSES`.
        penalty: weight γ of the penalty on the discriminator's gradients: γ/2 (R1 + R2), or γ times
            Gulrajani's for wasserstein.
        momentum: Adam's β₁.
        discriminator_steps: for each one of the generator.
        steps: of the generator.
        seed: of everything; games of one seed begin alike.
    """

    def __init__(
        self,
        loss: str,
        penalty: float,
        momentum: float,
        discriminator_steps: int,
        steps: int,
        seed: int,
    ) -> None:
        self.loss, self.penalty, self.steps, self.seed = loss, penalty, steps, seed
        self.discriminator_steps = discriminator_steps
        self.generator = _build_network(2, make_rng(seed, "generator"))
        self.discriminator = _build_network(1, make_rng(seed, "discriminator"))
        self.generator_optimizer, self.discriminator_optimizer = (
            torch.optim.Adam(
                network.parameters(), LEARNING_RATE, (float(momentum), BETA2), fused=True
            )
            for network in (self.generator, self.discriminator)
        )
        self._rng = make_rng(seed, "fight")

    def snapshots(self, at: Collection[int]) -> Iterator[Snapshot]:
        """Train to the end; yields how it stands after each of the steps `at`."""
        history: list[tuple[float, ...]] = []
        every = max(1, self.steps // 200)
        for step in range(self.steps + 1):
            if step > 0:
                losses = self.step(step - 1)
            if step > 0 and (step % every == 0 or step in at):
                history.append((step, *losses, *self.evaluate()))
                if not all(map(math.isfinite, history[-1])):
                    raise Diverged(f"a loss is no number after step {step}; take more --penalty")
            if step in at:
                rows = np.array(history or [(0, math.nan, math.nan, *self.evaluate())])
                yield self._snapshot(step, rows)

    def step(self, index: int) -> tuple[float, float]:
        """Some discriminator steps, and a generator step; their losses."""
        fraction = index / self.steps
        decay = (1 + math.cos(math.pi * max(0.0, 2 * fraction - 1))) / 2
        for optimizer in (self.generator_optimizer, self.discriminator_optimizer):
            set_learning_rate(optimizer, LEARNING_RATE * decay)
        for _ in range(self.discriminator_steps):
            real, fake = _sample_target(BATCH, self._rng), self._generate(BATCH).detach()
            discriminator_loss = self.discriminator_step(real, fake)
        generator_loss = self.generator_step()
        return float(discriminator_loss.detach()), float(generator_loss.detach())

    def discriminator_step(self, real: Tensor, fake: Tensor) -> Tensor:
        """Descend the discriminator's loss and its penalty; the loss without the penalty."""
        row = LOSSES[self.loss]
        zero_centred = self.penalty > 0 and not row.needs_gradient_penalty
        real.requires_grad_(zero_centred)
        fake.requires_grad_(zero_centred)
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        loss = row.discriminator(real_logits, fake_logits)
        total = loss
        if zero_centred:
            r1, r2 = (
                zero_centred_penalty(real_logits, real),
                zero_centred_penalty(fake_logits, fake),
            )
            total = loss + self.penalty / 2 * (r1 + r2)
        elif self.penalty > 0:
            penalty = gradient_penalty(self.discriminator, real, fake, self._rng)
            total = loss + self.penalty * penalty
        _descend(self.discriminator_optimizer, total)
        return loss

    def generator_step(self) -> Tensor:
        """Descend the generator's loss, and give it."""
        self.discriminator.requires_grad_(False)
        fake = self._generate(BATCH)
        with torch.no_grad():
            real_logits = self.discriminator(_sample_target(BATCH, self._rng))
        loss = LOSSES[self.loss].generator(real_logits, self.discriminator(fake))
        _descend(self.generator_optimizer, loss)
        self.discriminator.requires_grad_(True)
        return loss

    def _generate(self, count: int) -> Tensor:
        latents = torch.randn(count, LATENT, generator=self._rng)
        return self.generator(latents)  # type: ignore[no-any-return]

    @torch.no_grad()
    def evaluate(self) -> tuple[float, float]:
        """How many clouds are covered, and which fraction of the fake points is good."""
        latents = torch.randn(EVALUATED, LATENT, generator=make_rng(self.seed, "judged"))
        distance, mode = torch.cdist(self.generator(latents), centres()).min(dim=1)
        good = distance < GOOD
        counts = torch.bincount(mode[good], minlength=MODES)
        covered = int((counts >= COVERED * EVALUATED).sum())
        return float(covered), float(good.float().mean())

    def _snapshot(self, step: int, history: NDArray[np.float64]) -> Snapshot:
        latents = torch.randn(SHOWN, LATENT, generator=make_rng(self.seed, "shown"))
        real = _sample_target(SHOWN, make_rng(self.seed, "shown", "real"))
        fake = self.generator(latents).detach()
        watched = fake[:ARROWS].clone().requires_grad_()
        with torch.no_grad():
            real_logits = self.discriminator(real)
        loss = LOSSES[self.loss].generator(real_logits[:ARROWS], self.discriminator(watched))
        (gradient,) = torch.autograd.grad(loss * ARROWS, watched)
        with torch.no_grad():
            ticks = torch.linspace(-REACH, REACH, GRID)
            y, x = torch.meshgrid(ticks, ticks, indexing="ij")
            logits = self.discriminator(torch.stack([x, y], dim=-1).reshape(-1, 2))
            middle = (real_logits.mean() + self.discriminator(fake).mean()) / 2
            field = torch.sigmoid(logits - middle).reshape(GRID, GRID)
        return Snapshot(
            loss=self.loss,
            step=step,
            steps=self.steps,
            real=real.numpy(),
            latents=latents.numpy(),
            fake=fake.numpy(),
            field=field.numpy(),
            directions=-gradient.numpy(),
            history=history,
        )


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
