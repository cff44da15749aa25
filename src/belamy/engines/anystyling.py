"""The work behind `belamy.engines.anystyle.any_style_steps`: pictures read, moved, drawn."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import belamy
from belamy.devices import choose_device
from belamy.engines.anystyle_eye import encoder, told
from belamy.engines.style_goal import StyleImage, moments_seen
from belamy.engines.style_options import check_range, read_size, read_weights
from belamy.engines.style_pictures import Pictures, listed, read_pictures, shrunk
from belamy.engines.style_slope import View
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.anypainter import (
    IMAGE,
    LEVELS,
    REACH,
    STRIDE,
    AnyPainter,
    at_stride,
    load_any_painter,
)
from belamy.networks.backbone import Backbone
from belamy.networks.weights import embedded_path
from belamy.objectives.styles import Moments, blend, moments_of
from belamy.objectives.transport import Transport, transport
from belamy.optimise import Tiling
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import input_of
from belamy.pixels.recipe import Recipe
from belamy.pixels.tiles import available_memory, tile_for_memory, tiled
from belamy.steps import Step

__all__ = ["EMBEDDED", "run"]

EMBEDDED = ("anystyle",)
"""Networks inside the package."""

COLORS = ("luma", "match")
# What a pixel of a tile costs at the peak: measured at 1024 px, with what allocators waste.
_BYTES_PER_PIXEL = 3000.0
_LARGEST_TILE = 1024  # pixels: larger ones gain nothing, and memory is for others too
_PLACES = ("content", "style", "mask", "style_mask")  # options that are pictures
_RANGES: dict[str, tuple[float, float]] = {
    "strength": (0, 1),
    "style_scale": (0.01, 100),
    "style_size": (8, 32_768),
}


@dataclass(frozen=True)
class Eye:
    """What looks, and what draws."""

    painter: AnyPainter
    view: View


@dataclass(frozen=True)
class Region:
    """A part of the picture, and the style that it is drawn in.

    Args:
        moves: level → the map of the content's features to the style.
        manner: what the painter is told of the style, (1, K).
        itself: what it would be told of the content, (1, K).
        share: of each pixel (1, 1, H, W); None for all of them.
    """

    moves: Mapping[str, Transport]
    manner: Tensor
    itself: Tensor
    share: Tensor | None


def run(**asked: Any) -> Iterator[Step]:
    """See `belamy.engines.anystyle.any_style_steps`; takes every one of its arguments."""
    options = _resolved(asked)
    device = choose_device(options["device"])
    loaded = load_any_painter(_found(options["network"]))
    backbone = _encoder(loaded.encoder, loaded.encoder_sha256, device)
    pictures = read_pictures(options, device)
    tiling = _tiling(options["tile"], backbone, pictures.content)
    options |= {"tile": "none" if tiling is None else tiling.tile, "device": str(device)}
    eye = Eye(loaded.painter.to(device), View(backbone, tiling))
    with torch.inference_mode():
        painted = _finished(pictures, _painted(eye, pictures, options), options)
    name = Path(options["network"]).stem
    weights = {name: loaded.sha256, backbone.name: backbone.sha256}
    recipe = _recipe(options, asked, weights)
    yield Step(1, 1, painted.clone(), {}, pictures.alpha, recipe, pictures.note)


def _resolved(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options, checked."""
    options = dict(asked)
    if options["keep_colors"] is not None and options["keep_colors"] not in COLORS:
        raise UnknownName("keep colors", str(options["keep_colors"]), COLORS)
    for name, (low, high) in _RANGES.items():
        check_range(name, options[name], low, high)
    options["size"] = read_size(options["size"])
    options["style_weight"] = read_weights(options["style_weight"])
    tile = options["tile"]
    if tile not in ("auto", "none") and not isinstance(tile, int):
        raise OptionError(f"tile is {tile!r}; write auto, none, or a number of pixels")
    return options


def _found(network: str) -> Path:
    """The file that `network` means."""
    if network in EMBEDDED:
        return embedded_path(network)
    path = Path(network).expanduser()
    if path.suffix == "" and len(path.parts) < 2 and not path.exists():
        raise UnknownName("network", network, EMBEDDED)
    return path


def _encoder(model: str, sha256: str, device: torch.device) -> Backbone:
    backbone = encoder(model, (), device)
    if backbone.sha256 != sha256:
        raise WeightsError(
            f"the network was trained on another {model} (SHA-256 {sha256[:8]}…, this one has "
            f"{backbone.sha256[:8]}…); train it again"
        )
    return backbone


