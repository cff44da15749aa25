"""How a stranger's network takes its pictures and keeps their size, found out on a drawn one.

A network that is fed otherwise than it learned paints black, white or one grey. What it makes of a
drawn landscape shows: the right range gives a picture, whose numbers stay in the range.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from belamy.errors import PictureWarning, WeightsError
from belamy.networks.files.ranges import RANGES
from belamy.networks.image_to_image.network import CHECKED_SIDE
from belamy.pixels.scenes import landscape

__all__ = ["USUAL", "RangedRun", "Run", "choose_range", "measure_stride"]

Run = Callable[[Tensor], Tensor]

USUAL = "0-255"
"""What PyTorch's fast_neural_style takes, and most networks of others with it."""

_TRIED = (USUAL, "0-1", "-1-1")
_STRIDES = (4, 8, 16, 32, 64, 128)
_FLAT = 0.05  # from the darkest twentieth to the lightest: less is no picture
_OVERSHOOT = 0.1
_CLIPPED = 0.5  # of the numbers beyond the range: more is no picture
_NEARLY = 0.6  # as good as the best is good enough for what is usual


@dataclass(frozen=True)
class RangedRun:
    """A network that takes and gives numbers in a range, for pictures in [0, 1].

    Args:
        run: (1, 3, H, W) of the network's numbers → the same.
        range: one of `RANGES`.
    """

    run: Run
    range: str

    def __call__(self, image: Tensor) -> Tensor:
        mean, std = (torch.tensor(x).view(1, 3, 1, 1).to(image) for x in RANGES[self.range])
        x = (image - mean) / std
        if self.range == "caffe":  # blue comes first
            return self.run(x.flip(1)).flip(1) * std + mean
        return self.run(x) * std + mean


def choose_range(path: Path, run: Run, size: tuple[int, int], stated: str) -> str:
    """The range that a network takes.

    Args:
        path: the file, for messages.
        run: takes and gives the network's own numbers.
        size: height and width of a picture that it takes.
        stated: one of `RANGES`, or auto.

    Raises:
        WeightsError: what is stated gives no picture, or nothing does.
    """
    picture = landscape(*size)
    tried = _TRIED if stated == "auto" else (stated, *_TRIED)
    scores = {name: _score(RangedRun(run, name), picture) for name in dict.fromkeys(tried)}
    best = max(scores, key=lambda name: scores[name])
    if not scores[best]:
        raise WeightsError(
            f"{path} paints no picture, be it fed with {', '.join(scores)}; it is of another kind"
        )
    if stated != "auto":
        if not scores[stated]:
            raise WeightsError(
                f"{path} paints one flat colour with range {stated}; take range {best}"
            )
        return stated
    if scores[USUAL] >= _NEARLY * scores[best]:
        return USUAL
    warnings.warn(
        f"{path} gives a picture with range {best}, not with the usual {USUAL}; say --range "
        f"{best} to be sure",
        PictureWarning,
        stacklevel=2,
    )
    return best


def _score(run: Run, picture: Tensor) -> float:
    """How much of a picture comes out: its contrast, less what lies beyond the range; 0 where it
    is flat, saturated, or the network fails."""
    with torch.inference_mode():
        painted = run(picture)
    if painted.shape != picture.shape or not bool(painted.isfinite().all()):
        return 0.0
    beyond = (painted < -_OVERSHOOT) | (painted > 1 + _OVERSHOOT)
    clipped = float(beyond.float().mean())
    low, high = torch.quantile(painted.clamp(0, 1), torch.tensor([0.05, 0.95])).tolist()
    if high - low < _FLAT or clipped > _CLIPPED:
        return 0.0
    return float((high - low) * (1 - clipped) ** 2)


def measure_stride(path: Path, run: Run) -> int:
    """The least of some strides at whose multiples a network keeps a picture's size.

    Raises:
        WeightsError: there is none.
    """
    reason = "it changes the size of pictures"
    for stride in _STRIDES:
        low = -(-CHECKED_SIDE // stride) * stride
        grey = torch.full((1, 3, low, low + stride), 0.5)
        try:
            if run(grey).shape == grey.shape:
                return stride
        except WeightsError as error:
            reason = str(error)
    if reason.startswith(str(path)):
        raise WeightsError(reason)
    raise WeightsError(f"{path} cannot be run here: {reason}")
