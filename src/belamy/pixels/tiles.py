"""Overlapping tiles, for pictures too large for memory.

    crop   what the network reads: the part to keep and `margin` pixels around it
    keep   the part of the crop's result that is used; the keeps cover the picture once

Tiles end at the picture's border, not beyond it, so that the network's own padding acts there as
it would on the whole picture. Offsets differ at each step: what little a seam leaves is never left
twice in the same place.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from belamy.errors import OptionError

Spans = tuple[slice, slice]  # rows, columns

# What a tile may take of the memory that is free: allocators waste some, other programs grow.
MEMORY_FRACTION = 0.5
# Below this many pixels a side, a tile is nearly all margin. By eye.
SMALLEST_TILE = 128
# Where the system tells nothing (Windows): what a small machine has left.
UNKNOWN_MEMORY = 2 * 1024**3


@dataclass(frozen=True)
class Tile:
    """Rows and columns of the picture: the crop to read, and the part of it to keep."""

    crop: Spans
    keep: Spans

    @property
    def inner(self) -> Spans:
        """The kept part, counted from the crop's corner."""
        rows, columns = self.crop
        return _shift(self.keep[0], rows.start), _shift(self.keep[1], columns.start)


def _shift(span: slice, start: int) -> slice:
    return slice(span.start - start, span.stop - start)


def plan(
    height: int, width: int, tile: int, margin: int, offset: tuple[int, int], align: int = 1
) -> list[Tile]:
    """Tiles that cover a picture, row by row.

    Args:
        height, width: the picture, in pixels.
        tile: longest side of a crop, in pixels: what memory pays for. A side of the picture that
            is no longer is not cut.
        margin: context on each side, in pixels. An activation is right when all it sees is in the
            crop, and a pixel's gradient is right when all activations that see it are right: with
            margin ≥ receptive field − 1 (its full width, not the radius) tiles are exact.
        offset: shifts the cuts down and right, in pixels, any integers; see `random_offset`.
        align: crops start at multiples of it. The network's total stride makes pooling windows
            fall where they fall on the whole picture, without which no margin is exact.

    Raises:
        OptionError: the tile is too small for its margins.
    """
    rows = _cut(height, tile, margin, offset[0], align)
    columns = _cut(width, tile, margin, offset[1], align)
    return [Tile((row[0], column[0]), (row[1], column[1])) for row in rows for column in columns]


