"""The two networks of the toy GAN, and their fight, with what each of them sees on the way.

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

from belamy.devices import make_rng as chance
from belamy.errors import Diverged
from belamy.objectives.adversarial import LOSSES, gradient_penalty, zero_centred_penalty

__all__ = ["MODES", "RADIUS", "REACH", "SPREAD", "Fight", "Moment", "centres"]

MODES, RADIUS, SPREAD = 8, 2.0, 0.05
REACH = 3.0  # of what is drawn: −3 to 3 both ways
GOOD = 3 * SPREAD  # a point this near to a cloud's centre is good: 98.9 % of the real ones are
COVERED = 0.02  # part of all points that makes a cloud covered; a fair share is 0.125

LATENT, WIDTH, LEVELS = 2, 128, 3  # both networks: three hidden levels of 128
BATCH = 128
RATE, BETA2 = 3e-3, 0.9  # of Adam; the rate falls to nothing in the second half, that all settle
JUDGED, SHOWN, ARROWS = 2500, 700, 90  # points
_TOWARDS_ONE = frozenset({"wasserstein"})  # whose slopes should be 1, not 0
GRID = 121  # places each way of the discriminator's field

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Moment:
    """How the fight stands.

    Args:
        loss: its name.
        step: of the generator, made so far; `steps` in all.
        real: points of the target (N, 2).
        latents: what the generator was given (N, 2).
        made: what it made of them (N, 2).
        field: the discriminator's D(x), above what it gives on average, as (GRID, GRID), from 0
            (made) to 1 (real).
        pulls: for the first of `made`, where the generator's loss pulls them (A, 2).
        history: rows (step, discriminator's loss, generator's loss, clouds covered, part good).
    """

    loss: str
    step: int
    steps: int
    real: Array
    latents: Array
    made: Array
    field: Array
    pulls: Array
    history: NDArray[np.float64]

    @property
    def covered(self) -> int:
        """Of the eight clouds, how many hold a fiftieth or more of what is made."""
        return int(self.history[-1, 3])

    @property
    def good(self) -> float:
        """Part of what is made that lies within three standard deviations of a cloud's centre."""
        return float(self.history[-1, 4])


def centres() -> Tensor:
    """Of the clouds: (8, 2)."""
    angles = torch.arange(MODES) * (2 * math.pi / MODES)
    return RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)


def _points(count: int, random: torch.Generator) -> Tensor:
    """Of the target: (count, 2)."""
    modes = torch.randint(MODES, (count,), generator=random)
    return centres()[modes] + SPREAD * torch.randn(count, 2, generator=random)


def _network(outputs: int, random: torch.Generator) -> nn.Sequential:
    sizes = (LATENT, *[WIDTH] * LEVELS, outputs)
    parts: list[nn.Module] = []
    for inputs, neurons in itertools.pairwise(sizes):
        level = nn.Linear(inputs, neurons)
        bound = 1 / math.sqrt(inputs)  # torch's own, but of our chance
        nn.init.uniform_(level.weight, -bound, bound, random)
        nn.init.uniform_(level.bias, -bound, bound, random)
        parts += [level, nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts[:-1])


