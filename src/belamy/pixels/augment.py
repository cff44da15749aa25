"""Random transformations for feature visualisation: jitter, scale, rotation, padding.

Each function makes a `Transform`: (picture, generator) → picture, differentiable, and the same
for the same state of the generator. The generator lives on the CPU, the picture anywhere. (On
CUDA, gradients of `scale` and `rotate` repeat up to rounding only: torch sums them in any order.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.pyramid import pad as pad_border

Transform = Callable[[Tensor, torch.Generator], Tensor]

# Lucid's `standard_transforms`, optvis/transform.py: the five extra zeros leave the picture
# upright more often.
PADDING = 12
FIRST_JITTER, LAST_JITTER = 8, 4
SCALES = tuple(1 + step / 50 for step in range(-5, 6))
DEGREES = (*range(-10, 11), 0, 0, 0, 0, 0)
GREY = 0.5
CROP_DEVIATION = 0.15  # of a crop's middle, in sides of the picture. Source: horama


def random_shift(limit: int, rng: torch.Generator) -> tuple[int, int]:
    """Pixels down and right, each drawn evenly from -limit … limit."""
    down, right = torch.randint(-limit, limit + 1, (2,), generator=rng).tolist()
    return down, right


def roll(image: Tensor, shift: tuple[int, int]) -> Tensor:
    """(…,H,W) moved down and right; what leaves at one side comes in at the other."""
    return torch.roll(image, shift, dims=(-2, -1))


def roll_back(image: Tensor, shift: tuple[int, int]) -> Tensor:
    """The inverse of `roll` with the same shift."""
    return torch.roll(image, (-shift[0], -shift[1]), dims=(-2, -1))


def roll_jitter(limit: int) -> Transform:
    """Roll by up to `limit` pixels each way; the size stays, and edges meet inside."""
    return lambda image, rng: roll(image, random_shift(limit, rng))


def crop_jitter(pixels: int) -> Transform:
    """A random window, smaller by `pixels` in height and width; a picture keeps at least 1."""

    def apply(image: Tensor, rng: torch.Generator) -> Tensor:
        height, width = image.shape[-2:]
        down, right = torch.randint(pixels + 1, (2,), generator=rng).tolist()
        window = max(1, height - pixels), max(1, width - pixels)
        top, left = min(down, height - window[0]), min(right, width - window[1])
        return image[..., top : top + window[0], left : left + window[1]]

    return apply


def pad(pixels: int) -> Transform:
    """A border of `pixels` all around, the picture's mirror image."""
    return lambda image, _: pad_border(image, pixels, pixels, pixels, pixels, "reflect")


def pad_grey(pixels: int) -> Transform:
    """A border of `pixels` all around, of middle grey."""
    return lambda image, _: F.pad(image, (pixels,) * 4, value=GREY)


def scale(factors: Sequence[float]) -> Transform:
    """Resize by one of the factors, bilinearly; the size changes with it."""

    def apply(image: Tensor, rng: torch.Generator) -> Tensor:
        factor = _choose(factors, rng)
        size = [max(1, round(side * factor)) for side in image.shape[-2:]]
        return F.interpolate(image, size=size, mode="bilinear", align_corners=False)

    return apply


def rotate(degrees: Sequence[float], outside: str = "reflection") -> Transform:
    """Turn anticlockwise about the middle by one of the angles; the size stays.

    Args:
        degrees: the angles to choose from.
        outside: what fills the corners: `reflection`, `border`, or `zeros` (black).
    """

    def apply(image: Tensor, rng: torch.Generator) -> Tensor:
        angle = math.radians(_choose(degrees, rng))
        height, width = image.shape[-2:]
        sine, cosine = math.sin(angle), math.cos(angle)
        # Coordinates run from -1 to 1 on both axes, so a turn has to undo the aspect.
        turn = image.new_tensor(
            [[cosine, -sine * height / width, 0], [sine * width / height, cosine, 0]]
        )
        grid = F.affine_grid(
            turn.expand(image.shape[0], 2, 3), list(image.shape), align_corners=False
        )
        return F.grid_sample(image, grid, padding_mode=outside, align_corners=False)

    return apply


def _choose(options: Sequence[float], rng: torch.Generator) -> float:
    return options[int(torch.randint(len(options), (1,), generator=rng))]


def compose(*transforms: Transform) -> Transform:
    """One transform after the other, all drawing from the same generator."""

    def apply(image: Tensor, rng: torch.Generator) -> Tensor:
        for transform in transforms:
            image = transform(image, rng)
        return image

    return apply


def same_size(transform: Transform) -> Transform:
    """`transform`, its result cropped or mirrored outwards to the size that came in."""

    def apply(image: Tensor, rng: torch.Generator) -> Tensor:
        return _center_crop_or_pad(transform(image, rng), image.shape[-2], image.shape[-1])

    return apply


def _center_crop_or_pad(image: Tensor, height: int, width: int) -> Tensor:
    down, right = height - image.shape[-2], width - image.shape[-1]
    top, left = down // 2, right // 2
    image = image[..., max(0, -top) :, max(0, -left) :][..., :height, :width]
    grow_down, grow_right = max(0, down), max(0, right)
    top, left = max(0, top), max(0, left)
    return pad_border(image, left, grow_right - left, top, grow_down - top, "reflect")


def robust() -> Transform:
    """Lucid's standard changes: pad, jitter, scale, turn, jitter. The size changes a little.

    Source: lucid, optvis/transform.py. Differs: the corners that a turn opens are grey like the
    padding instead of black.
    """
    return compose(
        pad_grey(PADDING),
        crop_jitter(FIRST_JITTER),
        scale(SCALES),
        _around_grey(rotate(DEGREES, "zeros")),
        crop_jitter(LAST_JITTER),
    )


def _around_grey(transform: Transform) -> Transform:
    return lambda image, rng: transform(image - GREY, rng) + GREY


def robust_same_size() -> Transform:
    """The same changes without grey edges: the picture is mirrored outwards, and its size stays.

    A network never sees a border that the picture will not have.
    """
    return same_size(
        compose(
            pad(PADDING),
            crop_jitter(FIRST_JITTER),
            scale(SCALES),
            rotate(DEGREES, "reflection"),
            crop_jitter(LAST_JITTER),
        )
    )


def random_crop(shares: tuple[float, float], side: int, noise: float) -> Transform:
    """A square out of the picture, brought to `side` pixels, with noise on it.

    Its side is a share of the shorter side, drawn evenly; its middle lies about the picture's
    middle, with a deviation of 0.15 of each side, and the square never leaves the picture. The
    noise is normal of deviation `noise`, and as much again, even over ±noise/2.

    Source: Fel et al. 2023 (see `MacoCanvas`), and their code in horama.
    """

    def apply(image: Tensor, rng: torch.Generator) -> Tensor:
        low, high = shares
        share = low + (high - low) * float(torch.rand((), generator=rng))
        window = max(1, round(share * min(image.shape[-2:])))
        middle = 0.5 + CROP_DEVIATION * torch.randn(2, generator=rng, dtype=torch.float64)
        top, left = (
            min(max(round(length * at - window / 2), 0), length - window)
            for length, at in zip(image.shape[-2:], middle.tolist(), strict=True)
        )
        crop = image[..., top : top + window, left : left + window]
        crop = F.interpolate(crop, size=(side, side), mode="bilinear", align_corners=False)
        normal = torch.randn(crop.shape, generator=rng)
        even = torch.rand(crop.shape, generator=rng) - 0.5
        return crop + noise * (normal + even).to(crop)

    return apply
