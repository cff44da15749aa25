"""ConvNeXt-Tiny: a ResNet with what made transformers good.

Source: Liu et al. 2022, "A ConvNet for the 2020s". Parameter names and shapes are torchvision's,
which **differs** in that it turns channels to the last axis and back for its norms and its layers
of neurons; here they work on the channels where they are, so that every layer is (N, C, H, W).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

_GROUPS = ((96, 3), (192, 3), (384, 9), (768, 3))  # channels and blocks
_EPSILON = 1e-6


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels at each place."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        places = x.permute(0, 2, 3, 1)
        normed = F.layer_norm(places, self.normalized_shape, self.weight, self.bias, self.eps)
        return normed.permute(0, 3, 1, 2)


class ChannelLinear(nn.Linear):
    """The same neurons at each place."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return F.conv2d(x, self.weight[:, :, None, None], self.bias)


class Block(nn.Module):
    """A wide depthwise filter and two layers of neurons, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            nn.Identity(),  # keeps torchvision's numbers, which turns the axes here
            ChannelNorm(channels),
            ChannelLinear(channels, 4 * channels),
            nn.GELU(),
            ChannelLinear(4 * channels, channels),
        )
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer_scale * self.block(x)  # type: ignore[no-any-return]


class ConvNeXt(nn.Module):
    """Patches, four groups of blocks with a halving between any two, one level of neurons.

    Args:
        classes: how many it tells apart.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        first = _GROUPS[0][0]
        stem = nn.Sequential(nn.Conv2d(3, first, 4, 4), ChannelNorm(first))
        self.features = nn.Sequential(stem)
        inputs = first
        for channels, count in _GROUPS:
            if channels != inputs:
                halving = nn.Conv2d(inputs, channels, 2, 2)
                self.features.append(nn.Sequential(ChannelNorm(inputs), halving))
            self.features.append(nn.Sequential(*(Block(channels) for _ in range(count))))
            inputs = channels
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            ChannelNorm(inputs), nn.Flatten(), nn.Linear(inputs, classes)
        )

    def stages(self) -> Stages:
        found: Stages = [("stem", self.features[0])]
        for place in range(1, len(self.features)):
            part = self.features[place]
            if place % 2:
                stage = f"stage{place // 2 + 1}"
                found += [(f"{stage}.{name}", block) for name, block in part.named_children()]
            else:
                found.append((f"down{place // 2}", part))
        norm, flatten, neurons = self.classifier
        return [
            *found,
            ("avgpool", self.avgpool),
            ("_norm", norm),
            ("_flatten", flatten),
            ("logits", neurons),
        ]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


ALIASES = {
    f"stage{place}": f"stage{place}.{count - 1}" for place, (_, count) in enumerate(_GROUPS, 1)
}
"""A group's name stands for its last block."""
