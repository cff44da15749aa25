"""EfficientNet-Lite: mobile inverted bottlenecks, scaled together in width, depth and size.

Source: Tan & Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks";
the Lite family from Google's EfficientNet-Lite (2020), which **differs** from the paper: no
squeeze-and-excitation, ReLU6 instead of swish, and the stem, the head and the depth of the first
and last group are not scaled. Weights were trained in TensorFlow, whose padding is part of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

__all__ = [
    "ALIASES",
    "PUBLISHED_NAMES",
    "EfficientNetLite",
    "MBConv",
    "SameConv2d",
    "efficientnet_lite0",
    "efficientnet_lite2",
]


@dataclass(frozen=True)
class _Group:
    """Blocks that share a shape: the first one changes channels and grid, the others repeat."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


# Table 1 of the paper (EfficientNet-B0).
_GROUPS = (
    _Group(1, 3, 1, 1, 16),
    _Group(2, 3, 2, 6, 24),
    _Group(2, 5, 2, 6, 40),
    _Group(3, 3, 2, 6, 80),
    _Group(3, 5, 1, 6, 112),
    _Group(4, 5, 2, 6, 192),
    _Group(1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280  # channels, of every member of the family
_DIVISOR = 8  # channels are rounded to a multiple of it
_EPSILON = 1e-3  # of batch normalisation, TensorFlow's
_MOMENTUM = 0.01


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: the output has ⌈input / stride⌉ positions.

    At stride 2 that is asymmetric: where an odd number of zeros is needed, the right and the
    bottom get one more than the left and the top.
    """

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        vertical, horizontal = (
            _padding(x.shape[axis], self.kernel_size[axis], self.stride[axis]) for axis in (-2, -1)
        )
        if vertical[0] == vertical[1] and horizontal[0] == horizontal[1]:  # then without a copy
            padding = (vertical[0], horizontal[0])
            return F.conv2d(x, self.weight, self.bias, self.stride, padding, 1, self.groups)
        return super().forward(F.pad(x, (*horizontal, *vertical)))  # (N, C', ⌈H/s⌉, ⌈W/s⌉)


def _padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis."""
    total = max((math.ceil(length / stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> SameConv2d:
    return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON, momentum=_MOMENTUM)


class MBConv(nn.Module):
    """Mobile inverted bottleneck: widen by 1×1, filter each channel, narrow by 1×1.

    Args:
        inputs, outputs: channels.
        kernel: side of the depthwise filter.
        stride: of the depthwise filter; at 1, with equal channels, the input is added.
        expansion: channels inside over `inputs`; at 1 the first 1×1 convolution is left out.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = inputs * expansion
        self.expand: nn.Module | None = None
        if expansion != 1:
            self.expand = nn.Sequential(_convolution(inputs, inside, 1), _norm(inside), nn.ReLU6())
        self.depthwise = nn.Sequential(
            _convolution(inside, inside, kernel, stride, groups=inside), _norm(inside), nn.ReLU6()
        )
        self.project = nn.Sequential(_convolution(inside, outputs, 1), _norm(outputs))
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:  # (N, inputs, H, W)
        inside = x if self.expand is None else self.expand(x)
        narrow: Tensor = self.project(self.depthwise(inside))
        return x + narrow if self.adds_input else narrow  # (N, outputs, ⌈H/s⌉, ⌈W/s⌉)


class EfficientNetLite(nn.Module):
    """A stem, groups of inverted bottlenecks, a head of 1280 channels, one layer of neurons.

    Args:
        width: factor on the channels of every group.
        depth: factor on the blocks of every group but the first and the last.
        classes: how many it tells apart.
    """

    def __init__(self, width: float = 1.0, depth: float = 1.0, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(_convolution(3, _STEM, 3, 2), _norm(_STEM), nn.ReLU6())
        blocks: list[nn.Module] = []
        channels = _STEM
        for index, group in enumerate(_GROUPS):
            outputs = _round_channels(group.channels * width)
            scaled = 0 < index < len(_GROUPS) - 1
            count = math.ceil(group.blocks * depth) if scaled else group.blocks
            for repeat in range(count):
                stride = group.stride if repeat == 0 else 1
                blocks.append(MBConv(channels, outputs, group.kernel, stride, group.expansion))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(_convolution(channels, _HEAD, 1), _norm(_HEAD), nn.ReLU6())
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(_HEAD, classes)

    def stages(self) -> Stages:
        return [
            ("stem", self.stem),
            *((f"block{number}", block) for number, block in enumerate(self.blocks, start=1)),
            ("head", self.head),
            ("avgpool", self.avgpool),
            ("_flatten", nn.Flatten()),
            ("logits", self.fc),
        ]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


def _round_channels(channels: float) -> int:
    """To the nearest multiple of 8, but never by more than a tenth down."""
    rounded = max(_DIVISOR, int(channels + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return rounded + _DIVISOR if rounded < 0.9 * channels else rounded


def efficientnet_lite0(classes: int = 1000) -> EfficientNetLite:
    """The smallest: 16 blocks, 4.65 million weights, shown 224 px."""
    return EfficientNetLite(1.0, 1.0, classes)


def efficientnet_lite2(classes: int = 1000) -> EfficientNetLite:
    """A tenth wider and a fifth deeper: 21 blocks, 6.1 million weights, shown 260 px."""
    return EfficientNetLite(1.1, 1.2, classes)


PUBLISHED_NAMES: tuple[tuple[str, str], ...] = (
    (r"^_conv_stem\.", "stem.0."),
    (r"^_bn0\.", "stem.1."),
    (r"^_conv_head\.", "head.0."),
    (r"^_bn1\.", "head.1."),
    (r"^_fc\.", "fc."),
    (r"^_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.expand.0."),
    (r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.1."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.depthwise.0."),
    (r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.1."),
    (r"^_blocks\.(\d+)\._project_conv\.", r"blocks.\1.project.0."),
    (r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.1."),
)
"""Pattern of a tensor's name in the published files → its name here."""

ALIASES: dict[str, str] = {"features": "head"}
