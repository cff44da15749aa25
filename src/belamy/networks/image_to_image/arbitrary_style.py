"""Arbitrary style transfer: a decoder of features that have been given a style's moments.

An encoder (see `belamy.networks.backbone`) looks at the picture; at three depths its features are
moved to the style's moments (`belamy.objectives.whitening`); this network decodes them to a
picture, and is conditioned on the style besides.

Source: Huang & Belongie 2017, "Arbitrary style transfer in real-time with adaptive instance
normalization". **Differs**: the style enters at three depths instead of one, and again, as a scale
and a shift of every convolution, as in Ghiasi et al. 2017; what is decoded is added to the soft
colours of the picture, moved to the style's, so that it is legible from the first step of training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "IMAGE",
    "LAYERS",
    "REACH",
    "STRIDE",
    "ArbitraryStyleNet",
    "ConditionalConv",
    "Style",
    "at_stride",
    "encode_style",
    "initialise",
    "soften",
]

IMAGE = "image"  # the pixels themselves, beside the layers

LAYERS = ("mixed4a", "mixed3b")
"""Layers of iris that are read, the deepest first: at an eighth and a quarter of the size.

With one at half of the size too, the results kept the noise of the photograph."""

STRIDE = 8  # pixels between positions of the deepest layer: pictures are multiples of it
REACH = 48
"""Pixels: nothing farther away than that, beyond what the encoder sees, counts for a pixel."""

_SOFT = 8  # pixels of the squares over which the soft colours are averaged. By eye
_LAST_GAIN = 0.1  # of He's spread, for the last convolution at the start. By eye

Style: TypeAlias = "tuple[Tensor, Tensor | None]"
"""A style as `encode_style` gives it; its weight at each pixel (N, 1, H, W), None for 1."""


def encode_style(means: Mapping[str, Tensor], deviations: Mapping[str, Tensor]) -> Tensor:
    """A style as the numbers that the network is conditioned on: (N, K).

    Args:
        means, deviations: `IMAGE` and each of `LAYERS` → (N, C), of the style's features.
    """
    code = [means[IMAGE], deviations[IMAGE].clamp_min(1e-3).log()]
    for layer in LAYERS:
        deviation = deviations[layer]
        code += [means[layer] / deviation.clamp_min(1e-2), deviation.clamp_min(1e-3).log()]
    return torch.cat(code, dim=1).clamp(-5, 5)


class ConditionalConv(nn.Module):
    """Convolution; a scale and a shift of each channel by the style (Ghiasi et al. 2017); ReLU."""

    def __init__(self, inputs: int, outputs: int, code: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")
        self.manner = nn.Linear(code, 2 * outputs)

    def forward(self, x: Tensor, styles: Sequence[Style]) -> Tensor:
        x = self.convolution(x)
        condition = torch.stack([self._condition(style, x) for style in styles]).sum(dim=0)
        scale, shift = condition.chunk(2, dim=1)
        return F.relu(x * (1 + scale) + shift)

    def _condition(self, style: Style, x: Tensor) -> Tensor:
        code, weight = style
        condition: Tensor = self.manner(code)[:, :, None, None]  # (N, 2·C, 1, 1)
        return condition if weight is None else condition * at_stride(weight, x)


def at_stride(weight: Tensor, features: Tensor) -> Tensor:
    """A weight of the picture's pixels (N, 1, H, W) at the positions of features: (N, 1, h, w)."""
    return F.avg_pool2d(weight, weight.shape[-1] // features.shape[-1])


class ArbitraryStyleNet(nn.Module):
    """Decodes an encoder's features to a picture, conditioned on one style or several.

    Args:
        channels: of the encoder's `LAYERS`.
        widths: channels at an eighth, a quarter, half and the whole of the size.
        code: numbers that a style is embedded in.
        compared: combinations of the deepest features by which positions are compared.
        mixing: how much the covariances between the features of each of `LAYERS` count when they
            are moved to a style; see `belamy.objectives.whitening`.

    Attributes:
        basis: (compared, C), the combinations; see `belamy.objectives.patch_match`.
    """

    basis: Tensor

    def __init__(
        self,
        channels: Sequence[int],
        widths: Sequence[int] = (192, 128, 64, 32),
        code: int = 128,
        compared: int = 48,
        mixing: Sequence[float] = (0.0, 0.7),
    ) -> None:
        super().__init__()
        lists = {"channels": channels, "widths": widths, "mixing": mixing}
        self.arguments: dict[str, Any] = {name: list(values) for name, values in lists.items()}
        self.arguments |= {"code": code, "compared": compared}
        basis = torch.zeros(compared, channels[0])
        basis.diagonal().fill_(1)  # (torch.eye loads torch's compiler on the meta device)
        self.register_buffer("basis", basis)
        self.mixing = {IMAGE: 1.0, **dict(zip(LAYERS, mixing, strict=True))}
        numbers = 2 * (3 + sum(channels))
        self.reading = nn.Sequential(
            nn.Linear(numbers, code), nn.ReLU(), nn.Linear(code, code), nn.ReLU()
        )
        (deep, near), (eighth, quarter, half, whole) = channels, widths
        self.deep = ConditionalConv(deep, eighth, code)
        self.near = nn.Conv2d(near, quarter, 1)
        self.joined = ConditionalConv(eighth + quarter, quarter, code)
        self.at_half = ConditionalConv(quarter, half, code)
        self.at_whole = ConditionalConv(half, whole, code)
        self.details = nn.ModuleList(ConditionalConv(width, width, code) for width in widths[:3])
        self.colour = nn.Conv2d(whole, 3, 3, padding=1, padding_mode="replicate")

    def forward(self, features: Mapping[str, Tensor], styles: Sequence[Style]) -> Tensor:
        """A picture (N, 3, H, W) in [0, 1], but for what overshoots a little.

        Args:
            features: `IMAGE` → (N, 3, H, W) with sides that are multiples of `STRIDE`, and each of
                `LAYERS` → (N, C, h, w); all with the moments of the style.
            styles: what is asked for; where several have weights, these add up to 1 at most.
        """
        styles = [(self.reading(code), weight) for code, weight in styles]
        deep, near = (features[layer] for layer in LAYERS)
        x = self._add_details(0, self.deep(deep, styles), styles)  # (N, ·, H/8, W/8)
        x = torch.cat([_upsample(x), F.relu(self.near(near))], dim=1)
        x = self._add_details(1, self.joined(x, styles), styles)  # (N, ·, H/4, W/4)
        x = self._add_details(2, self.at_half(_upsample(x), styles), styles)  # (N, ·, H/2, W/2)
        details: Tensor = self.colour(self.at_whole(_upsample(x), styles))  # (N, 3, H, W)
        return details + soften(features[IMAGE])

    def _add_details(self, index: int, x: Tensor, styles: Sequence[Style]) -> Tensor:
        return x + self.details[index](x, styles)  # type: ignore[no-any-return]


def _upsample(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear")


def soften(image: Tensor) -> Tensor:
    """The colours without the details, (N, 3, H, W)."""
    return F.interpolate(F.avg_pool2d(image, _SOFT), scale_factor=_SOFT, mode="bilinear")


def initialise(network: ArbitraryStyleNet, generator: torch.Generator) -> None:
    """He's normal initialisation (He et al. 2015), from one generator, but for a quiet last
    convolution; styles change nothing at first."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, generator=generator)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, ConditionalConv):
            nn.init.zeros_(module.manner.weight)
    with torch.no_grad():
        network.colour.weight.mul_(_LAST_GAIN)
