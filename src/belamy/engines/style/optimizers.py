"""Optimizers of a picture's pixels, L-BFGS and Adam, and the exponential moving average of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import Diverged

Losses = dict[str, float]
GradientFunction = Callable[[Tensor], tuple[Tensor, Losses]]
"""Picture → gradient, and the losses by kind."""

# Decay of Adam's first and second moment. Source: crowsonkb/style-transfer-pytorch.
BETA1, BETA2 = 0.9, 0.99
# Far below any gradient of a mean over pixels: on 2048 px these are about 1e-7.
EPSILON = 1e-12
# Pairs of steps that L-BFGS remembers, each of two pictures. Source: as above.
_HISTORY = 10
# Pairs that projected L-BFGS remembers: of 20 the loss after the same steps is 0.1 % lower.
_SHORT_HISTORY = 8
# How far it goes at first, when nothing is known of the curvature, and how far at most: the mean
# change of a value in [0, 1]. By trial; 0.05 at most gives the same picture.
_FIRST_CHANGE, _LARGEST_CHANGE = 0.01, 0.02
# A pair whose step and change of gradient are nearly at right angles says nothing of curvature.
_LEAST_COSINE = 1e-4
# Of pyramid L-BFGS: levels of its pyramid, each half as large as the one before and counting as
# much; how far squares of gradients are blurred, in pixels; how much of them each step forgets;
# what is added to them, of their mean. By trial on two pairs at 181 px: without the squares the
# loss after 30 steps is 1 % higher.
_LEVELS, _BLUR, _FORGET, _LEAST_SQUARE = 4, 5, 0.1, 1e-3
# The average looks back over this part of a scale's steps, and never further than so many.
_WINDOW, _LONGEST_WINDOW = 1 / 5, 100


class Optimizer(Protocol):
    """What holds a picture and moves it against a gradient."""

    image: Tensor
    averaged: bool
    """Whether its pictures waver, so that their average is shown."""
    detailed: bool
    """Whether a scale begins with what of the content comes to light at its size."""

    def step(self, gradient_at: GradientFunction) -> Losses:
        """Move the picture; the losses from before."""


class Adam:
    """Adam, whose pixels stay in [0, 1], and whose moments go along to the next scale.

    Args:
        image: (1, 3, H, W), the start.
        step_size: how far a pixel moves in one step, in [0, 1].
        before: the optimizer at the scale before, whose moments are resampled: the new scale then
            starts without the noise of a fresh Adam's first steps.

    Source: Kingma & Ba 2014; the resampling from crowsonkb/style-transfer-pytorch.
    """

    averaged = True
    detailed = False

    def __init__(self, image: Tensor, step_size: float, before: Optimizer | None = None) -> None:
        self.image, self.step_size = image, step_size
        self.count = 0
        self.mean, self.square = torch.zeros_like(image), torch.zeros_like(image)
        if isinstance(before, Adam):
            size = (image.shape[-2], image.shape[-1])
            self.count = before.count
            self.mean = F.interpolate(before.mean, size=size, mode="bicubic")
            # bilinear, lest a square become negative
            self.square = F.interpolate(before.square, size=size, mode="bilinear").clamp_min_(0)

    def step(self, gradient_at: GradientFunction) -> Losses:
        gradient, losses = gradient_at(self.image)
        self.count += 1
        self.mean.lerp_(gradient, 1 - BETA1)
        self.square.lerp_(gradient.square(), 1 - BETA2)
        mean = self.mean / (1 - BETA1**self.count)
        deviation = (self.square / (1 - BETA2**self.count)).sqrt_().add_(EPSILON)
        self.image = (self.image - self.step_size * mean / deviation).clamp_(0, 1)
        return losses


class LBFGS:
    """L-BFGS without a line search, one direction a step; every scale starts anew.

    Its pixels are free while it works, since a clamped step would not be the one that it remembers.

    Args:
        image, step_size, before: as for `Adam`; nothing can be carried over.
    """

    averaged = True
    detailed = False

    def __init__(self, image: Tensor, step_size: float, before: Optimizer | None = None) -> None:
        self.image = image.clone().requires_grad_(True)
        self._optimizer = torch.optim.LBFGS(
            [self.image],
            lr=step_size,
            max_iter=1,
            history_size=_HISTORY,
            tolerance_grad=0,
            tolerance_change=0,
        )

    def step(self, gradient_at: GradientFunction) -> Losses:
        losses: Losses = {}

        def closure() -> float:
            gradient, values = gradient_at(self.image.detach())
            self.image.grad = gradient.contiguous()
            losses.update(values)
            return sum(values.values())

        self._optimizer.step(closure)  # type: ignore[no-untyped-call]
        return losses


class ProjectedLBFGS:
    """L-BFGS whose pixels stay in [0, 1], with short steps and a short memory.

    What it remembers of a step is where the picture went, clamped, and not where it was sent. It
    does not waver, so that no average lags behind it. Every scale starts anew.

    Args:
        image, step_size, before: as for `LBFGS`.

    Source: Liu & Nocedal 1989, "On the limited memory BFGS method". Differs: no line search, but a
    bound on the mean change of a value; the pictures are projected onto [0, 1].
    """

    averaged = False
    detailed = False

    def __init__(self, image: Tensor, step_size: float, before: Optimizer | None = None) -> None:
        self.image, self.step_size = image, step_size
        # In bfloat16, to remember twice as much: they only guide the direction.
        self._pairs: deque[tuple[Tensor, Tensor]] = deque(maxlen=_SHORT_HISTORY)
        self._before: tuple[Tensor, Tensor] | None = None

    def step(self, gradient_at: GradientFunction) -> Losses:
        gradient, losses = gradient_at(self.image)
        if self._before is not None:
            image, old = self._before
            self._remember(self.image - image, gradient - old)
        direction = self._direction(gradient)
        size = float(direction.abs().mean())
        factor = self.step_size * min(1.0, _LARGEST_CHANGE / size) if size > 0 else 0.0
        self._before = (self.image, gradient)
        self.image = (self.image - factor * direction).clamp_(0, 1)
        return losses

    def _remember(self, change: Tensor, bend: Tensor) -> None:
        """A step, and the gradient's change along it, if it says that the loss is convex there."""
        pair = change.bfloat16(), bend.bfloat16()
        change, bend = (one.float() for one in pair)
        if _dot(change, bend) > _LEAST_COSINE * float(change.norm() * bend.norm()):
            self._pairs.append(pair)

    def _direction(self, gradient: Tensor) -> Tensor:
        """The gradient times the inverse curvature, as far as the last steps have shown it."""
        direction = gradient.clone()
        if not self._pairs:
            direction = self._precondition(direction)
            size = float(direction.abs().mean())
            return direction.mul_(_FIRST_CHANGE / size) if size > 0 else direction
        parts = []
        for pair in reversed(self._pairs):
            change, bend = (one.float() for one in pair)
            curvature = _dot(change, bend)
            part = _dot(change, direction) / curvature
            parts.append((part, curvature))
            direction.sub_(bend, alpha=part)
        change, bend = (one.float() for one in self._pairs[-1])
        scale = _dot(change, bend) / _dot(bend, self._precondition(bend))
        direction = self._precondition(direction).mul_(scale)
        for pair, (part, curvature) in zip(self._pairs, reversed(parts), strict=True):
            change, bend = (one.float() for one in pair)
            direction.add_(change, alpha=part - _dot(bend, direction) / curvature)
        return direction

    def _precondition(self, gradient: Tensor) -> Tensor:
        """The gradient times what is known of the inverse curvature before any step."""
        return gradient


