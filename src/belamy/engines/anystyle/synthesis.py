"""Arbitrary style transfer of one picture, whole or by tiles: encode, transfer, decode.

The features of a region are given its style's moments, and swapped for its style's patches; a
decoder makes a picture of a mixture of the two. What has to be known of the whole picture, its
moments, is added up over its tiles before the first of them is decoded. What is decoded is paler
than the style, and gets the style's colours in the end.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import autocast, make_rng
from belamy.engines.anystyle.encoder import encode_moments
from belamy.engines.anystyle.strokes import (
    find_stretches,
    lay_strokes,
    stroke_amount,
    vary_fraction,
)
from belamy.engines.style.gradient import FeatureExtractor
from belamy.engines.style.targets import StyleImage, measure_moments
from belamy.networks.image_to_image.arbitrary_style import (
    IMAGE,
    LAYERS,
    STRIDE,
    ArbitraryStyleNet,
    Style,
    at_stride,
)
from belamy.objectives.laplacian_color import band_moments, transfer_band_moments
from belamy.objectives.patch_match import (
    CELL_SIZE,
    PatchBank,
    extract_patches,
    project_features,
    swap_coherently,
)
from belamy.objectives.style_losses import Moments, blend_moments, moments_of
from belamy.objectives.whitening import FeatureTransform, whitening_coloring
from belamy.pixels.colors import LUMA
from belamy.pixels.tiles import apply_tiled
from belamy.precision import PassPrecision

__all__ = [
    "CELL_SIDE",
    "Codec",
    "EncodedStyle",
    "Region",
    "TransferSettings",
    "encode_regions",
    "encode_style",
    "transfer_style",
]

CELL_SIDE = CELL_SIZE * STRIDE
"""Pixels on a side of what may be swapped in one: tiles begin at multiples of it."""

_DEEPEST = LAYERS[0]
_LUMA_WEIGHT = 2.0  # how much lightness counts among some 50 features of a position. By eye
_INSET = 1  # positions at a style's edges, of which no patch is the middle
_SHOWN = 0.5  # of what a style's mask shows at most: where it shows less, no patches are taken


@dataclass(frozen=True)
class Codec:
    """The two networks of arbitrary style transfer: encoder and decoder.

    Args:
        encoder: it computes in its own precision.
        precision: of the decoder's convolutions.
    """

    decoder: ArbitraryStyleNet
    encoder: FeatureExtractor
    precision: PassPrecision = "float32"

    def encode(self, image: Tensor) -> dict[str, Tensor]:
        """`IMAGE` → the picture (1, 3, H, W), and each of `LAYERS` → its features, in float32."""
        features = self.encoder.features(image, LAYERS)
        return {IMAGE: image, **{name: one.to(image.dtype) for name, one in features.items()}}

    def decode(self, features: Mapping[str, Tensor], codes: Sequence[Style]) -> Tensor:
        """The picture (1, 3, H, W) that the features are of; not clamped."""
        with autocast(features[IMAGE].device, self.precision):
            return self.decoder(features, codes)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class TransferSettings:
    """How much of a style there is, in [0, 1] each.

    Args:
        strength: 0 is the content itself.
        patches: the fraction of the transfer that comes of swapped patches.
        seed: of the choice among patches that are alike.
        strokes: the fraction of the strokes that are the style's own where it is laid whole.
    """

    strength: float
    patches: float
    seed: int = 0
    strokes: float = 0.0


@dataclass(frozen=True)
class Region:
    """A part of the picture, and the styles that it is painted in.

    Args:
        content_moments: layer → moments of the content's features there.
        transforms: layer → the map of the content's features to the style's moments.
        banks: patches of each style, and the fraction of each.
        style_code: what the decoder is conditioned on, (1, K).
        content_code: the same of the content itself, (1, K).
        colours: moments of the content's Laplacian bands, and of the style's.
        mask: (1, 1, H, W), where it is; None for everywhere.
        weight: of each pixel (1, 1, H, W); None for 1.
    """

    content_moments: Mapping[str, Moments]
    transforms: Mapping[str, FeatureTransform]
    banks: Sequence[tuple[PatchBank, float]]
    style_code: Tensor
    content_code: Tensor
    colours: tuple[Sequence[Moments], Sequence[Moments]]
    mask: Tensor | None
    weight: Tensor | None


@dataclass(frozen=True)
class _Transferred:
    """Features in a region's style; the patches' pixels, and where a stretch of them is whole."""

    features: Mapping[str, Tensor]
    laid: Tensor
    stretches: Tensor


@dataclass(frozen=True)
class EncodedStyle:
    """What is taken of a style: moments of its features and bands, its patches, how much it counts.

    Pictures are painted in it as often as one likes.
    """

    moments: Mapping[str, Moments]
    colours: Sequence[Moments]
    patches: PatchBank
    weight: float


def transfer_style(
    codec: Codec,
    content: Tensor,
    styles: Sequence[StyleImage | EncodedStyle],
    masks: Sequence[Tensor],
    settings: TransferSettings,
) -> Tensor:
    """The content (1, 3, H, W) in [0, 1] in the styles; not clamped.

    Args:
        styles: at the size at which they are encoded, or encoded before.
        masks: (1, 1, H, W) each, one a style: its region; none where the styles are blended.
    """
    height, width = content.shape[-2:]
    content = _pad_to_stride(content)
    padded = [_pad_to_stride(mask) for mask in masks]
    regions = encode_regions(codec, content, styles, padded, inset=settings.strokes > 0)
    painted = _decode(codec, content, regions, settings)
    if settings.strength < 1:  # what a picture loses even in its own style is given back so much
        nothing = replace(settings, strength=0.0, patches=0.0)
        painted += (1 - settings.strength) * (content - _decode(codec, content, regions, nothing))
    coloured = _transfer_colours(painted.clamp_(0, 1), regions, settings.strength)
    return coloured[..., :height, :width]


def _transfer_colours(painted: Tensor, regions: Sequence[Region], strength: float) -> Tensor:
    """The picture with each region's colours so far from the content's to the style's."""
    result = painted
    for region in regions:
        own = band_moments(painted, region.mask)
        target = [_interpolate(*both, strength) for both in zip(*region.colours, strict=True)]
        change = transfer_band_moments(painted, own, target) - painted
        result = result + (change if region.weight is None else region.weight * change)
    return result


