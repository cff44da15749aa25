"""The pictures that fog is made on: for training, and those that training never sees."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import torch
from PIL import Image
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import DataError
from belamy.pixels.fog.depth import uniform
from belamy.pixels.fog.model import Fog, add_bright_region, degrade, random_fog, random_scene
from belamy.training.crops import random_resized_crops
from belamy.training.data import batch_indices
from belamy.training.pictures import SUFFIXES, Tree, open_tree, pictures_cache, squares

__all__ = ["Source", "crops_of", "developed", "fogged_batch", "held_out_first", "open_sources"]

MOST = 20_000  # pictures of one source, so that a large one need not be decoded whole
_AREA = (0.3, 1.0)  # of a picture, that a crop covers: fog is a matter of the whole view
_NAMED = 5  # broken files that a remark lists
_BLACKEST = 0.15  # a black point that is brighter is the scene's own
_AS_THEY_ARE = 0.4  # of the pictures: what is clear must be known by how photos are, pale ones too
_DIM, _DIMMEST = 0.15, 0.3  # of the others are dim, down to this exposure


@dataclass(frozen=True)
class Source:
    """The pictures of one folder or zip.

    Args:
        trained: uint8 (N, S, S, 3), to learn on.
        held_out: uint8 (M, S, S, 3), to measure on.
        remarks: what the user should know about them.
    """

    trained: Tensor
    held_out: Tensor
    remarks: tuple[str, ...] = ()


def held_out_first(names: Sequence[str]) -> list[str]:
    """The names by the SHA-256 of each: the first M are held out, for any M, whatever else is in
    the set and on whichever machine."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())


def open_sources(paths: Sequence[str], side: int, held_out: int) -> list[Source]:
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
    return [_source(path, side, held_out) for path in paths]


def _source(path: str, side: int, held_out: int) -> Source:
    with open_tree(path) as tree:
        names = [name for name in tree.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
        _require_enough(path, len(names), held_out)
        order = held_out_first(names)[: held_out + MOST]
        side = min(side, _own_side(tree, order[0], side))
        parts = order[:held_out], order[held_out:]
        read = [squares(tree, part, side, pictures_cache()) for part in parts if part]
    images = [torch.from_numpy(part.images) for part in read]
    nothing = torch.empty((0, side, side, 3), dtype=torch.uint8)
    kept = images[0] if held_out > 0 else nothing
    if len(images[-1]) < 2:
        raise DataError(f"{path}: fewer than two of its pictures can be read; mend them")
    return Source(images[-1], kept, _left_out(path, [name for x in read for name in x.broken]))


def _require_enough(path: str, count: int, held_out: int) -> None:
    if count == 0:
        raise DataError(f"{path} has no pictures; give a folder or a zip of pictures")
    if count < held_out + 2:
        raise DataError(
            f"{path} has {count} picture{'s' * (count > 1)}, of which {held_out} would be held "
            "out, and two are the fewest to learn from; give more, or hold out fewer"
        )


def _left_out(path: str, broken: Sequence[str]) -> tuple[str, ...]:
    if not broken:
        return ()
    more = f" and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
    named = ", ".join(sorted(broken)[:_NAMED]) + more
    return (f"{path}: {named} cannot be read, and are left out",)


def _own_side(tree: Tree, name: str, usual: int) -> int:
    try:
        with Image.open(io.BytesIO(tree.read(name))) as picture:
            return min(picture.size)
    except OSError:
        return usual


def crops_of(
    sources: Sequence[Source], step: int, *, batch: int, size: int, seed: int, rank: int, world: int
) -> Tensor:
    """What a step looks at: as many crops of each source, (batch, 3, size, size) in [0, 1]."""
    parts = []
    for index, source in enumerate(sources):
        count = batch // len(sources) + (index < batch % len(sources))
        if count == 0:
            continue
        chosen = batch_indices(
            len(source.trained), count, step, seed=seed + index, rank=rank, world=world
        )
        chance = make_rng(seed, "crops", step, rank, index)
        parts.append(random_resized_crops(source.trained[chosen], size, chance, area=_AREA))
    return torch.cat(parts)


def developed(image: Tensor, chance: torch.Generator) -> Tensor:
    """The same scenes photographed otherwise: exposure, gamma, saturation, black point. Two in five
    stay as they are.

    Args:
        image: (N, 3, H, W) in [0, 1].
        chance: where the choices come from.
    """
    count = len(image)
    black = image.flatten(1)[:, ::7].quantile(0.005, dim=1).clamp_max(_BLACKEST).view(-1, 1, 1, 1)
    black = black * uniform(count, 0, 1, chance)
    made = ((image - black) / (1 - black)).clamp(0, 1)
    gamma = torch.exp(uniform(count, -0.35, 0.25, chance))
    usual, dim = uniform(count, 0.85, 1.1, chance), uniform(count, _DIMMEST, 0.85, chance)
    made = made**gamma * torch.where(uniform(count, 0, 1, chance) < _DIM, dim, usual)
    grey = made.mean(1, keepdim=True)
    made = (grey + (made - grey) * uniform(count, 0.6, 1.25, chance)).clamp(0, 1)
    return torch.where(uniform(count, 0, 1, chance) < _AS_THEY_ARE, image, made)


def fogged_batch(image: Tensor, chance: torch.Generator) -> tuple[Tensor, Fog, Tensor]:
    """Scenes, the fog on them, and what a camera would see: (N, 3, H, W) in [0, 1] each picture."""
    scene, depth = random_scene(add_bright_region(developed(image, chance), chance), chance)
    fog = random_fog(depth, chance)
    return scene, fog, degrade(fog.on(scene), chance)