def _tiling(asked: str | int, backbone: Backbone, image: Tensor) -> Tiling | None:
    """How the picture is cut; None where it is painted whole."""
    if asked == "none":
        return None
    field = max(backbone.layers[backbone.resolve(level)].receptive_field or 1 for level in LEVELS)
    margin = -(-(field // 2 + REACH) // STRIDE) * STRIDE
    least = 4 * margin
    if isinstance(asked, int) and asked < least:
        raise OptionError(f"a tile of {asked} px is too small here; take {least} px or more")
    if asked == "auto":
        side = tile_for_memory(
            _BYTES_PER_PIXEL, available_memory(image.device), least, align=STRIDE
        )
        asked = max(least, min(side, _LARGEST_TILE))
    assert isinstance(asked, int)
    return None if max(image.shape[-2:]) <= asked else Tiling(asked, margin, STRIDE)


def _painted(eye: Eye, pictures: Pictures, options: Mapping[str, Any]) -> Tensor:
    """(1, 3, H, W), not clamped."""
    height, width = pictures.content.shape[-2:]
    long_side = options["style_size"] or round(max(height, width) * options["style_scale"])
    styles = [shrunk(one, long_side) for one in pictures.styles]
    content = _evened(pictures.content)
    regions = _regions(eye, content, styles, [_evened(mask) for mask in pictures.masks])
    strength: float = options["strength"]
    painted = _drawn(eye, content, regions, strength)
    if strength < 1:  # what even a picture in its own style loses is given back in this measure
        painted += (1 - strength) * (content - _drawn(eye, content, regions, 0.0))
    return painted[..., :height, :width]


def _evened(image: Tensor) -> Tensor:
    """With sides that are multiples of the painter's stride: the last pixels go on."""
    below, right = (-side % STRIDE for side in image.shape[-2:])
    return F.pad(image, (0, right, 0, below), mode="replicate")


def _regions(
    eye: Eye, content: Tensor, styles: Sequence[StyleImage], masks: Sequence[Tensor]
) -> list[Region]:
    found = [_moments(eye.view, style) for style in styles]
    if not masks:
        weights = [style.weight for style in styles]
        blended = {level: blend([one[level] for one in found], weights) for level in found[0]}
        return [_region(eye, content, blended)]
    total = torch.stack(list(masks)).sum(dim=0).clamp_min(torch.finfo(content.dtype).eps)
    return [
        _region(eye, content, style, mask, mask / total)
        for style, mask in zip(found, masks, strict=True)
    ]


def _region(
    eye: Eye,
    content: Tensor,
    style: Mapping[str, Moments],
    mask: Tensor | None = None,
    share: Tensor | None = None,
) -> Region:
    own = _moments(eye.view, StyleImage(content, mask, 1.0))
    mixing = eye.painter.mixing
    moves = {level: transport(own[level], style[level], mixing[level]) for level in mixing}
    return Region(moves, told(style), told(own), share)


def _moments(view: View, style: StyleImage) -> dict[str, Moments]:
    """Level → moments of what its mask leaves of a picture."""
    places = None if style.mask is None else style.mask[0, 0]
    pixels = moments_of(style.image, places)
    return {IMAGE: pixels, **moments_seen(view, style, list(LEVELS))}


def _drawn(eye: Eye, content: Tensor, regions: Sequence[Region], strength: float) -> Tensor:
    """The content (1, 3, H, W), sides multiples of the stride, drawn in so much of each style."""
    shares = [region.share for region in regions if region.share is not None]
    stack = torch.cat([content, *shares], dim=1)  # shares are cut into tiles as the picture is
    draw = functools.partial(_drawn_at_once, eye, regions, strength)
    tiling = eye.view.tiling
    if tiling is None:
        return draw(stack)
    return tiled(draw, stack, tiling.tile, tiling.margin, align=tiling.align)


def _drawn_at_once(eye: Eye, regions: Sequence[Region], strength: float, crop: Tensor) -> Tensor:
    height, width = crop.shape[-2:]
    image, *shares = _evened(crop).split([3] + [1] * (crop.shape[1] - 3), dim=1)
    parts = shares or [None]
    seen = {IMAGE: image, **eye.view.see(image, LEVELS)}
    features = {
        level: x + strength * _movement(x, [one.moves[level] for one in regions], parts)
        for level, x in seen.items()
    }
    manners = [
        (region.itself.lerp(region.manner, strength), share)
        for region, share in zip(regions, parts, strict=True)
    ]
    painted: Tensor = eye.painter(features, manners)
    return painted[..., :height, :width]


def _movement(x: Tensor, moves: Sequence[Transport], shares: Sequence[Tensor | None]) -> Tensor:
    """How far the features (1, C, h, w) are moved, by each region's map in its share of places."""
    moved = torch.zeros_like(x)
    for move, share in zip(moves, shares, strict=True):
        way = move(x) - x
        moved += way if share is None else way * at_stride(share, x)
    return moved


def _finished(pictures: Pictures, painted: Tensor, options: Mapping[str, Any]) -> Tensor:
    content = pictures.content
    painted = painted.clamp(0, 1)
    if options["keep_colors"] == "luma":
        painted = keep_colors(content, painted)
    cover = pictures.cover((content.shape[-2], content.shape[-1]))
    return painted if cover is None else content + cover * (painted - content)


def _recipe(
    options: Mapping[str, Any], asked: Mapping[str, Any], weights: dict[str, str]
) -> Recipe:
    given = [(role, source) for role in _PLACES for source in listed(asked[role])]
    plain = {name: value for name, value in options.items() if name not in _PLACES}
    return Recipe(
        engine="anystyle",
        options={**plain, "network": os.fspath(options["network"])},
        inputs=tuple(input_of(role, source) for role, source in given),
        weights=weights,
        seed=0,
        belamy=belamy.__version__,
        torch=torch.__version__,
        step=1,
    )