def _interpolate(content: Moments, style: Moments, fraction: float) -> Moments:
    mean = content.mean.lerp(style.mean, fraction)
    covariance = content.covariance.lerp(style.covariance, fraction)
    return Moments(mean, covariance + mean[:, :, None] * mean[:, None, :])


def _pad_to_stride(image: Tensor) -> Tensor:
    """With sides that are multiples of the decoder's stride: the last pixels go on."""
    below, right = (-side % STRIDE for side in image.shape[-2:])
    return F.pad(image, (0, right, 0, below), mode="replicate")


def encode_regions(
    codec: Codec,
    content: Tensor,
    styles: Sequence[StyleImage | EncodedStyle],
    masks: Sequence[Tensor],
    *,
    inset: bool = False,
) -> list[Region]:
    """The whole picture in all styles blended, or the region of each.

    Args:
        content: (1, 3, H, W), its sides multiples of the decoder's stride; masks likewise.
        inset: whether no patches are taken from the styles' edges, where features are of what
            goes on beyond them: they would be laid as stripes along the content's.
    """
    encoded = [
        style if isinstance(style, EncodedStyle) else encode_style(codec, style, inset)
        for style in styles
    ]
    if not masks:
        return [_encode_region(codec, content, encoded)]
    total = torch.stack(list(masks)).sum(dim=0).clamp_min(torch.finfo(content.dtype).eps)
    return [
        _encode_region(codec, content, [style], mask, mask / total)
        for style, mask in zip(encoded, masks, strict=True)
    ]


def encode_style(codec: Codec, style: StyleImage, inset: bool) -> EncodedStyle:
    """What pictures that are painted in a style need of it.

    Args:
        style: at the size at which it is encoded.
        inset: see `encode_regions`.
    """
    image = _pad_to_stride(style.image)
    features = codec.encode(image)
    mask = None if style.mask is None else _pad_to_stride(style.mask)
    moments = {
        layer: moments_of(x, None if mask is None else at_stride(mask, x)[0, 0])
        for layer, x in features.items()
    }
    projected = _project(codec, features, moments)
    allowed = _find_allowed(mask, features[_DEEPEST], inset)
    patches = extract_patches(features, projected, allowed)
    return EncodedStyle(moments, band_moments(image, mask), patches, style.weight)


def _find_allowed(mask: Tensor | None, deepest: Tensor, inset: bool) -> Tensor | None:
    """(h, w), true where patches may be taken; None for everywhere."""
    height, width = deepest.shape[-2:]
    within = torch.ones(height, width, dtype=torch.bool, device=deepest.device)
    if inset and min(height, width) > 2 * _INSET:
        inner = slice(_INSET, -_INSET)
        within = torch.zeros_like(within)
        within[inner, inner] = True
    if mask is None:
        return within if inset else None
    shown = at_stride(mask, deepest)[0, 0]
    allowed = shown >= _SHOWN * shown.max()
    return allowed & within if bool((allowed & within).any()) else allowed


def _project(
    codec: Codec, features: Mapping[str, Tensor], moments: Mapping[str, Moments]
) -> Tensor:
    """By what positions are compared, (1, K, h, w): deep features, and how light it is there.

    Features alone cannot tell a dark tree's inside from a light sky's, for both are plain.
    """
    deep = project_features(features[_DEEPEST], moments[_DEEPEST], codec.decoder.basis)
    colours = F.avg_pool2d(features[IMAGE], STRIDE)
    luma = project_features(colours, moments[IMAGE], colours.new_tensor([LUMA]))
    return torch.cat([deep, _LUMA_WEIGHT * luma], dim=1)


