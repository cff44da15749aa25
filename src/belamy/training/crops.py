"""Random crops: the same thing seen nearer, farther, wider, mirrored; and those of a step."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from belamy.devices import make_rng
from belamy.training.data import batch_indices

GROUP = 16  # pictures that share one crop shape, so that one resampling serves them all: by speed
RATIO = (3 / 4, 4 / 3)  # width over height, as in GoogLeNet's training (Szegedy et al. 2014)


def sample_crops(
    images: Tensor,
    step: int,
    *,
    batch: int,
    size: int,
    area: tuple[float, float],
    seed: int,
    rank: int = 0,
    world_size: int = 1,
) -> tuple[Tensor, Tensor]:
    """What a training step looks at: a function of (seed, step, rank) alone.

    Args:
        images: uint8 (M, S, S, 3), all there are.
        step: which one.
        batch: pictures for one process, N.
        size, area: see `random_resized_crops`.
        rank, world_size: which process this is, and of how many; each takes pictures of its own.

    Returns:
        the crops, float32 (N, 3, size, size) in [0, 1], and which pictures they are of, int64 (N,).
    """
    chosen = batch_indices(len(images), batch, step, seed=seed, rank=rank, world_size=world_size)
    rng = make_rng(seed, "crops", step, rank)
    return random_resized_crops(images[chosen], size, rng, area=area), chosen


def random_resized_crops(
    images: Tensor, size: int, rng: torch.Generator, *, area: tuple[float, float]
) -> Tensor:
    """Crops of random shape and place, resampled to squares, half of them mirrored.

    Source: Szegedy et al. 2014, section 6 (area 8–100 %, ratio 3/4–4/3). **Differs**: the shape is
    shared by groups of 16 pictures, the place and the mirroring are each picture's own.

    Args:
        images: uint8 (N, S, S, 3).
        size: side of the result in pixels.
        rng: where the choices come from.
        area: the least and most fraction of the picture that a crop covers, in (0, 1].

    Returns:
        float32 (N, 3, size, size) in [0, 1].
    """
    parts = [_crop_group(part, size, rng, area) for part in torch.split(images, GROUP)]
    batch = torch.cat(parts).div_(255)
    flips = torch.rand(len(batch), generator=rng) < 0.5
    return torch.where(flips.view(-1, 1, 1, 1), batch.flip(-1), batch)


def _crop_group(
    images: Tensor, size: int, rng: torch.Generator, area: tuple[float, float]
) -> Tensor:
    side = images.shape[1]
    height, width = _draw_shape(side, rng, area)
    tops = torch.randint(side - height + 1, (len(images),), generator=rng).tolist()
    lefts = torch.randint(side - width + 1, (len(images),), generator=rng).tolist()
    crops = torch.stack(
        [
            image[top : top + height, left : left + width]
            for image, top, left in zip(images, tops, lefts, strict=True)
        ]
    )
    return resample(crops, size)


def _draw_shape(side: int, rng: torch.Generator, area: tuple[float, float]) -> tuple[int, int]:
    draws = torch.rand(2, generator=rng).tolist()
    fraction = area[0] + (area[1] - area[0]) * draws[0]
    low, high = (math.log(value) for value in RATIO)
    ratio = math.exp(low + (high - low) * draws[1])
    height = round(side * math.sqrt(fraction / ratio))
    width = round(side * math.sqrt(fraction * ratio))
    return min(side, max(1, height)), min(side, max(1, width))


def resample(images: Tensor, size: int) -> Tensor:
    """uint8 (N, H, W, 3) → float32 (N, 3, size, size) in 0–255, antialiased."""
    pixels = images.permute(0, 3, 1, 2).float()  # (N, 3, H, W)
    if pixels.shape[-2:] == (size, size):
        return pixels
    return interpolate(pixels, (size, size), mode="bilinear", antialias=True, align_corners=False)