class Fight:
    """A generator and a discriminator, and what they want of each other.

    Args:
        loss: of `LOSSES`.
        penalty: weight γ of the penalty on the discriminator's slopes: γ/2 (R1 + R2), or γ times
            Gulrajani's for wasserstein.
        momentum: Adam's β₁.
        discriminator_steps: for each one of the generator.
        steps: of the generator.
        seed: of everything; fights of one seed begin alike.
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
        self.generator = _network(2, chance(seed, "generator"))
        self.discriminator = _network(1, chance(seed, "discriminator"))
        self._optimizers = [
            torch.optim.Adam(network.parameters(), RATE, (float(momentum), BETA2), fused=True)
            for network in (self.generator, self.discriminator)
        ]
        self._random = chance(seed, "fight")

    def moments(self, wanted: Collection[int]) -> Iterator[Moment]:
        """Fight to the end; yields how it stands after each of the `wanted` steps."""
        history: list[tuple[float, ...]] = []
        every = max(1, self.steps // 200)
        for step in range(self.steps + 1):
            if step > 0:
                losses = self.step(step - 1)
            if step > 0 and (step % every == 0 or step in wanted):
                history.append((step, *losses, *self._judged()))
                if not all(map(math.isfinite, history[-1])):
                    raise Diverged(f"a loss is no number after step {step}; take more --penalty")
            if step in wanted:
                rows = np.array(history or [(0, math.nan, math.nan, *self._judged())])
                yield self._moment(step, rows)

    def step(self, index: int) -> tuple[float, float]:
        """Some steps of the discriminator, and one of the generator; their losses."""
        part = index / self.steps
        falling = (1 + math.cos(math.pi * max(0.0, 2 * part - 1))) / 2
        for optimizer in self._optimizers:
            optimizer.param_groups[0]["lr"] = RATE * falling
        for _ in range(self.discriminator_steps):
            real, made = _points(BATCH, self._random), self._make(BATCH).detach()
            judged = self._judge(real, made)
        self.discriminator.requires_grad_(False)
        made = self._make(BATCH)
        with torch.no_grad():
            of_real = self.discriminator(_points(BATCH, self._random))
        fooled = LOSSES[self.loss].generator(of_real, self.discriminator(made))
        _descend(self._optimizers[0], fooled)
        self.discriminator.requires_grad_(True)
        return float(judged.detach()), float(fooled.detach())

    def _make(self, count: int) -> Tensor:
        latents = torch.randn(count, LATENT, generator=self._random)
        return self.generator(latents)  # type: ignore[no-any-return]

    def _judge(self, real: Tensor, made: Tensor) -> Tensor:
        """One step of the discriminator; its loss without the penalty."""
        slopes = self.penalty > 0 and self.loss not in _TOWARDS_ONE
        real.requires_grad_(slopes)
        made.requires_grad_(slopes)
        of_real, of_made = self.discriminator(real), self.discriminator(made)
        loss = LOSSES[self.loss].discriminator(of_real, of_made)
        total = loss
        if slopes:
            both = zero_centred_penalty(of_real, real) + zero_centred_penalty(of_made, made)
            total = loss + self.penalty / 2 * both
        elif self.penalty > 0:
            total = loss + self.penalty * gradient_penalty(
                self.discriminator, real, made, self._random
            )
        _descend(self._optimizers[1], total)
        return loss

    @torch.no_grad()
    def _judged(self) -> tuple[float, float]:
        """How many clouds are covered, and which part of what is made is good."""
        latents = torch.randn(JUDGED, LATENT, generator=chance(self.seed, "judged"))
        distance, mode = torch.cdist(self.generator(latents), centres()).min(dim=1)
        good = distance < GOOD
        counts = torch.bincount(mode[good], minlength=MODES)
        covered = int((counts >= COVERED * JUDGED).sum())
        return float(covered), float(good.float().mean())

    def _moment(self, step: int, history: NDArray[np.float64]) -> Moment:
        latents = torch.randn(SHOWN, LATENT, generator=chance(self.seed, "shown"))
        real = _points(SHOWN, chance(self.seed, "shown", "real"))
        made = self.generator(latents).detach()
        watched = made[:ARROWS].clone().requires_grad_()
        with torch.no_grad():
            of_real = self.discriminator(real)
        fooled = LOSSES[self.loss].generator(of_real[:ARROWS], self.discriminator(watched))
        (slope,) = torch.autograd.grad(fooled * ARROWS, watched)
        with torch.no_grad():
            ticks = torch.linspace(-REACH, REACH, GRID)
            y, x = torch.meshgrid(ticks, ticks, indexing="ij")
            field = self.discriminator(torch.stack([x, y], dim=-1).reshape(-1, 2))
            middle = (of_real.mean() + self.discriminator(made).mean()) / 2
            certain = torch.sigmoid(field - middle).reshape(GRID, GRID)
        return Moment(
            loss=self.loss,
            step=step,
            steps=self.steps,
            real=real.numpy(),
            latents=latents.numpy(),
            made=made.numpy(),
            field=certain.numpy(),
            pulls=-slope.numpy(),
            history=history,
        )


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
