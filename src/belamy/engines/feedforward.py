"""Pictures repainted in one pass: the work behind the engines faststyle and translate."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

import belamy
from belamy import files
from belamy.devices import choose_device
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.image_to_image.load import find_style
from belamy.networks.image_to_image.network import CHECKED_SIDE
from belamy.networks.image_to_image.runtime import ENGINES, Brush, load_brush
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import Picture, Source, input_of, load_picture, resize
from belamy.pixels.images import fit as fit_size
from belamy.pixels.recipe import Recipe
from belamy.pixels.tiles import apply_tiled, available_memory, blend_tiles, tile_for_memory
from belamy.steps import Step

__all__ = ["mirrored", "paint", "prepared", "run"]

# What the largest activation costs, in bytes for each of its numbers, while others are held too.
_BYTES_PER_FLOAT = 16
# Pieces on each axis in which a large picture is looked at to know its statistics. By eye.
_PIECES = 3
# Free memory beyond which tiles become larger, but no faster: a photo of 12 megapixels stays below
# 3 GB in all.
_ENOUGH = 4 * 1024**3
_SMALLEST_TILE = 256  # pixels; smaller ones would be nearly all margin


def run(kind: str, /, image: Source, **options: Any) -> Iterator[Step]:
    """See `belamy.engines.faststyle.api.apply_style_steps`; takes every one of its arguments.

    Args:
        kind: which of `belamy.engines.ENGINES` this is, for the recipe.
        image: the picture.
        options: of that engine. A direction, if it has one, chooses among the networks of a file.
    """
    yield from prepared(kind, options)(image)


def prepared(kind: str, options: Mapping[str, Any]) -> Callable[[Source], Iterator[Step]]:
    """The same for many pictures: the options are checked, and the network is loaded, once."""
    _check(options)
    device = choose_device(options["device"])
    path = find_style(options["network"])
    brush = load_brush(path, options["engine"], device, options.get("direction"))
    digest = files.sha256(path)
    told = {**options, "network": os.fspath(options["network"]), "device": str(device)}

    def steps(image: Source) -> Iterator[Step]:
        picture = _sized(load_picture(image), options["size"])
        base = picture.image.to(device)
        tile = _tile(options["tile"], brush, base)
        painted = paint(brush, base, tile).to(base)
        if not bool(painted.isfinite().all()):
            raise WeightsError(f"{path} paints values that are no numbers; get it again")
        done = {**told, "tile": "none" if tile is None else tile}
        recipe = _recipe(kind, done, {path.name: digest}, image)
        yield Step(1, 1, _blended(base, painted, options), {}, picture.alpha, recipe)

    return steps


def _check(options: Mapping[str, Any]) -> None:
    size, strength, tile = options["size"], options["strength"], options["tile"]
    if size is not None and not 1 <= size <= 32_768:
        raise OptionError(f"size is {size}; it must be from 1 to 32768")
    if not 0 <= strength <= 1:
        raise OptionError(f"strength is {strength}; it must be from 0 to 1")
    if tile not in ("auto", "none") and not (isinstance(tile, int) and tile >= _SMALLEST_TILE):
        raise OptionError(f"tile is {tile!r}; write auto, none, or {_SMALLEST_TILE} pixels or more")
    if options["engine"] not in ("auto", *ENGINES):
        raise UnknownName("engine", options["engine"], ("auto", *ENGINES))


def _sized(picture: Picture, size: int | None) -> Picture:
    if size is None:
        return picture
    target = fit_size(picture.image.shape[-2], picture.image.shape[-1], size)
    alpha = None if picture.alpha is None else resize(picture.alpha, target)
    return Picture(resize(picture.image, target), alpha)


def _tile(asked: str | int, brush: Brush, image: Tensor) -> int | None:
    """The longest side of a tile in pixels; None where the picture is painted whole."""
    if asked == "none":
        return None
    if isinstance(asked, int):
        tile = asked
    else:
        cost = _BYTES_PER_FLOAT * brush.geometry.floats
        free = min(_ENOUGH, available_memory(image.device))
        tile = tile_for_memory(cost, free, _SMALLEST_TILE)
    return None if max(image.shape[-2:]) <= tile else tile


def paint(brush: Brush, image: Tensor, tile: int | None) -> Tensor:
    """The picture repainted, at its own size.

    Args:
        brush: what paints.
        image: (1, 3, H, W) in [0, 1], any size.
        tile: longest side of the tiles in pixels; None paints it whole.

    Returns:
        (1, 3, H, W), not clamped.
    """
    if brush.side is not None:
        return _in_squares(brush, image, brush.side)
    if tile is None:
        return _at_own_size(brush, image)
    stride = brush.geometry.stride
    # At least what a network takes, lest the last tile be mirrored where the picture ends.
    margin = max(brush.geometry.margin, CHECKED_SIDE)
    if tile <= 2 * margin + stride:
        raise OptionError(f"a tile of {tile} px is all margin; take {4 * margin} or more")
    fixed = brush.fixed(_sample(image, tile, stride))
    if fixed is not None:  # a pixel depends on its neighbourhood alone, so hard cuts do not show
        return apply_tiled(
            functools.partial(_at_own_size, fixed), image, tile, margin, align=stride
        )
    return blend_tiles(functools.partial(_at_own_size, brush), image, tile, margin, align=stride)


def _in_squares(brush: Brush, image: Tensor, side: int) -> Tensor:
    """By a network that takes squares of one size alone."""
    whole = functools.partial(_at_size, brush, (side, side))
    return blend_tiles(whole, image, side, side // 8)


def _at_own_size(brush: Brush, image: Tensor) -> Tensor:
    height, width = (_next_size(length, brush.geometry.stride) for length in image.shape[-2:])
    return _at_size(brush, (height, width), image)


def _next_size(length: int, stride: int) -> int:
    """What a network takes: a multiple of its stride, large enough for its borders."""
    return -(-max(length, CHECKED_SIDE) // stride) * stride


def _at_size(brush: Brush, size: tuple[int, int], image: Tensor) -> Tensor:
    """Mirrored at its borders to `size`, painted, and cut back.

    What is added above and to the left is a multiple of the stride, so that the network's own grid
    lies on a tile as it lies on the whole picture.
    """
    height, width = image.shape[-2:]
    stride = brush.geometry.stride
    top, left = (
        (n - own) // 2 // stride * stride for n, own in zip(size, (height, width), strict=True)
    )
    made = brush(mirrored(image, size, (top, left)))
    if tuple(made.shape) != (1, 3, *size):
        raise WeightsError(
            f"the network makes {tuple(made.shape)} of a picture of {size[0]}×{size[1]}; only "
            "those that keep the size are run here"
        )
    return made[..., top : top + height, left : left + width]


def mirrored(image: Tensor, size: tuple[int, int], corner: tuple[int, int] = (0, 0)) -> Tensor:
    """The picture in a larger one that goes on as in mirrors, as often as it takes.

    Args:
        image: (N, C, H, W).
        size: (height, width), none smaller than the picture's.
        corner: where the picture's first row and column come to lie.
    """
    for axis, length, first in ((-2, size[0], corner[0]), (-1, size[1], corner[1])):
        own = image.shape[axis]
        places = torch.arange(length, device=image.device) - first
        period = max(1, 2 * own - 2)  # the border pixel itself is not doubled
        back = places.remainder(period)
        image = image.index_select(axis, torch.minimum(back, (period - back).clamp_min(0)))
    return image


def _sample(image: Tensor, tile: int, stride: int) -> Tensor:
    """Pieces from all over the picture, (P, 3, h, w), together no larger than a tile."""
    side = max(CHECKED_SIDE, tile // _PIECES // stride * stride)
    height, width = (min(_next_size(length, stride), side) for length in image.shape[-2:])
    large = mirrored(image, (max(height, image.shape[-2]), max(width, image.shape[-1])))
    pieces = [
        large[..., top : top + height, left : left + width]
        for top in _starts(large.shape[-2], height)
        for left in _starts(large.shape[-1], width)
    ]
    return torch.cat(pieces)


def _starts(length: int, piece: int) -> list[int]:
    count = min(_PIECES, -(-length // piece))
    return torch.linspace(0, length - piece, count).round().int().tolist()


def _blended(base: Tensor, painted: Tensor, options: Mapping[str, Any]) -> Tensor:
    painted = painted.clamp(0, 1)
    if options["keep_colors"]:
        painted = keep_colors(base, painted)
    strength: float = options["strength"]
    return base + (painted - base) * strength


def _recipe(kind: str, options: dict[str, Any], weights: dict[str, str], image: Source) -> Recipe:
    return Recipe(
        engine=kind,
        options=options,
        inputs=(input_of("image", image),),
        weights=weights,
        seed=0,
        belamy=belamy.__version__,
        torch=torch.__version__,
        step=1,
    )
