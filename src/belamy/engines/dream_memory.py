"""Whether a picture fits into memory, and the tiles to cut it into when it does not."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from belamy.errors import OptionError
from belamy.networks.backbone import Backbone
from belamy.optimise import Tiling
from belamy.pixels.tiles import available_memory, tile_for_memory

# Tiles are never larger than this, whatever is free: beyond it they only cost memory. By trial.
LARGEST_TILE = 512
# A picture of fewer pixels than this squared is worked on whole if memory allows. By trial.
LARGEST_WHOLE = 1280
# The margin of a tile, as part of the receptive field. Nearly all of what a place sees is near its
# middle (Luo et al. 2016, "Understanding the effective receptive field"), and the tiles' places
# change with every step, so the full field, which would be exact, is not needed.
MARGIN = 1 / 4
_TRACED = 64  # pixels; the side of the picture on which the memory of a pixel is measured


def choose_tiling(
    asked: str | int, backbone: Backbone, layers: Iterable[str], base: Tensor
) -> Tiling | None:
    """The tiles of a dream, or None where the picture is worked on whole.

    Args:
        asked: auto, none, or the longest side of a tile in pixels.
        layers: the deepest that are looked at.
        base: (1, 3, H, W), the picture at full size.

    Raises:
        OptionError: the tile asked for is all margin.
    """
    if asked == "none":
        return None
    names = [backbone.resolve(name) for name in layers]
    height, width = base.shape[-2:]
    align = max(backbone.layers[name].stride or _deepest_stride(backbone) for name in names)
    margin = _margin(backbone, names, align)
    if isinstance(asked, int):
        least = 2 * margin + 2 * align
        if asked < least:
            raise OptionError(f"a tile of {asked} px is too small here; take {least} px or more")
        return Tiling(asked, margin, align)
    cost = bytes_per_pixel(backbone, names)
    free = available_memory(base.device)
    side = tile_for_memory(cost, free, align=align)
    if height * width <= min(side, LARGEST_WHOLE) ** 2:
        return None
    return Tiling(max(min(side, LARGEST_TILE), 2 * margin + 2 * align), margin, align)


def _margin(backbone: Backbone, names: Iterable[str], align: int) -> int:
    fields = [backbone.layers[name].receptive_field or _deepest_field(backbone) for name in names]
    return -(-int(max(fields) * MARGIN) // align) * align


def _deepest_stride(backbone: Backbone) -> int:
    return max(layer.stride or 1 for layer in backbone.layers.values())


def _deepest_field(backbone: Backbone) -> int:
    return max(layer.receptive_field or 1 for layer in backbone.layers.values())


def bytes_per_pixel(backbone: Backbone, names: Iterable[str]) -> float:
    """What one pixel of a picture costs in a forward and a backward pass, at the peak.

    Every module's output is counted, since the backward pass needs most of them, and once more
    for the gradients on the way.
    """
    counted = 0

    def count(module: nn.Module, inputs: object, output: object) -> None:
        nonlocal counted
        if isinstance(output, Tensor):
            counted += output.numel() * output.element_size()

    leaves = [m for m in backbone.modules() if not list(m.children())]
    hooks = [leaf.register_forward_hook(count) for leaf in leaves]
    try:
        with torch.no_grad():
            backbone(backbone.mean.expand(1, 3, _TRACED, _TRACED), list(names))
    finally:
        for hook in hooks:
            hook.remove()
    return 1.5 * counted / (_TRACED * _TRACED)
