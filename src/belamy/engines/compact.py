"""Large pictures that wait while something else is worked on, in as few bytes as hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.memory import PICTURE
from belamy.pixels.images import resize

__all__ = ["CompactPicture"]

_WHITE = 255


@dataclass(frozen=True)
class CompactPicture:
    """A picture (1, 3, H, W) in [0, 1]: as bytes where it is large and has 8 bits, else as floats.

    Args:
        numbers: uint8, or the floats.
    """

    numbers: Tensor

    @classmethod
    def of(cls, image: Tensor) -> CompactPicture:
        """The picture, to the last bit: photographs of 8 bits are, what was resized is not."""
        if image.nbytes < PICTURE or image.dtype != torch.float32:
            return cls(image)
        numbers = torch.empty_like(image, dtype=torch.uint8)
        for channel, own in zip(
            torch.split(image, 1, dim=1), torch.split(numbers, 1, dim=1), strict=True
        ):
            own.copy_(channel.mul(_WHITE).round_())
            if not torch.equal(_floats(own), channel):
                return cls(image)
        return cls(numbers)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.numbers.shape[-2], self.numbers.shape[-1]

    def floats(self) -> Tensor:
        """The picture itself, not to be written over."""
        return _floats(self.numbers)

    def channels(self, size: tuple[int, int]) -> Iterator[Tensor]:
        """Each of its colours at a size, (1, 1, h, w): one at a time."""
        return (resize(_floats(one), size) for one in torch.split(self.numbers, 1, dim=1))

    def resize(self, size: tuple[int, int]) -> Tensor:
        """The picture at another size, as `belamy.pixels.images.resize` makes it."""
        return self.floats() if size == self.size else torch.cat([*self.channels(size)], dim=1)


def _floats(numbers: Tensor) -> Tensor:
    return numbers.float().div_(_WHITE) if numbers.dtype == torch.uint8 else numbers
