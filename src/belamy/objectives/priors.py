"""Image priors: total variation in three forms, and the range penalty.

Priors read the picture itself, under the key `IMAGE` of the activations: (N,C,H,W) in [0,1].
Beyond the border the picture continues as its edge, so that each is a mean over exactly H·W
positions (which lets the gradients of tiles add up) and works down to a single pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from belamy.objectives.objective import IMAGE, Objective


def _of_image(score: Callable[[Tensor], Tensor], name: str) -> Objective:
    return Objective(lambda activations: score(activations[IMAGE]), frozenset({IMAGE}), name)


def _right(image: Tensor) -> Tensor:
    return image.diff(dim=-1)


def _down(image: Tensor) -> Tensor:
    return image.diff(dim=-2)


def total_variation() -> Objective:
    """Mean of |right − here| + |below − here|: quiets noise and leaves edges sharp.

    Zero for a flat picture.

    Source: Rudin, Osher & Fatemi, 1992, in the anisotropic form of jcjohnson/neural-style.
    """

    def score(image: Tensor) -> Tensor:
        return (_right(image).abs().sum() + _down(image).abs().sum()) / image.numel()

    return _of_image(score, "total_variation")


def squared_variation() -> Objective:
    """Mean of (right − here)² + (below − here)²: smooths everything, edges most.

    Zero for a flat picture.

    Source: Mahendran & Vedaldi, "Understanding deep image representations", 2015, β = 2.
    """

    def score(image: Tensor) -> Tensor:
        return (_right(image).square().sum() + _down(image).square().sum()) / image.numel()

    return _of_image(score, "squared_variation")


def nine_point_variation() -> Objective:
    """Squared variation that is nearly the same in every direction, diagonals included.

    2 · (mean right² / 3 + mean down² / 3 + mean of both diagonals' squares / 12). Its gradient is
    the nine-point Laplacian. Zero for a flat picture.

    Source: crowsonkb/style-transfer-pytorch, `TVLoss`. Differs: the diagonals, too, are averaged
    over the H·W positions, where Crowson divides by (H+1)·(W+1).
    """

    def score(image: Tensor) -> Tensor:
        straight = _right(image).square().sum() + _down(image).square().sum()
        wide = F.pad(image, (1, 1, 1, 1), mode="replicate")
        falling = wide[..., 1:, 1:] - wide[..., :-1, :-1]
        rising = wide[..., 1:, :-1] - wide[..., :-1, 1:]
        diagonal = falling.square().sum() + rising.square().sum()
        return 2 * (straight / 3 + diagonal / 12) / image.numel()

    return _of_image(score, "nine_point_variation")


def range_penalty() -> Objective:
    """Mean of the squared distance to [0,1]: for canvases that are not bounded by themselves.

    Zero for a picture in range.
    """
    return _of_image(lambda image: (image - image.clamp(0, 1)).square().mean(), "range_penalty")
