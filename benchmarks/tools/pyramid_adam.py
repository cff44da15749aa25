"""Adam on a pyramid of the picture: large forms move at a rate of their own. Not in belamy."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.engines.style.optimizers import EPSILON, GradientFunction, Losses, Optimizer

LEVELS, WEIGHT = 3, 0.5  # each level counts half as much as the next finer one
BETA1, BETA2 = 0.9, 0.95
LAST_FACTOR = 0.02  # of the step size, which falls by a cosine over a scale's steps


class PyramidAdam:
    """Each level of the gradient's pyramid has Adam's moments, and the moves are added up.

    Args:
        step_size: at the beginning of a scale.
        steps: of this scale.
        before: whose moments go along, resampled.
    """

    averaged = False

    def __init__(
        self, image: Tensor, step_size: float, steps: int, before: Optimizer | None
    ) -> None:
        self.image, self.step_size, self.steps = image, step_size, steps
        self.done = self.count = 0
        levels = _pyramid(torch.zeros_like(image))
        self.means = levels
        self.squares = [one.clone() for one in levels]
        if isinstance(before, PyramidAdam):
            self.count = before.count
            sizes = [one.shape[-2:] for one in levels]
            pairs = zip(before.means, sizes, strict=True)
            self.means = [F.interpolate(x, size=s, mode="bicubic") for x, s in pairs]
            pairs = zip(before.squares, sizes, strict=True)
            self.squares = [F.interpolate(x, size=s, mode="bilinear") for x, s in pairs]

    def step(self, gradient_at: GradientFunction) -> Losses:
        gradient, losses = gradient_at(self.image)
        self.count += 1
        falling = 0.5 * (1 + math.cos(math.pi * self.done / self.steps))
        rate = self.step_size * (LAST_FACTOR + (1 - LAST_FACTOR) * falling)
        self.done += 1
        image = self.image
        for level, one in enumerate(_pyramid(gradient)):
            mean = self.means[level].lerp_(one, 1 - BETA1) / (1 - BETA1**self.count)
            square = self.squares[level].lerp_(one.square(), 1 - BETA2) / (1 - BETA2**self.count)
            move = mean / (square.sqrt() + EPSILON)
            size = image.shape[-2:]
            image = image - rate * WEIGHT**level * F.interpolate(move, size=size, mode="bilinear")
        self.image = image.clamp(0, 1)
        return losses


def _pyramid(image: Tensor) -> list[Tensor]:
    levels = [image]
    for _ in range(LEVELS - 1):
        height, width = levels[-1].shape[-2:]
        even = F.pad(levels[-1], (0, width % 2, 0, height % 2), mode="replicate")
        levels.append(F.avg_pool2d(even, 2))
    return levels
