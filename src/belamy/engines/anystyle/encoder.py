"""How the network that paints in any style sees: an encoder, and features moved to a style."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.image_to_image.arbitrary_style import IMAGE, LEVELS, STRIDE, written
from belamy.objectives.style_losses import Moments
from belamy.objectives.whitening import deviations, transport

__all__ = ["channels_of", "encoder", "moved", "told"]


def encoder(model: str, layers: Iterable[str], device: torch.device) -> Backbone:
    """The network whose features are read, which sees a picture go on beyond its edge as its last
    pixels: zeros would show as a frame.

    Raises:
        OptionError: it has not the layers that are read.
        UnknownName, WeightsError: there is none of this name, or its weights are not here.
    """
    try:
        backbone = load_backbone(model, layers={*layers, *LEVELS}, device=device)
    except UnknownName as error:
        if "layer" not in str(error):
            raise
        raise OptionError(
            f"{model} has not the layers of iris; take iris, or one trained alike"
        ) from error
    for part in backbone.modules():
        if isinstance(part, nn.Conv2d) and max(part.kernel_size) > 1:
            down, right = (size // 2 for size in part.kernel_size)
            part._reversed_padding_repeated_twice = [right, right, down, down]
            part.padding_mode = "replicate"
    return backbone


def channels_of(backbone: Backbone) -> list[int]:
    """How many features each of `LEVELS` has."""
    rows = [backbone.layers[backbone.resolve(level)] for level in LEVELS]
    assert rows[0].stride == STRIDE
    return [row.channels for row in rows]


def told(styles: Mapping[str, Moments]) -> Tensor:
    """What a painter is told of a style: (N, K)."""
    levels = (IMAGE, *LEVELS)
    means = {level: styles[level].mean for level in levels}
    return written(means, {level: deviations(styles[level]) for level in levels})


def moved(
    features: Mapping[str, Tensor],
    contents: Mapping[str, Moments],
    styles: Mapping[str, Moments],
    mixing: Mapping[str, float],
) -> dict[str, Tensor]:
    """Level → the content's features with the style's moments, (N, C, H, W)."""
    return {
        level: transport(contents[level], styles[level], much)(features[level])
        for level, much in mixing.items()
    }
