"""Rendered scenes to learn from, beside photos: their depth is known, fog on them is exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.defog.dataset import ImageSet, jitter_exposure
from belamy.pixels.fog.depth import uniform
from belamy.pixels.fog.model import Fog, degrade, fog_at
from belamy.pixels.rendering.collection import RenderedScenes, render_scenes
from belamy.pixels.rendering.materials import SIDE
from belamy.training.crops import RATIO
from belamy.training.data import batch_indices

__all__ = ["HELD_OUT", "RenderedSet", "held_out_in_fog", "open_rendered", "sample_rendered"]

HELD_OUT = 60
"""Scenes that are measured on alone; their textures are of pictures that are held out too."""

_RENDERED_SIDE = 176  # pixels of a scene
_TEXTURES = 200  # photos of each set, at most, that textures are cut out of
_AREA = (0.4, 1.0)  # of a scene, that a crop covers


@dataclass(frozen=True)
class RenderedSet:
    """Scenes to learn on, and others to measure on; None for none."""

    train: RenderedScenes
    held_out: RenderedScenes | None


def open_rendered(sets: Sequence[ImageSet], count: int, seed: int) -> RenderedSet:
    """Scenes with textures out of the pictures that are learned from, rendered where they are not
    in the cache.

    Args:
        sets: of pictures; those of less than 64 pixels give no textures.
        count: scenes to learn on.
        seed: of the scenes.
    """
    train = _render([one.train for one in sets], count, (seed, 0))
    held_out = [one.held_out for one in sets if len(one.held_out) > 0]
    return RenderedSet(train, _render(held_out, HELD_OUT, (seed, 1)) if held_out else None)


def _render(pictures: Sequence[Tensor], count: int, seed: tuple[int, int]) -> RenderedScenes:
    photos = [_textures(one) for one in pictures if one.shape[1] >= SIDE]
    if not photos:  # walls without pictures on them
        photos = [np.full((1, SIDE, SIDE, 3), 128, np.uint8)]
    return render_scenes(np.concatenate(photos), count, side=_RENDERED_SIDE, seed=seed)


def _textures(pictures: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Some of them at the side of a texture."""
    few = pictures[:_TEXTURES].permute(0, 3, 1, 2).float()
    small = torch.nn.functional.interpolate(few, (SIDE, SIDE), mode="area")
    return small.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def sample_rendered(
    scenes: RenderedScenes,
    step: int,
    *,
    batch: int,
    size: int,
    seed: int,
    rank: int,
    world_size: int,
) -> tuple[Tensor, Fog, Tensor]:
    """What a step sees of rendered scenes: clear, the fog, and in fog, as `synthesize_fog` has it.

    A function of (seed, step, rank) alone.
    """
    chosen = batch_indices(
        len(scenes.images), batch, step, seed=seed - 1, rank=rank, world_size=world_size
    )
    rng = make_rng(seed, "rendered", step, rank)
    pictures = scenes.images[chosen].permute(0, 3, 1, 2).float() / 255
    both = torch.cat([pictures, scenes.depths[chosen].float()[:, None]], dim=1)
    crops = torch.cat([_crop(one[None], size, rng) for one in both])
    flips = uniform(batch, 0, 1, rng) < 0.5
    crops = torch.where(flips, crops.flip(-1), crops)
    return _put_in_fog(crops[:, :3].clamp(0, 1), crops[:, 3:], scenes.outdoors[chosen], rng)


def held_out_in_fog(scenes: RenderedScenes, count: int, seed: int) -> tuple[Tensor, Fog, Tensor]:
    """The first scenes, whole, in fog that depends on the seed alone."""
    pictures = scenes.images[:count].permute(0, 3, 1, 2).float() / 255
    depths = scenes.depths[:count].float()[:, None]
    rng = make_rng(seed, "measured", "rendered")
    return _put_in_fog(pictures, depths, scenes.outdoors[:count], rng)


def _put_in_fog(
    image: Tensor, depth: Tensor, outdoors: Tensor, rng: torch.Generator
) -> tuple[Tensor, Fog, Tensor]:
    """Scenes as a camera develops them, fog at their depth, and both together."""
    scene = jitter_exposure(image, rng)
    fog = fog_at(depth, outdoors, rng)
    return scene, fog, degrade(fog.on(scene), rng)


def _crop(both: Tensor, size: int, rng: torch.Generator) -> Tensor:
    """A part of a picture and its depth, (1, 4, S, S) → (1, 4, size, size)."""
    side = both.shape[-1]
    draws = torch.rand(4, generator=rng).tolist()
    fraction = _AREA[0] + (_AREA[1] - _AREA[0]) * draws[0]
    ratio = RATIO[0] * (RATIO[1] / RATIO[0]) ** draws[1]
    height = min(side, round(side * (fraction / ratio) ** 0.5))
    width = min(side, round(side * (fraction * ratio) ** 0.5))
    top, left = int(draws[2] * (side - height + 1)), int(draws[3] * (side - width + 1))
    part = both[..., top : top + height, left : left + width]
    return torch.nn.functional.interpolate(
        part, (size, size), mode="bilinear", antialias=True, align_corners=False
    )
