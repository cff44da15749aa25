"""Clear pictures and synthetic fog on them: for training, and those that training never sees."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import DataError, ImageError
from belamy.pixels.archive import Tree, open_tree
from belamy.pixels.decode import reading_together
from belamy.pixels.fog.depth import uniform
from belamy.pixels.fog.model import Fog, add_bright_region, degrade, random_fog, random_scene
from belamy.training.crops import random_resized_crops
from belamy.training.data import batch_indices
from belamy.training.pictures import (
    decode_squares,
    describe_squares,
    find_pictures,
    pictures_cache,
)

__all__ = [
    "ImageSet",
    "jitter_exposure",
    "open_image_sets",
    "order_by_hash",
    "sample_crops",
    "synthesize_fog",
]

_LARGEST_SET = 20_000  # pictures of one set, so that a large one need not be decoded whole
_AREA = (0.3, 1.0)  # of a picture, that a crop covers: fog is a matter of the whole view
_BLACKEST = 0.15  # a black point that is brighter is the scene's own
_AS_THEY_ARE = 0.4  # of the pictures: what is clear must be known by how photos are, pale ones too
_DIM, _DIMMEST = 0.15, 0.3  # of the others are dim, down to this exposure


@dataclass(frozen=True)
class ImageSet:
    """The pictures of one folder or zip.

    Args:
        train: uint8 (N, S, S, 3), to learn on.
        held_out: uint8 (M, S, S, 3), to measure on.
        messages: what the user should know about them.
    """

    train: Tensor
    held_out: Tensor
    messages: tuple[str, ...] = ()


def order_by_hash(names: Sequence[str]) -> list[str]:
    """The names by the SHA-256 of each: the first M are held out, for any M, whatever else is in
    the set and on whichever machine."""
    return sorted(names, key=lambda name: hashlib.sha256(os.fsencode(name)).hexdigest())


def open_image_sets(paths: Sequence[str], side: int, held_out: int) -> list[ImageSet]:
    """Every folder or zip of clear pictures.

    Args:
        paths: of the folders and zips.
        side: in pixels, of the squares that are kept; smaller pictures keep their own.
        held_out: of each, how many are kept for measuring.

    Raises:
        DataError: there is nothing, or too little, to learn on.
    """
    if not paths:
        raise DataError("no clear pictures to put fog on; name folders or zips of them")
    return [_open_image_set(path, side, held_out) for path in paths]


def _open_image_set(path: str, side: int, held_out: int) -> ImageSet:
    with open_tree(path) as tree:
        names = find_pictures(tree)
        _require_enough(path, len(names), held_out)
        order = order_by_hash(names)[: held_out + _LARGEST_SET]
        side = min(side, _smaller_side(tree, order[0], side))
        parts = order[:held_out], order[held_out:]
        read = [decode_squares(tree, part, side, pictures_cache()) for part in parts if part]
    images = [torch.from_numpy(part.images) for part in read]
    nothing = torch.empty((0, side, side, 3), dtype=torch.uint8)
    kept = images[0] if held_out > 0 else nothing
    if len(images[-1]) < 2:
        why = next((why for one in read for why in one.broken.values()), "")
        raise DataError(f"{path}: fewer than two of its pictures can be read; mend them ({why})")
    said = [
        line
        for part, one in zip([p for p in parts if p], read, strict=True)
        for line in describe_squares(path, one, len(part))
    ]
    return ImageSet(images[-1], kept, (*tree.messages, *said))


def _require_enough(path: str, count: int, held_out: int) -> None:
    if count < held_out + 2:
        raise DataError(
            f"{path} has {count} picture{'s' * (count > 1)}, of which {held_out} would be held "
            "out, and two are the fewest to learn from; give more, or hold out fewer"
        )


def _smaller_side(tree: Tree, name: str, usual: int) -> int:
    try:
        with reading_together(), tree.open_picture(name) as picture:
            return min(picture.size)
    except ImageError:
        return usual


def sample_crops(
    sets: Sequence[ImageSet],
    step: int,
    *,
    batch: int,
    size: int,
    seed: int,
    rank: int,
    world_size: int,
) -> Tensor:
    """What a step looks at: as many crops of each set, (batch, 3, size, size) in [0, 1]."""
    parts = []
    for index, one in enumerate(sets):
        count = batch // len(sets) + (index < batch % len(sets))
        if count == 0:
            continue
        chosen = batch_indices(
            len(one.train), count, step, seed=seed + index, rank=rank, world_size=world_size
        )
        rng = make_rng(seed, "crops", step, rank, index)
        parts.append(random_resized_crops(one.train[chosen], size, rng, area=_AREA))
    return torch.cat(parts)


def jitter_exposure(image: Tensor, rng: torch.Generator) -> Tensor:
    """Photometric augmentation: exposure, gamma, saturation and black point of the same scenes. Two
    in five stay as they are.

    Args:
        image: (N, 3, H, W) in [0, 1].
        rng: where the choices come from.
    """
    count = len(image)
    black = image.flatten(1)[:, ::7].quantile(0.005, dim=1).clamp_max(_BLACKEST).view(-1, 1, 1, 1)
    black = black * uniform(count, 0, 1, rng)
    changed = ((image - black) / (1 - black)).clamp(0, 1)
    gamma = torch.exp(uniform(count, -0.35, 0.25, rng))
    usual, dim = uniform(count, 0.85, 1.1, rng), uniform(count, _DIMMEST, 0.85, rng)
    changed = changed**gamma * torch.where(uniform(count, 0, 1, rng) < _DIM, dim, usual)
    grey = changed.mean(1, keepdim=True)
    changed = (grey + (changed - grey) * uniform(count, 0.6, 1.25, rng)).clamp(0, 1)
    return torch.where(uniform(count, 0, 1, rng) < _AS_THEY_ARE, image, changed)


def synthesize_fog(image: Tensor, rng: torch.Generator) -> tuple[Tensor, Fog, Tensor]:
    """Scenes, the fog on them, and what a camera would see: (N, 3, H, W) in [0, 1] each picture."""
    scene, depth = random_scene(add_bright_region(jitter_exposure(image, rng), rng), rng)
    fog = random_fog(depth, rng)
    return scene, fog, degrade(fog.on(scene), rng)
