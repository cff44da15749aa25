"""The projected discriminator: small ones look at a frozen network's features, beside the one that
looks at pixels.

A discriminator that begins from nothing needs many pictures to find out what an eye or a mouth is;
a network that has learned to see knows it already, and what is left to learn is which of it painted
portraits have. Features of several depths are mixed by fixed random projections, so that no
discriminator can choose to look at one channel alone (Sauer et al. 2021, "Projected GANs converge
faster"). **Differs**: the discriminator of pixels stays, because a frozen network overlooks grain
and lines; each feature map is brought to unit size; one convolution a level instead of the blocks
of FastGAN.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from belamy.networks.backbone import Backbone
from belamy.networks.geometry import Layer
from belamy.networks.resample import downsample

__all__ = ["ProjectedDiscriminator", "choose_feature_layers"]

_STRIDES = (4, 8, 16, 32)  # of the layers that are looked at: one of each, the deepest
_CHANNELS = 64  # of the mixed features. The paper has as many as the network
_LOGITS_SIDE = 4  # positions at which a discriminator answers, at most
_LEAK = 0.2
_GAIN = 2**0.5


def choose_feature_layers(backbone: Backbone) -> list[str]:
    """The deepest stage at each of the strides, from fine to coarse."""
    chosen: dict[int, Layer] = {}
    for layer in backbone.layers.values():
        if layer.name == layer.stage and layer.stride in _STRIDES:
            chosen[layer.stride] = layer
    return [chosen[stride].name for stride in sorted(chosen)]


class ProjectedDiscriminator(nn.Module):
    """Pictures (N, 3, S, S) in [0, 1] to logits (N, 1 + M): that of the pixels, then those of the
    features, level by level.

    Args:
        pixels: the discriminator that looks at pixels.
        backbone: the frozen network; its weights are no part of this one's state.
        layers: of it that are looked at, from fine to coarse.
        size: side of the pictures.

    Attributes:
        counts: logits of each discriminator, in order; each counts as much as the others.
    """

    def __init__(
        self, pixels: nn.Module, backbone: Backbone, layers: Sequence[str], size: int
    ) -> None:
        super().__init__()
        self.pixels = pixels
        self._backbone = (backbone,)  # in a tuple, so that it is not registered
        self.layers = tuple(layers)
        with torch.no_grad():
            maps = backbone(torch.zeros(1, 3, size, size), self.layers)
        channels = [maps[name].shape[1] for name in self.layers]
        self.across = nn.ModuleList(_build_fixed(count, _CHANNELS, 1) for count in channels)
        self.down = nn.ModuleList(_build_fixed(_CHANNELS, _CHANNELS, 3) for _ in channels[1:])
        heads = [_Head(maps[name].shape[-1]) for name in self.layers]
        self.heads = nn.ModuleList(heads)
        self.counts = (1, *(head.side**2 for head in heads))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        logits = [self.pixels(images, label)]
        # leaves are no generator's: their gradient is for a penalty, which is on the pixels alone
        mixed = self._mix(images.detach() if images.is_leaf else images)
        logits += [head(x).flatten(1).float() for head, x in zip(self.heads, mixed, strict=True)]
        return torch.cat(logits, dim=1)

    def _mix(self, images: Tensor) -> list[Tensor]:
        """Features from fine to coarse, each with what the coarser ones add."""
        (backbone,) = self._backbone
        if backbone.mean.device != images.device:
            backbone.to(images.device)
        maps = backbone(images, self.layers)
        mixed: list[Tensor] = []
        for index in reversed(range(len(self.layers))):
            x = self.across[index](_unit_size(maps[self.layers[index]]))
            if mixed:
                coarse = self.down[index](mixed[0])
                coarse = F.interpolate(coarse, size=x.shape[-2:], mode="bilinear")
                x = (x + coarse) * 0.5**0.5
            mixed.insert(0, x)
        return mixed


class _Head(nn.Module):
    """Mixed features to logits (N, 1, k, k)."""

    def __init__(self, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while side > _LOGITS_SIDE:
            layers += [_build_learned(_CHANNELS, _CHANNELS), _Activation(), _Halve()]
            side = -(-side // 2)
        layers += [
            _build_learned(_CHANNELS, _CHANNELS),
            _Activation(),
            _build_learned(_CHANNELS, 1),
        ]
        self.layers, self.side = nn.Sequential(*layers), side

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


class _Activation(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, _LEAK) * _GAIN


class _Halve(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return downsample(x)


def _build_fixed(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    """A random convolution that keeps the size of what passes it, and never learns."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    nn.init.normal_(convolution.weight, std=(inputs * kernel**2) ** -0.5)
    return convolution.requires_grad_(False)


def _build_learned(inputs: int, outputs: int) -> nn.Module:
    """A convolution of spectral norm 1, so that features cannot be told apart too steeply."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.normal_(convolution.weight)
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
    return spectral_norm(convolution)


def _unit_size(x: Tensor) -> Tensor:
    """Features (N, C, H, W) whose mean square is 1, picture by picture."""
    return x * (x.float().square().mean(dim=(1, 2, 3), keepdim=True) + 1e-8).rsqrt().to(x.dtype)
