"""MobileNet, versions 2 and 3: inverted bottlenecks, made for telephones.

Sources: Sandler et al. 2018, "MobileNetV2"; Howard et al. 2019, "Searching for MobileNetV3".
Parameter names, shapes and arithmetic are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

# version 2: (expansion, channels, blocks, stride of the first)
_GROUPS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_V2_HEAD = 1280

# version 3: (kernel, channels inside, channels, whether it is squeezed, hard swish, stride)
_LARGE = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)
_SMALL = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)
_V3 = {"large": (_LARGE, 1280), "small": (_SMALL, 1024)}  # blocks, neurons before the logits
_Activation = Callable[[], nn.Module]


def _unit(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int,
    activation: _Activation | None,
    *,
    groups: int = 1,
    epsilon: float = 1e-5,
) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    norm = nn.BatchNorm2d(outputs, eps=epsilon)
    return nn.Sequential(convolution, norm, *([] if activation is None else [activation()]))


class SqueezeExcitation(nn.Module):
    """Each channel times what the means of all of them make of it (Hu et al. 2018)."""

    def __init__(self, channels: int, inside: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, inside, 1)
        self.activation = nn.ReLU()
        self.fc2 = nn.Conv2d(inside, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * F.hardsigmoid(self.fc2(self.activation(self.fc1(self.avgpool(x)))))


class InvertedResidual(nn.Module):
    """Widen by 1×1, filter each channel, narrow by 1×1; added to what came in where it fits."""

    def __init__(self, layers: list[nn.Module], attribute: str, *, adds_input: bool) -> None:
        super().__init__()
        self._attribute, self.adds_input = attribute, adds_input
        self.add_module(attribute, nn.Sequential(*layers))  # conv or block, as in the files

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.get_submodule(self._attribute)(x)
        return x + y if self.adds_input else y


def _block_v2(inputs: int, outputs: int, stride: int, expansion: int) -> nn.Module:
    inside = inputs * expansion
    layers: list[nn.Module] = []
    if expansion > 1:
        layers.append(_unit(inputs, inside, 1, 1, nn.ReLU6))
    layers.append(_unit(inside, inside, 3, stride, nn.ReLU6, groups=inside))
    layers += _unit(inside, outputs, 1, 1, None)
    return InvertedResidual(layers, "conv", adds_input=stride == 1 and inputs == outputs)


def _block_v3(
    inputs: int, kernel: int, inside: int, outputs: int, squeezed: bool, swish: bool, stride: int
) -> nn.Module:
    activation: _Activation = nn.Hardswish if swish else nn.ReLU
    layers: list[nn.Module] = []
    if inside != inputs:
        layers.append(_unit(inputs, inside, 1, 1, activation, epsilon=1e-3))
    layers.append(_unit(inside, inside, kernel, stride, activation, groups=inside, epsilon=1e-3))
    if squeezed:
        layers.append(SqueezeExcitation(inside, _round_to_8(inside // 4)))
    layers.append(_unit(inside, outputs, 1, 1, None, epsilon=1e-3))
    return InvertedResidual(layers, "block", adds_input=stride == 1 and inputs == outputs)


def _round_to_8(channels: int) -> int:
    rounded = max(8, (channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class MobileNet(nn.Module):
    """A convolution, inverted bottlenecks, a convolution, neurons.

    Args:
        features: the convolutions, in order.
        classifier: the neurons.
    """

    def __init__(self, features: list[nn.Module], classifier: list[nn.Module]) -> None:
        super().__init__()
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(*classifier)

    def stages(self) -> Stages:
        last, neurons = len(self.features) - 1, list(self.classifier)
        names = {0: "conv1", last: "conv2"}
        hidden = [(f"_neurons{index}", part) for index, part in enumerate(neurons[:-1])]
        return [
            *((names.get(i, f"block{i}"), part) for i, part in enumerate(self.features)),
            ("avgpool", self.avgpool),
            ("_flatten", nn.Flatten()),
            *hidden,
            ("logits", neurons[-1]),
        ]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


def mobilenet_v2(classes: int = 1000) -> MobileNet:
    """MobileNet version 2: 17 blocks."""
    features: list[nn.Module] = [_unit(3, 32, 3, 2, nn.ReLU6)]
    channels = 32
    for expansion, outputs, count, stride in _GROUPS:
        for index in range(count):
            features.append(_block_v2(channels, outputs, stride if index == 0 else 1, expansion))
            channels = outputs
    features.append(_unit(channels, _V2_HEAD, 1, 1, nn.ReLU6))
    return MobileNet(features, [nn.Dropout(0.2), nn.Linear(_V2_HEAD, classes)])


def _mobilenet_v3(size: str, classes: int = 1000) -> MobileNet:
    blocks, hidden = _V3[size]
    features: list[nn.Module] = [_unit(3, 16, 3, 2, nn.Hardswish, epsilon=1e-3)]
    channels = 16
    for kernel, inside, outputs, squeezed, swish, stride in blocks:
        features.append(_block_v3(channels, kernel, inside, outputs, squeezed, swish, stride))
        channels = outputs
    head = 6 * channels
    features.append(_unit(channels, head, 1, 1, nn.Hardswish, epsilon=1e-3))
    neurons = [nn.Linear(head, hidden), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(hidden, classes)]
    return MobileNet(features, neurons)


mobilenet_v3_large = partial(_mobilenet_v3, "large")
mobilenet_v3_small = partial(_mobilenet_v3, "small")