def _encode_region(
    codec: Codec,
    content: Tensor,
    styles: Sequence[EncodedStyle],
    mask: Tensor | None = None,
    weight: Tensor | None = None,
) -> Region:
    fractions = [style.weight / sum(one.weight for one in styles) for style in styles]
    mixing = codec.decoder.mixing
    target = {
        layer: blend_moments([one.moments[layer] for one in styles], fractions) for layer in mixing
    }
    pixels = moments_of(content, None if mask is None else mask[0, 0])
    deep = measure_moments(codec.encoder, StyleImage(content, mask, 1.0), list(LAYERS))
    own = {IMAGE: pixels, **deep}
    palettes = zip(*(one.colours for one in styles), strict=True)
    return Region(
        own,
        {x: whitening_coloring(own[x], target[x], amount) for x, amount in mixing.items()},
        [(style.patches, fraction) for style, fraction in zip(styles, fractions, strict=True)],
        encode_moments(target),
        encode_moments(own),
        (band_moments(content, mask), [blend_moments(band, fractions) for band in palettes]),
        mask,
        weight,
    )


def _decode(
    codec: Codec, content: Tensor, regions: Sequence[Region], settings: TransferSettings
) -> Tensor:
    weights = [region.weight for region in regions if region.weight is not None]
    jitter = _draw_jitter(content, settings.seed)
    # what belongs to a pixel is cut into tiles as the picture is
    stack = torch.cat([content, jitter, *weights], dim=1)
    decode = functools.partial(_decode_crop, codec, regions, settings)
    tiling = codec.encoder.tiling
    if tiling is None:
        return decode(stack)
    return apply_tiled(decode, stack, tiling.tile, tiling.margin, align=tiling.align)


def _draw_jitter(content: Tensor, seed: int) -> Tensor:
    """(1, 1, H, W): a random number for each cell of pixels, whole and exact in float32."""
    rows, columns = (-(-side // CELL_SIDE) for side in content.shape[-2:])
    rng = make_rng(seed, "pieces")
    numbers = torch.randint(2**24, (1, 1, rows, columns), generator=rng).to(content)
    spread = numbers.repeat_interleave(CELL_SIDE, dim=2).repeat_interleave(CELL_SIDE, dim=3)
    return spread[..., : content.shape[-2], : content.shape[-1]]


def _decode_crop(
    codec: Codec, regions: Sequence[Region], settings: TransferSettings, crop: Tensor
) -> Tensor:
    """(1, 3, h, w) of a crop of the picture, its cells' numbers, and its weights if any."""
    height, width = crop.shape[-2:]
    channels = [3] + [1] * (crop.shape[1] - 3)
    image, numbers, *masks = torch.split(_pad_to_stride(crop), channels, dim=1)
    weights: list[Tensor | None] = [*masks] or [None]
    cells = numbers[0, 0, ::CELL_SIDE, ::CELL_SIDE].long()
    own = codec.encode(image)
    features, codes, laid = dict(own), [], []
    for region, weight in zip(regions, weights, strict=True):
        transferred = _transfer(codec, region, own, cells, settings)
        laid.append((transferred, weight))
        for layer, target in transferred.features.items():
            change = settings.strength * (target - own[layer])
            features[layer] = features[layer] + (
                change if weight is None else change * at_stride(weight, change)
            )
        codes.append((region.content_code.lerp(region.style_code, settings.strength), weight))
    painted = codec.decode(features, codes)
    changes = [_change_strokes(painted, one, weight, settings) for one, weight in laid]
    return (painted + sum(changes))[..., :height, :width]


def _change_strokes(
    painted: Tensor, transferred: _Transferred, weight: Tensor | None, settings: TransferSettings
) -> Tensor | float:
    """What the style's own strokes change in a painting, in one region."""
    amount = settings.strength * stroke_amount(settings.patches, settings.strokes)
    if amount == 0:
        return 0.0
    change = lay_strokes(painted, transferred.laid, transferred.stretches, amount)
    return change if weight is None else weight * change


def _transfer(
    codec: Codec,
    region: Region,
    own: Mapping[str, Tensor],
    cells: Tensor,
    settings: TransferSettings,
) -> _Transferred:
    """Features with a region's style: its moments, and in a fraction its patches."""
    transformed = {layer: region.transforms[layer](x) for layer, x in own.items()}
    if settings.patches == 0:
        return _Transferred(transformed, own[IMAGE], torch.zeros_like(own[_DEEPEST][:, :1]))
    projected = _project(codec, own, region.content_moments)
    swap = functools.partial(swap_coherently, soft=settings.strokes > 0)  # older ones: averages
    swaps = [(swap(bank, projected, cells), weight) for bank, weight in region.banks]
    swapped = {
        layer: torch.stack([weight * one.features[layer] for one, weight in swaps]).sum(0)
        for layer in transformed
    }
    coherence = torch.stack([weight * one.coherence for one, weight in swaps]).sum(0)
    stretches = find_stretches(coherence)
    fraction = vary_fraction(settings.patches, stretches, settings.strokes)
    features = {
        layer: x + _enlarge(fraction, x) * (swapped[layer] - x) for layer, x in transformed.items()
    }
    return _Transferred(features, swapped[IMAGE], stretches)


def _enlarge(weight: Tensor, features: Tensor) -> Tensor:
    """A weight of the deepest layer's positions at those of other features."""
    return F.interpolate(weight, size=features.shape[-2:], mode="bilinear")
