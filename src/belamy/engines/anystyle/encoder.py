"""The encoder of arbitrary style transfer, and features that are given a style's moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone
from belamy.networks.image_to_image.arbitrary_style import IMAGE, LAYERS, STRIDE, encode_style
from belamy.networks.recent import share_backbone
from belamy.objectives.style_losses import Moments
from belamy.objectives.whitening import standard_deviations, whitening_coloring

__all__ = ["count_channels", "encode_moments", "load_encoder", "transfer_moments"]


def load_encoder(model: str, layers: Iterable[str], device: torch.device) -> Backbone:
    """The network whose features are read, with replicate padding: zeros would show as a frame.

    Args:
        layers: what is read besides `LAYERS`.

    Raises:
        OptionError: it has not the layers that are read.
        UnknownName, WeightsError: there is none of this name, or its weights are not here.
    """
    try:
        backbone = share_backbone(model, layers={*layers, *LAYERS}, device=device)
    except UnknownName as error:
        if "layer" not in str(error):
            raise
        raise OptionError(
            f"{model} has not the layers of iris; take iris, or one trained alike"
        ) from error
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1:
            down, right = (size // 2 for size in module.kernel_size)
            module._reversed_padding_repeated_twice = [right, right, down, down]
            module.padding_mode = "replicate"
    return backbone


def count_channels(backbone: Backbone) -> list[int]:
    """How many features each of `LAYERS` has."""
    rows = [backbone.layers[backbone.resolve(layer)] for layer in LAYERS]
    assert rows[0].stride == STRIDE
    return [row.channels for row in rows]


def encode_moments(moments: Mapping[str, Moments]) -> Tensor:
    """The code of a style that a decoder is conditioned on, out of its moments: (N, K)."""
    layers = (IMAGE, *LAYERS)
    means = {layer: moments[layer].mean for layer in layers}
    return encode_style(means, {layer: standard_deviations(moments[layer]) for layer in layers})


def transfer_moments(
    features: Mapping[str, Tensor],
    contents: Mapping[str, Moments],
    styles: Mapping[str, Moments],
    mixing: Mapping[str, float],
) -> dict[str, Tensor]:
    """Layer → the content's features with the style's moments, (N, C, H, W)."""
    return {
        layer: whitening_coloring(contents[layer], styles[layer], amount)(features[layer])
        for layer, amount in mixing.items()
    }
