"""SqueezeNet 1.0 and 1.1: an AlexNet's accuracy in 1.2 million weights, without neurons.

Source: Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
<0.5MB model size". Parameter names and shapes are torchvision's. **Differs** from the paper as
torchvision does: 1.0 has no padding around its last 1×1 convolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

# fire module → (channels squeezed to, channels of each of the two expansions)
_FIRES = {
    "fire2": (16, 64),
    "fire3": (16, 64),
    "fire4": (32, 128),
    "fire5": (32, 128),
    "fire6": (48, 192),
    "fire7": (48, 192),
    "fire8": (64, 256),
    "fire9": (64, 256),
}


class Fire(nn.Module):
    """Squeeze to few channels by 1×1, then expand by 1×1 and 3×3 side by side."""

    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.squeeze_activation = nn.ReLU()
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand1x1_activation = nn.ReLU()
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.expand3x3_activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (N, inputs, H, W)
        x = self.squeeze_activation(self.squeeze(x))
        small = self.expand1x1_activation(self.expand1x1(x))
        large = self.expand3x3_activation(self.expand3x3(x))
        return torch.cat([small, large], dim=1)  # (N, 2 · expanded, H, W)


class SqueezeNet(nn.Module):
    """A convolution, eight fire modules with maxima between them, a 1×1 convolution a class.

    Args:
        first: channels and kernel of the first convolution.
        pooled: the stages after which a 3×3 maximum of stride 2 follows.
        classes: how many it tells apart.
    """

    def __init__(self, first: tuple[int, int], pooled: frozenset[str], classes: int = 1000) -> None:
        super().__init__()
        channels, kernel = first
        stages: Stages = [("conv1", nn.Conv2d(3, channels, kernel, stride=2)), ("relu1", nn.ReLU())]
        stages.append(("pool1", _maximum()))
        for name, (squeezed, expanded) in _FIRES.items():
            stages.append((name, Fire(channels, squeezed, expanded)))
            channels = 2 * expanded
            if name in pooled:
                stages.append((f"pool{name[-1]}", _maximum()))
        self.features = nn.Sequential(*(module for _, module in stages))
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Conv2d(channels, classes, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        )
        self._names = [name for name, _ in stages]

    def stages(self) -> Stages:
        head = ("_dropout", "conv10", "relu10", "avgpool")
        return [
            *zip(self._names, self.features, strict=True),
            *zip(head, self.classifier, strict=True),
            ("logits", nn.Flatten()),
        ]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


def _maximum() -> nn.Module:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def squeezenet1_0(classes: int = 1000) -> SqueezeNet:
    """SqueezeNet 1.0, whose late maxima keep a fine grid: the better of the two to dream with."""
    return SqueezeNet((96, 7), frozenset({"fire4", "fire8"}), classes)


def squeezenet1_1(classes: int = 1000) -> SqueezeNet:
    """SqueezeNet 1.1: early maxima, 2.4 times less work at the same accuracy."""
    return SqueezeNet((64, 3), frozenset({"fire3", "fire5"}), classes)


def _caffe_names() -> dict[str, str]:
    names = {"relu_conv1": "relu1", "relu_conv10": "relu10", "pool10": "avgpool"}
    for fire in _FIRES:
        names[f"{fire}/concat"] = fire
        for part in ("squeeze1x1", "expand1x1", "expand3x3"):
            module = part.replace("squeeze1x1", "squeeze")
            names[f"{fire}/{part}"] = f"{fire}.{module}"
            names[f"{fire}/relu_{part}"] = f"{fire}.{module}_activation"
    return names


ALIASES = _caffe_names()