def _cut(size: int, tile: int, margin: int, offset: int, align: int) -> list[tuple[slice, slice]]:
    """The crop and the keep of each piece of one axis."""
    if size <= tile:
        return [(slice(0, size), slice(0, size))]
    step = tile - 2 * margin - (align - 1)  # the start may move down by align - 1
    if step < 1:
        least = tile - step + 1
        raise OptionError(
            f"a tile of {tile} px is all margin ({margin} px on each side); take {least} or more"
        )
    cuts = [0, *(cut for cut in range(offset % step, size, step) if cut > 0), size]
    return [
        (
            slice(max(0, start - margin) // align * align, min(size, stop + margin)),
            slice(start, stop),
        )
        for start, stop in itertools.pairwise(cuts)
    ]


def random_offset(tile: int, rng: torch.Generator) -> tuple[int, int]:
    """An offset for `plan`, drawn evenly over one tile in both axes."""
    down, right = torch.randint(tile, (2,), generator=rng).tolist()
    return down, right


def apply_tiled(
    function: Callable[[Tensor], Tensor],
    image: Tensor,
    tile: int,
    margin: int,
    offset: tuple[int, int] = (0, 0),
    align: int = 1,
    shift: tuple[int, int] = (0, 0),
) -> Tensor:
    """What `function` makes of each crop, its inner parts put together; carries no gradient.

    Made for functions that return a gradient of the crop. The sum over the tiles equals the whole
    picture's gradient if the score is a sum over places (`objectives.objective.as_part_of`).

    Args:
        function: (N,C,h,w) → (N,K,h,w), of the crop's height and width.
        image: (N,C,H,W).
        tile, margin, offset, align: see `plan`.
        shift: what is cut is the picture rolled down and right by so many pixels; what is put
            together is rolled back. No rolled copy is made.

    Returns:
        (N,K,H,W), with the function's own dtype and device.
    """
    result = None
    tiles = plan(*_size(image), tile, margin, offset, align)
    for part, output in _each(function, image, tiles, shift):
        if result is None:
            result = output.new_empty((*output.shape[:2], *_size(image)))
        inner = output[..., part.inner[0], part.inner[1]]
        rows, columns = _unroll(part.keep, image, shift)
        heights, widths = ([one.stop - one.start for one in axis] for axis in (rows, columns))
        for down, strip in zip(rows, torch.split(inner, heights, dim=-2), strict=True):
            for right, piece in zip(columns, torch.split(strip, widths, dim=-1), strict=True):
                result[..., down, right] = piece
    assert result is not None
    return result


def blend_tiles(
    function: Callable[[Tensor], Tensor],
    image: Tensor,
    tile: int,
    margin: int,
    offset: tuple[int, int] = (0, 0),
    align: int = 1,
) -> Tensor:
    """Like `apply_tiled`, but neighbouring crops fade into each other where they overlap.

    Made for image-to-image networks, whose results depend on all of the crop a little (instance
    normalisation), so that no margin is exact and hard cuts would show.

    Args:
        function, image, tile, offset, align: as in `apply_tiled`.
        margin: crops overlap by twice as much, and fade over that width, in pixels.
    """
    total, weights = None, None
    for part, output in _each(function, image, plan(*_size(image), tile, margin, offset, align)):
        if total is None or weights is None:
            total = output.new_zeros((*output.shape[:2], *_size(image)))
            weights = output.new_zeros(_size(image))
        weight = _feather(part, image, 2 * margin).to(output)  # (h,w)
        total[..., part.crop[0], part.crop[1]] += output * weight
        weights[part.crop[0], part.crop[1]] += weight
    assert total is not None
    assert weights is not None
    return total / weights


def _each(
    function: Callable[[Tensor], Tensor],
    image: Tensor,
    tiles: list[Tile],
    shift: tuple[int, int] = (0, 0),
) -> Iterator[tuple[Tile, Tensor]]:
    for part in tiles:
        crop = _crop(image, part.crop, shift)
        output = function(crop).detach()
        assert _size(output) == _size(crop), "the function must return pictures of its crop's size"
        yield part, output


def _size(image: Tensor) -> tuple[int, int]:
    return image.shape[-2], image.shape[-1]


def _crop(image: Tensor, spans: Spans, shift: tuple[int, int]) -> Tensor:
    """A part of the picture as it is when rolled."""
    rows, columns = _unroll(spans, image, shift)
    strips = [
        torch.cat([image[..., down, right] for right in columns], dim=-1)
        if len(columns) > 1
        else image[..., down, columns[0]]
        for down in rows
    ]
    return torch.cat(strips, dim=-2) if len(strips) > 1 else strips[0]


def _unroll(spans: Spans, image: Tensor, shift: tuple[int, int]) -> tuple[list[slice], list[slice]]:
    """Where rows and columns of the rolled picture lie in the picture: in one piece or two."""
    rows, columns = (_unroll_axis(*one) for one in zip(spans, _size(image), shift, strict=True))
    return rows, columns


def _unroll_axis(span: slice, size: int, shift: int) -> list[slice]:
    start = (span.start - shift) % size
    stop = start + span.stop - span.start
    return [slice(start, stop)] if stop <= size else [slice(start, size), slice(0, stop - size)]


def _feather(tile: Tile, image: Tensor, width: int) -> Tensor:
    rows, columns = tile.crop
    down = _ramp(rows, image.shape[-2], width)
    right = _ramp(columns, image.shape[-1], width)
    return down[:, None] * right  # (h,w)


def _ramp(span: slice, size: int, width: int) -> Tensor:
    """1 inside, falling straight towards the ends of the span that are not the picture's own."""
    place = torch.arange(span.start, span.stop, dtype=torch.float64)
    weight = torch.ones_like(place)
    if span.start > 0:
        weight = weight.minimum((place - span.start + 0.5) / max(width, 1))
    if span.stop < size:
        weight = weight.minimum((span.stop - place - 0.5) / max(width, 1))
    return weight


def tile_for_memory(
    bytes_per_pixel: float, available: int, smallest: int = SMALLEST_TILE, align: int = 1
) -> int:
    """The longest side of a square tile that fits into the memory there is, in pixels.

    Args:
        bytes_per_pixel: what one pixel of a crop costs at the peak, forward and backward.
        available: free bytes, as `available_memory` reports them; half of them are used.
        smallest: never less than this many pixels, whatever is free.
        align: the answer is a multiple of it, as far as `smallest` allows.
    """
    assert bytes_per_pixel > 0
    side = math.isqrt(max(0, int(MEMORY_FRACTION * available / bytes_per_pixel)))
    return max(smallest, side // align * align)


def available_memory(device: torch.device, root: Path = Path("/")) -> int:
    """Bytes that a program may still take on `device`.

    On CUDA the card's free memory; else the least of what Linux calls available and what the
    control groups (containers) leave. Other systems: half of the physical memory.

    Args:
        root: where `proc` and `sys` stand; another folder than / is for tests.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return min([_system_memory(root), *_group_memory(root)])


def _system_memory(root: Path) -> int:
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return UNKNOWN_MEMORY


def _group_memory(root: Path) -> Iterator[int]:
    """What each control group of this process, and each group around it, leaves free."""
    mounts = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            mount, limit, used = mounts, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            mount, limit, used = mounts / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        inside = Path(path.lstrip("/"))
        for group in (inside, *inside.parents):
            yield from _free_memory(mount / group, limit, used)


def _free_memory(group: Path, limit: str, used: str) -> Iterator[int]:
    bound, usage = _read(group / limit).strip(), _read(group / used).strip()
    if bound.isdigit() and usage.isdigit():  # version 2 writes "max" for no limit
        statistics = dict(line.split() for line in _read(group / "memory.stat").splitlines())
        reclaimable = int(statistics.get("inactive_file", 0))  # cached files make room when asked
        yield max(0, int(bound) - int(usage) + reclaimable)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
