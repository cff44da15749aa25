"""One picture drawn in the manner of others, whole or by tiles: what `anystyling` asks for.

A region's features are moved to its style's moments, and laid of its style's pieces; the two are
mixed, and a network draws from the mixture. What it takes to know of the whole picture, its
moments, is added up over its tiles before the first of them is drawn. What was drawn is paler than
the style, and gets the style's colours in the end.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.anystyle.encoder import told
from belamy.engines.style.gradient import View
from belamy.engines.style.targets import StyleImage, moments_seen
from belamy.networks.image_to_image.arbitrary_style import (
    IMAGE,
    LEVELS,
    STRIDE,
    AnyPainter,
    at_stride,
)
from belamy.objectives.laplacian_color import band_moments, recoloured
from belamy.objectives.patch_match import CELL, Pieces, coordinates, laid, pieces_of
from belamy.objectives.style_losses import Moments, blend, moments_of
from belamy.objectives.whitening import Transport, transport
from belamy.pixels.colors import LUMA
from belamy.pixels.tiles import apply_tiled

__all__ = ["CELL_SIDE", "Eye", "Measure", "Region", "drawn", "regions_of"]

CELL_SIDE = CELL * STRIDE
"""Pixels on a side of what may be laid in one: tiles begin at multiples of it."""

_DEEPEST = LEVELS[0]
_LIGHT = 2.0  # how much lightness counts among some 50 features of a place. By eye
_SEEN = 0.5  # of what a style's mask shows at most: where it shows less, no pieces are taken


@dataclass(frozen=True)
class Eye:
    """What looks, and what draws."""

    painter: AnyPainter
    view: View


@dataclass(frozen=True)
class Measure:
    """How much of a style there is, in [0, 1] each.

    Args:
        strength: 0 is the content itself.
        pieces: how much of that is laid of pieces.
        seed: of the choice among pieces that are alike.
    """

    strength: float
    pieces: float
    seed: int = 0


@dataclass(frozen=True)
class Region:
    """A part of the picture, and the styles that it is drawn in.

    Args:
        own: level → moments of the content's features there.
        moves: level → the map of the content's features to the style.
        collages: what it is laid of, and in what part each.
        manner: what the painter is told of the style, (1, K).
        itself: what it would be told of the content, (1, K).
        colours: moments of the content's bands of details, and of the style's.
        mask: (1, 1, H, W), where it is; None for everywhere.
        share: of each pixel (1, 1, H, W); None for all of them.
    """

    own: Mapping[str, Moments]
    moves: Mapping[str, Transport]
    collages: Sequence[tuple[Pieces, float]]
    manner: Tensor
    itself: Tensor
    colours: tuple[Sequence[Moments], Sequence[Moments]]
    mask: Tensor | None
    share: Tensor | None


@dataclass(frozen=True)
class _Style:
    moments: Mapping[str, Moments]
    colours: Sequence[Moments]
    pieces: Pieces
    weight: float


def drawn(
    eye: Eye,
    content: Tensor,
    styles: Sequence[StyleImage],
    masks: Sequence[Tensor],
    measure: Measure,
) -> Tensor:
    """The content (1, 3, H, W) in [0, 1] in the manner of the styles; not clamped.

    Args:
        styles: at the size at which they are looked at.
        masks: (1, 1, H, W) each, one a style: its region; none where the styles are blended.
    """
    height, width = content.shape[-2:]
    content = _evened(content)
    regions = regions_of(eye, content, styles, [_evened(mask) for mask in masks])
    painted = _drawn(eye, content, regions, measure)
    if measure.strength < 1:  # what a picture loses even in its own style is given back so much
        itself = _drawn(eye, content, regions, replace(measure, strength=0.0, pieces=0.0))
        painted += (1 - measure.strength) * (content - itself)
    return _coloured(painted.clamp_(0, 1), regions, measure.strength)[..., :height, :width]


def _coloured(painted: Tensor, regions: Sequence[Region], strength: float) -> Tensor:
    """The picture with each region's colours so far from the content's to the style's."""
    made = painted
    for region in regions:
        own = band_moments(painted, region.mask)
        wanted = [_between(*both, strength) for both in zip(*region.colours, strict=True)]
        change = recoloured(painted, own, wanted) - painted
        made = made + (change if region.share is None else region.share * change)
    return made


def _between(content: Moments, style: Moments, part: float) -> Moments:
    mean = content.mean.lerp(style.mean, part)
    covariance = content.covariance.lerp(style.covariance, part)
    return Moments(mean, covariance + mean[:, :, None] * mean[:, None, :])


def _evened(image: Tensor) -> Tensor:
    """With sides that are multiples of the painter's stride: the last pixels go on."""
    below, right = (-side % STRIDE for side in image.shape[-2:])
    return F.pad(image, (0, right, 0, below), mode="replicate")


def regions_of(
    eye: Eye, content: Tensor, styles: Sequence[StyleImage], masks: Sequence[Tensor]
) -> list[Region]:
    """The whole picture in all styles blended, or the region of each.

    Args:
        content: (1, 3, H, W), its sides multiples of the painter's stride; masks likewise.
    """
    found = [_style(eye, style) for style in styles]
    if not masks:
        return [_region(eye, content, found)]
    total = torch.stack(list(masks)).sum(dim=0).clamp_min(torch.finfo(content.dtype).eps)
    return [
        _region(eye, content, [style], mask, mask / total)
        for style, mask in zip(found, masks, strict=True)
    ]


