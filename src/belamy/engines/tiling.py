"""Whether a picture fits into memory, and the tiles to cut it into where it does not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from belamy.errors import OptionError
from belamy.networks.backbone import Backbone
from belamy.optimise import Tiling
from belamy.pixels.tiles import available_memory, tile_for_memory

__all__ = ["TilingHabit", "bytes_per_pixel", "choose_tiling", "fix_tile"]

# Strides that a place of a layer that sees the whole picture is taken to see well. By eye.
_GLOBAL_FIELD = 16
_MEASURED_SIDE = 64  # pixels; the side of the picture on which the memory of a pixel is measured


@dataclass(frozen=True)
class TilingHabit:
    """How an engine likes to cut its pictures.

    Args:
        field: the margin of a tile, as part of the receptive field.
        strides: what the margin has beyond that, in strides of the deepest layer.
        largest_tile: longest side in pixels, whatever is free.
        largest_whole: a picture of fewer pixels than this squared is worked on whole if memory
            allows.
        exact: whether tiles must give what the whole picture would.
    """

    field: float
    strides: int
    largest_tile: int
    largest_whole: float = math.inf
    exact: bool = False


def choose_tiling(
    habit: TilingHabit,
    tile: str | int,
    backbone: Backbone,
    layers: Iterable[str],
    image: Tensor,
    cost: float | None = None,
) -> Tiling | None:
    """The tiles, or None where the picture is worked on whole.

    Args:
        tile: auto, none, or the longest side of a tile in pixels.
        layers: the deepest that are looked at; one without positions counts as the deepest that has
            some.
        image: (1, 3, H, W), the picture at full size.
        cost: `bytes_per_pixel` of the layers. None measures it.

    Raises:
        OptionError: the tile is all margin, or cannot be exact where it must be.
    """
    if tile == "none":
        return None
    names = [backbone.resolve(name) for name in layers]
    if not names:  # the objective looks at pixels alone, whose neighbours are all they need
        return Tiling(tile, margin=8, align=1) if isinstance(tile, int) else None
    align = max(backbone.layers[name].stride or _deepest_stride(backbone) for name in names)
    if isinstance(tile, int):
        margin, least = _measure_margin(habit, backbone, names, align)
        if tile < least:
            raise OptionError(f"a tile of {tile} px is too small here; take {least} px or more")
        return Tiling(tile, margin, align)
    cost = bytes_per_pixel(backbone, names) if cost is None else cost
    side = tile_for_memory(cost, available_memory(image.device), align=align)
    if image.shape[-2] * image.shape[-1] <= min(side, habit.largest_whole) ** 2:
        return None
    if habit.exact and any(_sees_all(backbone, name) for name in names):
        return None
    margin, least = _measure_margin(habit, backbone, names, align)
    return Tiling(max(min(side, habit.largest_tile), least), margin, align)


def fix_tile(
    size: tuple[int, int], device: torch.device, choose: Callable[[Tensor], Tiling | int | None]
) -> Literal["none"] | int:
    """How all pictures of one size are cut, by the memory that is free now.

    Args:
        size: (height, width).
        choose: a picture → its tiles, or their longest side; None where it is worked on whole.
    """
    found = choose(torch.empty(1, device=device).expand(1, 3, *size))
    if found is None:
        return "none"
    return found.tile if isinstance(found, Tiling) else found


def _measure_margin(
    habit: TilingHabit, backbone: Backbone, names: list[str], align: int
) -> tuple[int, int]:
    """The margin of a tile, and the shortest side that one may have."""
    field = max(_field(habit, backbone, name) for name in names)
    margin = (math.ceil(field * habit.field / align) + habit.strides) * align
    return margin, max(2 * margin + 2 * align, backbone.smallest(names))


def _field(habit: TilingHabit, backbone: Backbone, name: str) -> int:
    """Side of what a place sees; something for it where it sees the whole picture."""
    layer, field = backbone.layers[name], backbone.field(name)
    if field is not None:
        return field
    if layer.stride is None:
        return _deepest_field(backbone)
    if habit.exact and _sees_all(backbone, name):
        raise OptionError(
            f"each place of layer {name!r} sees the whole picture, which tiles would not show it; "
            "take tile none, or a layer before it"
        )
    return _GLOBAL_FIELD * layer.stride


def _sees_all(backbone: Backbone, name: str) -> bool:
    """Whether a layer has places, and each of them sees the whole picture."""
    return backbone.layers[name].stride is not None and backbone.field(name) is None


def _deepest_stride(backbone: Backbone) -> int:
    return max(layer.stride or 1 for layer in backbone.layers.values())


def _deepest_field(backbone: Backbone) -> int:
    return max(layer.receptive_field or 1 for layer in backbone.layers.values())


def bytes_per_pixel(backbone: Backbone, names: Iterable[str]) -> float:
    """What one pixel of a picture costs in a forward and a backward pass, at the peak.

    Every module's output is counted, since the backward pass needs most of them, and once more
    for the gradients on the way.
    """
    counted, side = 0, max(_MEASURED_SIDE, backbone.smallest(names))

    def count(module: nn.Module, inputs: object, output: object) -> None:
        nonlocal counted
        if isinstance(output, Tensor):
            counted += output.numel() * output.element_size()

    leaves = [m for m in backbone.modules() if not list(m.children())]
    hooks = [leaf.register_forward_hook(count) for leaf in leaves]
    try:
        with torch.no_grad():
            backbone(backbone.mean.expand(1, 3, side, side), list(names))
    finally:
        for hook in hooks:
            hook.remove()
    return 1.5 * counted / (side * side)
