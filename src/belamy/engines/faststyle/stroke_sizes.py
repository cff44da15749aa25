"""Strokes that are as broad as the picture is large: painted small first, then with finer ones.

A network paints strokes of so many pixels: on a photograph of twelve megapixels they are a speckle.
So the picture is painted at the size at which its strokes are as broad as they should be, and what
is painted is enlarged, twice at a time. Each time the details of the photograph that have come to
be visible are added, it is painted again, and of that the details alone are taken: so the strokes
of the first painting stay where they are, and are filled with finer ones.

Source: coarse to fine as in Gatys et al. 2017, "Controlling perceptual factors in neural style
transfer", section 6. **Differs**: a feed-forward network paints each size, and what is larger than
its details stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from belamy.engines.compact import CompactPicture
from belamy.pixels.images import resize

__all__ = ["list_sizes", "paint_by_sizes"]

Paint = Callable[[Tensor], Tensor]

# How much of the photograph's details is painted, and of what is painted stays. By eye
_PHOTOGRAPH, _DETAILS = 0.8, 0.9


def list_sizes(size: tuple[int, int], first: float) -> list[tuple[int, int]]:
    """Heights and widths at which a picture is painted, from the smallest to its own.

    Args:
        size: its own.
        first: the long side of the smallest; of a picture that is smaller there is one alone.
    """
    long_side = max(size)
    sides = [float(long_side)]
    while sides[-1] > first * 2**0.5:  # lest the first two be nearly alike
        sides.append(max(first, sides[-1] / 2))
    scaled = [[max(1, round(side * own / long_side)) for own in size] for side in sides[1:]]
    return [*((height, width) for height, width in reversed(scaled)), size]


def paint_by_sizes(paint: Paint, image: CompactPicture, first: float) -> Tensor:
    """The picture (1, 3, H, W) painted, with strokes as broad as on one of `first` pixels.

    Args:
        paint: one pass of the network at a picture's own size; what it gives is not clamped.
        image: in [0, 1].
        first: see `list_sizes`.
    """
    smallest, *larger = list_sizes(image.size, first)
    painted = paint(image.resize(smallest)).clamp(0, 1)
    before = smallest
    for size in larger:
        # Of pictures as large as this one few are there at a time: what was enlarged is enlarged
        # again rather than kept beside the network's own activations.
        again = paint(
            _add_details(_enlarge(painted, size), image.channels(size), before, _PHOTOGRAPH)
        )
        colours = (channel.clamp(0, 1) for channel in torch.split(again, 1, dim=1))
        painted = _add_details(_enlarge(painted, size), colours, before, _DETAILS)
        del again, colours
        before = size
    return painted


def _enlarge(image: Tensor, size: tuple[int, int]) -> Tensor:
    """As `resize`, a colour at a time, in memory of its own."""
    enlarged = image.new_empty((*image.shape[:2], *size))
    for channel, out in zip(
        torch.split(image, 1, dim=1), torch.split(enlarged, 1, dim=1), strict=True
    ):
        out.copy_(resize(channel, size))
    return enlarged


def _add_details(
    base: Tensor, image: Iterable[Tensor], size: tuple[int, int], amount: float
) -> Tensor:
    """`base`, written over, with a part of what an image loses when it is shrunk to `size`.

    Args:
        image: its colours, one after another.
    """
    for out, channel in zip(torch.split(base, 1, dim=1), image, strict=True):
        details = resize(resize(channel, size), (channel.shape[-2], channel.shape[-1]))
        torch.sub(channel, details, out=details)
        out.add_(details.mul_(amount)).clamp_(0, 1)
    return base
