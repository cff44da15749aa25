"""ResNet, version 1.5.

Source: He et al. 2015, "Deep residual learning for image recognition". Parameter names and shapes
are torchvision's, which **differs** from the paper: a block halves the grid in its 3×3
convolution rather than in its first 1×1 ("version 1.5").
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

_CHANNELS = (64, 128, 256, 512)  # inside the blocks of the four groups
# number in the name → blocks of the four groups; from 50 on they are bottlenecks
_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
_FIRST_DEEP = 50
_EXPANSION = 4  # a bottleneck's channels outside over those inside


class BasicBlock(nn.Module):
    """Two 3×3 convolutions added to what came in."""

    expansion = 1

    def __init__(self, inputs: int, inside: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inside, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(inside)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(inside, inside, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inside)
        self.downsample = _shortcut(inputs, inside, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (N, inputs, H, W)
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu(x + shortcut)  # type: ignore[no-any-return]  # (N, inside, H/s, W/s)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 convolutions added to what came in."""

    expansion = _EXPANSION

    def __init__(self, inputs: int, inside: int, stride: int) -> None:
        super().__init__()
        outputs = _EXPANSION * inside
        self.conv1 = nn.Conv2d(inputs, inside, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inside)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(inside, inside, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inside)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(inside, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (N, inputs, H, W)
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu1(self.bn1(self.conv1(x)))
        x = self.relu2(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return self.relu(x + shortcut)  # type: ignore[no-any-return]  # (N, 4 · inside, H/s, W/s)


class ResNet(nn.Module):
    """A convolution, four groups of residual blocks, one level of neurons.

    Args:
        number: of levels with weights, as in its name.
        classes: how many it tells apart.
    """

    def __init__(self, number: int, classes: int = 1000) -> None:
        super().__init__()
        block: type[BasicBlock | Bottleneck] = Bottleneck if number >= _FIRST_DEEP else BasicBlock
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = 64
        self._blocks: list[str] = []
        for place, (count, inside) in enumerate(zip(_BLOCKS[number], _CHANNELS, strict=True), 1):
            group = nn.Sequential()
            for index in range(count):
                group.append(block(channels, inside, 2 if place > 1 and index == 0 else 1))
                channels = block.expansion * inside
                self._blocks.append(f"layer{place}.{index}")
            setattr(self, f"layer{place}", group)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def stages(self) -> Stages:
        return [
            ("conv1", self.conv1),
            ("bn1", self.bn1),
            ("relu1", self.relu),
            ("pool1", self.maxpool),
            *((name, self.get_submodule(name)) for name in self._blocks),
            ("avgpool", self.avgpool),
            ("_flatten", nn.Flatten()),
            ("logits", self.fc),
        ]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


def build_resnet(number: int) -> Callable[..., ResNet]:
    """What builds the ResNet with so many levels of weights, of the number of its classes."""
    return partial(ResNet, number)


def aliases_of(number: int) -> dict[str, str]:
    """A group's name stands for its last block."""
    return {
        f"layer{place}": f"layer{place}.{count - 1}"
        for place, count in enumerate(_BLOCKS[number], 1)
    }
