"""What a style transfer is after: layers and weights out of options, targets out of pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.engines.style.gradient import Term, View, seen
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone
from belamy.networks.files.weights import find_weights, open_weights
from belamy.objectives.statistics import content, gather_moments
from belamy.objectives.style_losses import STYLE_LOSSES, Moments, blend, shares

Weights = Mapping[str, float]
"""Layer → how much it counts."""


@dataclass(frozen=True)
class Taste:
    """How a network is best asked for content and style.

    Args:
        content, style: layers and weights; only the proportions of each count.
        content_weight: against the style's 1.
        tv: weight of the smoothness.
        measured: whether each layer's distance is divided by the mean square of the target's
            features there, so that weights mean the same on every layer.
    """

    content: Weights
    style: Weights
    content_weight: float
    tv: float
    measured: bool = True


_VGG = Taste(
    {"relu4_2": 1},
    {"relu1_1": 256, "relu2_1": 64, "relu3_1": 16, "relu4_1": 4, "relu5_1": 1},
    0.015,
    2.0,
    measured=False,
)

TASTES: dict[str, Taste] = {
    "iris": Taste(
        {"mixed3b": 1},
        {"conv1": 1, "conv2b": 1, "mixed3a": 1, "mixed3b": 1, "mixed4b": 1},
        0.06,
        0.5,
    ),
    "squeezenet1_0": Taste(
        {"fire5": 1}, {"relu1": 1, "fire2": 1, "fire4": 1, "fire6": 1, "fire8": 1}, 0.25, 0.5
    ),
    "vgg16": _VGG,
    "vgg19": _VGG,
}
"""Network → what was found to look best: VGG by crowsonkb/style-transfer-pytorch, others by eye."""

_TERM = re.compile(r"(?P<layer>[^*\s]+)(?:\*(?P<weight>\d+\.?\d*|\.\d+))?")


def taste(
    model: str | os.PathLike[str],
    content_layer: str | Sequence[str],
    style_layer: str | Sequence[str],
    content_weight: float | None,
    tv: float | None,
) -> Taste:
    """What a model, by name or file, is asked for: its own taste, but for what is named here.

    Raises:
        UnknownName, WeightsError: there is no such model, or its weights are not here.
        OptionError: a layer that cannot be read, or none known and none named.
    """
    name = os.fspath(model)
    if name not in TASTES:
        with open_weights(find_weights(name)) as weights:
            name = weights.description.network
    named_content, named_style = read_layers(content_layer), read_layers(style_layer)
    if name not in TASTES and not (named_content and named_style):
        raise OptionError(
            f"{name} has no usual layers for style; name some with content-layer and style-layer"
        )
    # what serves iris serves an unknown network too, once every layer is measured
    own = TASTES.get(name, TASTES["iris"])
    return Taste(
        named_content or own.content,
        named_style or own.style,
        own.content_weight if content_weight is None else content_weight,
        own.tv if tv is None else tv,
        own.measured,
    )


def read_layers(texts: str | Sequence[str]) -> dict[str, float]:
    """`relu4_1*0.5` and the like.

    Raises:
        OptionError: a text that cannot be read, or a weight of zero.
    """
    found: dict[str, float] = {}
    for text in [texts] if isinstance(texts, str) else texts:
        match = _TERM.fullmatch(text.strip())
        if match is None:
            raise OptionError(f"layer {text!r} cannot be read; write NAME[*WEIGHT], as relu4_1*0.5")
        weight = 1.0 if match["weight"] is None else float(match["weight"])
        if weight == 0:
            raise OptionError(f"layer {text!r} has weight 0 and would do nothing; leave it out")
        found[match["layer"]] = weight
    return found


def written_layers(layers: Weights) -> list[str]:
    """The inverse of `read_layers`."""
    return [name if weight == 1 else f"{name}*{weight!r}" for name, weight in layers.items()]


def check_layers(backbone: Backbone, layers: Iterable[str]) -> None:
    """Raise `OptionError` for a layer without places, where there is no style to see."""
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


def terms_for(
    view: View, wanted: Taste, loss: str, image: Tensor, regions: Sequence[Region]
) -> list[Term]:
    """All that is minimised at one scale.

    Args:
        loss: one of `STYLE_LOSSES`.
        image: (1, 3, H, W), the content.

    Raises:
        UnknownName: no such loss.
    """
    if loss not in STYLE_LOSSES:
        raise UnknownName("style loss", loss, STYLE_LOSSES)
    terms = _content_terms(view, wanted, image) if wanted.content_weight > 0 else []
    grids = view.grids(image, list(wanted.style))
    for region in regions:
        moments = [moments_seen(view, one, list(wanted.style)) for one in region.styles]
        weights = [one.weight for one in region.styles]
        # A region's distance is a mean over its places; so much of the picture it is worth.
        area = 1.0 if region.mask is None else float(region.mask.mean())
        strength = area * sum(weights) / len(weights)
        for layer, part in _parts(wanted.style).items():
            target = blend([one[layer] for one in moments], weights)
            places = None if region.mask is None else _at(region.mask, grids[layer])
            worth = _energy(target) if wanted.measured else 1.0
            pooled = STYLE_LOSSES[loss](layer, target, places)
            terms.append(Term("style", strength * part / worth, pooled))
    return terms


def _parts(layers: Weights) -> dict[str, float]:
    return {name: weight / sum(layers.values()) for name, weight in layers.items()}


def _content_terms(view: View, wanted: Taste, image: Tensor) -> list[Term]:
    layers = list(wanted.content)
    grids = view.grids(image, layers)
    targets: dict[str, Tensor] = {}
    for features, layer, window in seen(view, image, layers):
        features = features.to(image.dtype)
        if layer not in targets:
            targets[layer] = features.new_empty(*features.shape[:2], *grids[layer])
        window.of(targets[layer])[...] = features
    return [
        Term(
            "content",
            wanted.content_weight
            * part
            / (max(float(targets[layer].square().mean()), _TINY) if wanted.measured else 1.0),
            content(layer, targets[layer]),
        )
        for layer, part in _parts(wanted.content).items()
    ]


# A layer that sees nothing at all in a target is measured as if it saw this much.
_TINY = 1e-12


def _energy(target: Moments) -> float:
    return max(float(target.second.diagonal(dim1=-2, dim2=-1).mean()), _TINY)


def moments_seen(view: View, style: StyleImage, layers: Sequence[str]) -> dict[str, Moments]:
    """What a style is in each layer, added up over the view's tiles."""
    grids = view.grids(style.image, layers)
    mask = style.mask
    places = {} if mask is None else {name: shares(_at(mask, grids[name])) for name in layers}
    sums: dict[str, tuple[Tensor, ...]] = {}
    for features, layer, window in seen(view, style.image, layers):
        found = gather_moments(features, window, places.get(layer))
        before = sums.get(layer)
        sums[layer] = found if before is None else tuple(map(torch.add, before, found))
    return {layer: Moments(*found) for layer, found in sums.items()}


def _at(mask: Tensor, grid: tuple[int, int]) -> Tensor:
    """How much of a mask (1, 1, H, W) lies at each place of a layer: (h, w)."""
    return F.interpolate(mask, size=grid, mode="area")[0, 0]