class PyramidLBFGS(ProjectedLBFGS):
    """Projected L-BFGS that begins with what pictures have in common, and the last scale learned.

    A gradient is preconditioned by the root of its latest squares, as Adam's is, which are blurred,
    so that neighbours move alike; and by its own pyramid, added up, since large forms are flat ways
    of the loss. Steps and bends go along to the next scale, resampled. Pixels at the end of their
    range, pushed on, stand still, and so do those that have no gradient.

    Args:
        image, step_size, before: as for `ProjectedLBFGS`; `before` is another of this kind, or
            nothing is taken over.
    """

    averaged = True
    detailed = True

    def __init__(self, image: Tensor, step_size: float, before: Optimizer | None = None) -> None:
        super().__init__(image, step_size, before)
        self._square: Tensor | None = None
        self._ease = torch.ones_like(image)
        if isinstance(before, PyramidLBFGS):
            size = (image.shape[-2], image.shape[-1])
            # a loss is a mean over pixels: of more of them each has a smaller gradient
            share = before.image.numel() / image.numel()
            for pair in before._pairs:
                change, bend = (
                    F.interpolate(one.float(), size=size, mode="bicubic") for one in pair
                )
                self._remember(change, bend.mul_(share))

    def _direction(self, gradient: Tensor) -> Tensor:
        self._learn(gradient)
        still = (self.image <= 0) & (gradient > 0) | (self.image >= 1) & (gradient < 0)
        still |= gradient == 0
        return super()._direction(gradient.masked_fill(still, 0)).masked_fill_(still, 0)

    def _learn(self, gradient: Tensor) -> None:
        """How far each pixel may go, by the latest gradients around it."""
        square = gradient.square()
        self._square = square if self._square is None else self._square.lerp_(square, _FORGET)
        half = min(_BLUR // 2, (min(square.shape[-2:]) - 1) // 2)
        blurred = F.avg_pool2d(self._square, 2 * half + 1, 1, half, count_include_pad=False)
        mean = float(blurred.mean())
        if mean > 0:
            self._ease = blurred.div_(mean).add_(_LEAST_SQUARE).pow_(-0.25)

    def _precondition(self, gradient: Tensor) -> Tensor:
        level = gradient * self._ease
        total = level.clone()
        for _ in range(_LEVELS - 1):
            height, width = level.shape[-2:]
            even = F.pad(level, (0, width % 2, 0, height % 2), mode="replicate")
            level = F.avg_pool2d(even, 2)
            total += F.interpolate(level, size=gradient.shape[-2:], mode="bilinear")
        return total.mul_(self._ease)


def _dot(one: Tensor, other: Tensor) -> float:
    return float(torch.dot(one.flatten(), other.flatten()))


OPTIMIZERS: dict[str, type[Adam] | type[LBFGS] | type[ProjectedLBFGS]] = {
    "pyramid-lbfgs": PyramidLBFGS,
    "adam": Adam,
    "lbfgs": LBFGS,
    "projected-lbfgs": ProjectedLBFGS,
}
"""Name → the optimizer; its usual step size is in `belamy.engines.style.options.STEP_SIZES`."""


class EMA:
    """The exponential moving average of pictures, corrected for the bias of its start.

    One picture of a descent wavers around where it is heading; the average has less grain.

    Args:
        steps: how many pictures will come; it looks back over a part of them.
    """

    def __init__(self, steps: int) -> None:
        self.decay = 1 - 1 / min(_LONGEST_WINDOW, max(1.0, _WINDOW * steps))
        self._sum: Tensor | None = None
        self._weight = 0.0

    def add(self, image: Tensor) -> Tensor:
        """The average with one more picture, in [0, 1]."""
        if not bool(image.isfinite().all()):
            raise Diverged("the picture is no longer numbers; try a smaller step size, or adam")
        fresh = (1 - self.decay) * image.detach()
        self._sum = fresh if self._sum is None else self._sum.mul_(self.decay).add_(fresh)
        self._weight = self.decay * self._weight + (1 - self.decay)
        return (self._sum / self._weight).clamp_(0, 1)
