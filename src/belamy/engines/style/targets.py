"""The losses of a style transfer: layers and weights out of options, targets out of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.engines.style.gradient import FeatureExtractor, LossTerm, features_by_tile
from belamy.engines.style.options import StyleOptions, read_layers
from belamy.errors import OptionError
from belamy.memory import give_back
from belamy.networks.architecture import StyleLayers
from belamy.networks.backbone import Backbone
from belamy.networks.modules.open_network import name_model, say_no_layer
from belamy.networks.registry import NETWORKS
from belamy.objectives.statistics import content_loss, moment_statistics
from belamy.objectives.style_losses import STYLE_LOSSES, Moments, blend_moments, normalize_weights

__all__ = [
    "Region",
    "StyleImage",
    "check_layers",
    "choose_layers",
    "loss_terms",
    "measure_moments",
]

# Of a backbone whose layers nobody has chosen: once every layer is normalized, the weights that
# serve iris serve it too.
_UNKNOWN = StyleLayers({}, {}, content_weight=0.06, tv=0.5)


def choose_layers(options: StyleOptions) -> StyleLayers:
    """Where the model compares content and style: its own layers, but for what the options name.

    Raises:
        UnknownName, WeightsError: there is no such model, or its weights are not here.
        OptionError: no layers of it are known and none are named.
    """
    name = name_model(options.model)
    known = NETWORKS[name].layers.style if name else None
    content_layers = read_layers(options.content_layer)
    style_layers = read_layers(options.style_layer)
    chosen = content_layers and style_layers
    if not name and not chosen:
        raise OptionError(say_no_layer(options.model, "content-layer and style-layer"))
    if known is None and not chosen:
        raise OptionError(
            f"{name} has no usual layers for style; name some with content-layer and style-layer"
        )
    own = known or _UNKNOWN
    return StyleLayers(
        content_layers or own.content,
        style_layers or own.style,
        own.content_weight if options.content_weight is None else options.content_weight,
        own.tv if options.tv is None else options.tv,
        own.normalized,
    )


def check_layers(backbone: Backbone, layers: Iterable[str]) -> None:
    """Raise `OptionError` for a layer without positions, where there is no style to see."""
    for name in layers:
        if backbone.layers[backbone.resolve(name)].stride is None:
            raise OptionError(f"layer {name!r} has no places any more; take one before it")


@dataclass(frozen=True)
class StyleImage:
    """A style at one scale.

    Args:
        image: (1, 3, H, W) in [0, 1].
        mask: (1, 1, H, W), what counts of it; None for all.
        weight: how much it counts among the styles.
    """

    image: Tensor
    mask: Tensor | None
    weight: float


@dataclass(frozen=True)
class Region:
    """Where a picture is painted in which styles, blended.

    Args:
        mask: (1, 1, H, W) of the content; None for everywhere.
    """

    styles: tuple[StyleImage, ...]
    mask: Tensor | None = None


def loss_terms(
    extractor: FeatureExtractor,
    layers: StyleLayers,
    loss: str,
    image: Tensor,
    regions: Sequence[Region],
) -> list[LossTerm]:
    """All that is minimised at one scale, but for the total variation.

    Args:
        loss: one of `STYLE_LOSSES`.
        image: (1, 3, H, W), the content.
    """
    terms = _content_terms(extractor, layers, image) if layers.content_weight > 0 else []
    grids = extractor.grids(image, list(layers.style))
    for region in regions:
        terms += _style_terms(extractor, layers, loss, region, grids)
    give_back()  # the activations of the pictures leave holes that those of a step do not fit into
    return terms


def _style_terms(
    extractor: FeatureExtractor,
    layers: StyleLayers,
    loss: str,
    region: Region,
    grids: Mapping[str, tuple[int, int]],
) -> list[LossTerm]:
    moments = [measure_moments(extractor, one, list(layers.style)) for one in region.styles]
    weights = [one.weight for one in region.styles]
    # A region's loss is a mean over its positions; it counts as much as it has of the picture.
    area = 1.0 if region.mask is None else float(region.mask.mean())
    strength = area * sum(weights) / len(weights)
    terms = []
    for layer, fraction in _fractions(layers.style).items():
        target = blend_moments([one[layer] for one in moments], weights)
        positions = None if region.mask is None else _resample(region.mask, grids[layer])
        scale = _mean_square(target) if layers.normalized else 1.0
        distance = STYLE_LOSSES[loss](layer, target, positions)
        terms.append(LossTerm("style", strength * fraction / scale, distance))
    return terms


def _fractions(layers: Mapping[str, float]) -> dict[str, float]:
    return {name: weight / sum(layers.values()) for name, weight in layers.items()}


def _content_terms(
    extractor: FeatureExtractor, layers: StyleLayers, image: Tensor
) -> list[LossTerm]:
    names = list(layers.content)
    grids = extractor.grids(image, names)
    targets: dict[str, Tensor] = {}
    for features, layer, window in features_by_tile(extractor, image, names):
        features = features.to(image.dtype)
        if layer not in targets:
            targets[layer] = features.new_empty(*features.shape[:2], *grids[layer])
        window.of(targets[layer])[...] = features
    return [
        LossTerm(
            "content",
            layers.content_weight
            * fraction
            / (max(float(targets[layer].square().mean()), _TINY) if layers.normalized else 1.0),
            content_loss(layer, targets[layer]),
        )
        for layer, fraction in _fractions(layers.content).items()
    ]


# A layer that is silent everywhere in a target is normalized as if it had this mean square.
_TINY = 1e-12


def _mean_square(target: Moments) -> float:
    return max(float(target.second.diagonal(dim1=-2, dim2=-1).mean()), _TINY)


def measure_moments(
    extractor: FeatureExtractor, style: StyleImage, layers: Sequence[str]
) -> dict[str, Moments]:
    """Layer → the moments of a style's features, added up over tiles."""
    grids = extractor.grids(style.image, layers)
    mask = style.mask
    weights = (
        {}
        if mask is None
        else {name: normalize_weights(_resample(mask, grids[name])) for name in layers}
    )
    sums: dict[str, tuple[Tensor, ...]] = {}
    for features, layer, window in features_by_tile(extractor, style.image, layers):
        own = moment_statistics(features, window, weights.get(layer))
        before = sums.get(layer)
        sums[layer] = own if before is None else tuple(map(torch.add, before, own))
    return {layer: Moments(*own) for layer, own in sums.items()}


def _resample(mask: Tensor, grid: tuple[int, int]) -> Tensor:
    """How much of a mask (1, 1, H, W) lies at each position of a layer: (h, w)."""
    return F.interpolate(mask, size=grid, mode="area")[0, 0]
