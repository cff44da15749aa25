"""DenseNet-121: each layer sees all that the layers before it in its block have found.

Source: Huang et al. 2017, "Densely connected convolutional networks". Parameter names, shapes and
arithmetic are torchvision's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

_LAYERS = (6, 12, 24, 16)  # of the four blocks
_GROWTH = 32  # channels that a layer adds
_WIDTH = 4  # a layer's channels inside over those that it adds


class DenseLayer(nn.Module):
    """A 1×1 and a 3×3 convolution; what they find is laid beside what came in."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        inside = _WIDTH * _GROWTH
        self.norm1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(inputs, inside, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(inside)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(inside, _GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.conv1(self.relu1(self.norm1(x)))
        return torch.cat([x, self.conv2(self.relu2(self.norm2(y)))], dim=1)  # (N, C + 32, H, W)


class DenseNet(nn.Module):
    """A convolution, four dense blocks with a transition between any two, one level of neurons.

    Args:
        classes: how many it tells apart.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        parts: dict[str, nn.Module] = {
            "conv0": nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            "norm0": nn.BatchNorm2d(64),
            "relu0": nn.ReLU(),
            "pool0": nn.MaxPool2d(3, 2, padding=1),
        }
        channels = 64
        for number, count in enumerate(_LAYERS, start=1):
            block = nn.Sequential()
            for index in range(1, count + 1):
                block.add_module(f"denselayer{index}", DenseLayer(channels))
                channels += _GROWTH
            parts[f"denseblock{number}"] = block
            if number < len(_LAYERS):
                parts[f"transition{number}"] = _transition(channels)
                channels //= 2
        parts["norm5"] = nn.BatchNorm2d(channels)
        self.features = nn.Sequential()
        for name, part in parts.items():
            self.features.add_module(name, part)
        self.classifier = nn.Linear(channels, classes)

    def stages(self) -> Stages:
        return [
            *self.features.named_children(),
            ("relu5", nn.ReLU()),
            ("avgpool", nn.AdaptiveAvgPool2d(1)),
            ("_flatten", nn.Flatten()),
            ("logits", self.classifier),
        ]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


def _transition(channels: int) -> nn.Sequential:
    """Half the channels, at half the size."""
    transition = nn.Sequential()
    transition.add_module("norm", nn.BatchNorm2d(channels))
    transition.add_module("relu", nn.ReLU())
    transition.add_module("conv", nn.Conv2d(channels, channels // 2, 1, bias=False))
    transition.add_module("pool", nn.AvgPool2d(2, 2))
    return transition


PUBLISHED_NAMES: tuple[tuple[str, str], ...] = ((r"(\.(?:norm|conv))\.([12])\.", r"\1\2."),)
"""Pattern of a tensor's name in the published file, of an older torch, → its name here."""
