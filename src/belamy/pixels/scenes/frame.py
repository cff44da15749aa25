"""What every scene shares: the frame that it is drawn in, and how colours mix."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.errors import OptionError

SMALLEST = 16  # pixels of a side: below, nothing can be told from anything


@dataclass(frozen=True)
class Frame:
    """A picture's pixels in scene units, where its height is 1.

    Args:
        height, width: in pixels.
        x, y: (H, W) the middle of each pixel; y points down.
    """

    height: int
    width: int
    x: Tensor
    y: Tensor

    @classmethod
    def of(cls, height: int, width: int) -> Frame:
        x = (torch.arange(width) + 0.5) / height
        y = (torch.arange(height) + 0.5)[:, None] / height
        return cls(height, width, x.expand(height, width), y.expand(height, width))

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def pixel(self) -> float:
        return 1 / self.height

    @property
    def aspect(self) -> float:
        return self.width / self.height


@dataclass(frozen=True)
class Painting:
    """A picture under the brush.

    Args:
        picture: (3, H, W), painted over in place.
        cover: (H, W) how much of each pixel has been painted over, 0 to 1.
    """

    picture: Tensor
    cover: Tensor

    def lay(self, rows: slice, columns: slice, paint: Tensor, alpha: Tensor) -> None:
        """Paint a rectangle: `paint` (3, h, w) or (3, 1, 1), `alpha` (h, w)."""
        below = self.picture[:, rows, columns]
        self.picture[:, rows, columns] = mix(below, paint, alpha)
        self.cover[rows, columns] = torch.maximum(self.cover[rows, columns], alpha)


def frame_for(height: int, width: int) -> Frame:
    """The frame of a picture that a user asked for.

    Raises:
        OptionError: a side below `SMALLEST`.
    """
    if min(height, width) < SMALLEST:
        raise OptionError(f"a scene of {height} × {width} is too small; {SMALLEST} px at least")
    return Frame.of(height, width)


def colour(red: float, green: float, blue: float) -> Tensor:
    """A colour (3, 1, 1), to be mixed with images (3, H, W)."""
    return torch.tensor([red, green, blue]).reshape(3, 1, 1)


def mix(first: Tensor, second: Tensor, fraction: Tensor | float) -> Tensor:
    """`first` where the share of the second is 0, `second` where it is 1."""
    return first + (second - first) * fraction


def smoothstep(low: float, high: float, value: Tensor) -> Tensor:
    """0 at `low`, 1 at `high` (which may be the lower of the two), smooth between."""
    t = ((value - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)
