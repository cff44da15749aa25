"""GoogLeNet, the network that DeepDream was found with.

Source: Szegedy et al. 2014, "Going deeper with convolutions". Parameter names, shapes and
arithmetic are torchvision's, which **differs** from the paper: batch norm everywhere instead of
local response normalisation, and a 3×3 convolution where the paper has a 5×5. The two auxiliary
classifiers, which serve training alone, are left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

# block → channels of 1×1, 3×3 reduced, 3×3, 5×5 reduced, 5×5, pooled: table 1 of the paper
_BLOCKS = {
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}
_NORM_EPSILON = 0.001


class BasicConv2d(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=_NORM_EPSILON)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.bn(self.conv(x)))  # type: ignore[no-any-return]


class Inception(nn.Module):
    """Four looks at the same place, side by side: 1×1, 3×3, "5×5", a maximum around it."""

    def __init__(
        self,
        inputs: int,
        one: int,
        three_reduced: int,
        three: int,
        five_reduced: int,
        five: int,
        pooled: int,
    ) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(inputs, one, 1)
        self.branch2 = nn.Sequential(
            BasicConv2d(inputs, three_reduced, 1), BasicConv2d(three_reduced, three, 3, padding=1)
        )
        # 3×3 in torchvision, though called 5×5 by everyone; its weights need it so
        self.branch3 = nn.Sequential(
            BasicConv2d(inputs, five_reduced, 1), BasicConv2d(five_reduced, five, 3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True), BasicConv2d(inputs, pooled, 1)
        )
        self.channels = one + three + five + pooled

    def forward(self, x: Tensor) -> Tensor:  # (N, inputs, H, W)
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(x) for branch in branches], dim=1)  # (N, channels, H, W)


class GoogLeNet(nn.Module):
    """Three convolutions, nine inception blocks, one level of neurons.

    Args:
        classes: how many it tells apart.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = BasicConv2d(3, 64, 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, 1)
        self.conv3 = BasicConv2d(64, 192, 3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(2, 2, ceil_mode=True)
        channels = 192
        for name, widths in _BLOCKS.items():
            block = Inception(channels, *widths)
            setattr(self, name, block)
            channels = block.channels
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(channels, classes)

    def stages(self) -> Stages:
        return [
            ("conv1", self.conv1),
            ("pool1", self.maxpool1),
            ("conv2", self.conv2),
            ("conv3", self.conv3),
            ("pool2", self.maxpool2),
            *self._group("3"),
            ("pool3", self.maxpool3),
            *self._group("4"),
            ("pool4", self.maxpool4),
            *self._group("5"),
            ("avgpool", self.avgpool),
            ("_flatten", nn.Flatten()),
            ("_dropout", self.dropout),
            ("logits", self.fc),
        ]

    def _group(self, number: str) -> Stages:
        names = [name for name in _BLOCKS if name[-2] == number]
        return [(name, self.get_submodule(name)) for name in names]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


# what the notebook's Caffe network calls the parts of a block → here
_CAFFE_PARTS = {
    "output": "",
    "1x1": ".branch1",
    "3x3_reduce": ".branch2.0",
    "3x3": ".branch2.1",
    "5x5_reduce": ".branch3.0",
    "5x5": ".branch3.1",
    "pool": ".branch4.0",
    "pool_proj": ".branch4.1",
}
# the same in the TensorFlow network of DeepDream's second notebook and of Lucid
_TENSORFLOW_PARTS = {
    "1x1": ".branch1",
    "3x3_bottleneck": ".branch2.0",
    "3x3": ".branch2.1",
    "5x5_bottleneck": ".branch3.0",
    "5x5": ".branch3.1",
    "pool_reduce": ".branch4.1",
}


def _original_names() -> dict[str, str]:
    names = {
        "conv1/7x7_s2": "conv1",
        "pool1/3x3_s2": "pool1",
        "conv2/3x3_reduce": "conv2",
        "conv2/3x3": "conv3",
        "pool2/3x3_s2": "pool2",
        "pool3/3x3_s2": "pool3",
        "pool4/3x3_s2": "pool4",
        "pool5/7x7_s1": "avgpool",
        "loss3/classifier": "logits",
        "conv2d0": "conv1",
        "conv2d1": "conv2",
        "conv2d2": "conv3",
    }
    for block in _BLOCKS:
        caffe, tensorflow = f"inception_{block[-2:]}", f"mixed{block[-2:]}"
        names[caffe] = names[tensorflow] = block
        for part, path in _CAFFE_PARTS.items():
            names[f"{caffe}/{part}"] = names[f"{caffe}_{part}"] = block + path
        for part, path in _TENSORFLOW_PARTS.items():
            names[f"{tensorflow}_{part}"] = block + path
            names[f"{tensorflow}_{part}_pre_relu"] = f"{block}{path}.bn"
    return names


ALIASES = _original_names()