def _style(eye: Eye, style: StyleImage) -> _Style:
    image = _evened(style.image)
    features = {IMAGE: image, **eye.view.see(image, LEVELS)}
    mask = None if style.mask is None else _evened(style.mask)
    moments = {
        level: moments_of(x, None if mask is None else at_stride(mask, x)[0, 0])
        for level, x in features.items()
    }
    places = _places(eye, features, moments)
    shown = None if mask is None else at_stride(mask, features[_DEEPEST])[0, 0]
    allowed = None if shown is None else shown >= _SEEN * shown.max()
    pieces = pieces_of(features, places, allowed)
    return _Style(moments, band_moments(image, mask), pieces, style.weight)


def _places(eye: Eye, features: Mapping[str, Tensor], moments: Mapping[str, Moments]) -> Tensor:
    """By what places are compared, (1, K, h, w): deep features, and how light it is there.

    Features alone cannot tell a dark tree's inside from a light sky's, for both are plain.
    """
    deep = coordinates(features[_DEEPEST], moments[_DEEPEST], eye.painter.basis)
    colours = F.avg_pool2d(features[IMAGE], STRIDE)
    light = coordinates(colours, moments[IMAGE], colours.new_tensor([LUMA]))
    return torch.cat([deep, _LIGHT * light], dim=1)


def _region(
    eye: Eye,
    content: Tensor,
    styles: Sequence[_Style],
    mask: Tensor | None = None,
    share: Tensor | None = None,
) -> Region:
    parts = [style.weight / sum(one.weight for one in styles) for style in styles]
    mixing = eye.painter.mixing
    wanted = {level: blend([one.moments[level] for one in styles], parts) for level in mixing}
    pixels = moments_of(content, None if mask is None else mask[0, 0])
    seen = moments_seen(eye.view, StyleImage(content, mask, 1.0), list(LEVELS))
    own = {IMAGE: pixels, **seen}
    moves = {level: transport(own[level], wanted[level], mixing[level]) for level in mixing}
    collages = [(style.pieces, part) for style, part in zip(styles, parts, strict=True)]
    palette = [blend(band, parts) for band in zip(*(one.colours for one in styles), strict=True)]
    colours = band_moments(content, mask), palette
    manners = told(wanted), told(own)
    return Region(own, moves, collages, *manners, colours, mask, share)


def _drawn(eye: Eye, content: Tensor, regions: Sequence[Region], measure: Measure) -> Tensor:
    shares = [region.share for region in regions if region.share is not None]
    cells = _numbers(content, measure.seed)
    # what belongs to a pixel is cut into tiles as the picture is
    stack = torch.cat([content, cells, *shares], dim=1)
    draw = functools.partial(_drawn_at_once, eye, regions, measure)
    tiling = eye.view.tiling
    if tiling is None:
        return draw(stack)
    return apply_tiled(draw, stack, tiling.tile, tiling.margin, align=tiling.align)


def _numbers(content: Tensor, seed: int) -> Tensor:
    """(1, 1, H, W): for each cell of pixels a number by chance, whole and exact in float32."""
    rows, columns = (-(-side // CELL_SIDE) for side in content.shape[-2:])
    chance = make_rng(seed, "pieces")
    numbers = torch.randint(2**24, (1, 1, rows, columns), generator=chance).to(content)
    spread = numbers.repeat_interleave(CELL_SIDE, dim=2).repeat_interleave(CELL_SIDE, dim=3)
    return spread[..., : content.shape[-2], : content.shape[-1]]


def _drawn_at_once(eye: Eye, regions: Sequence[Region], measure: Measure, crop: Tensor) -> Tensor:
    """(1, 3, h, w) of a crop of the picture, the numbers of its cells, and its shares if any."""
    height, width = crop.shape[-2:]
    parts = [3] + [1] * (crop.shape[1] - 3)
    image, numbers, *masks = torch.split(_evened(crop), parts, dim=1)
    shares: list[Tensor | None] = [*masks] or [None]
    cells = numbers[0, 0, ::CELL_SIDE, ::CELL_SIDE].long()
    seen = {IMAGE: image, **eye.view.see(image, LEVELS)}
    features, manners = dict(seen), []
    for region, share in zip(regions, shares, strict=True):
        for level, wanted in _wanted(eye, region, seen, cells, measure.pieces).items():
            way = measure.strength * (wanted - seen[level])
            features[level] = features[level] + (
                way if share is None else way * at_stride(share, way)
            )
        manners.append((region.itself.lerp(region.manner, measure.strength), share))
    painted: Tensor = eye.painter(features, manners)
    return painted[..., :height, :width]


def _wanted(
    eye: Eye, region: Region, seen: Mapping[str, Tensor], cells: Tensor, part: float
) -> dict[str, Tensor]:
    """Level → what a region's style makes of the features: moved, and in a part laid of pieces."""
    made = {level: region.moves[level](x) for level, x in seen.items()}
    if part == 0:
        return made
    places = _places(eye, seen, region.own)
    collages = [(laid(pieces, places, cells), weight) for pieces, weight in region.collages]
    return {
        level: (1 - part) * x + part * torch.stack([w * one[level] for one, w in collages]).sum(0)
        for level, x in made.items()
    }
