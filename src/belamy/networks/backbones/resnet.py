"""ResNet-50, version 1.5.

Source: He et al. 2015, "Deep residual learning for image recognition". Parameter names and shapes
are torchvision's, which **differs** from the paper: a block halves the grid in its 3×3
convolution rather than in its first 1×1 ("version 1.5").
"""

from __future__ import annotations

from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

# group → (blocks, channels inside a block, stride of the first block)
_GROUPS = {
    "layer1": (3, 64, 1),
    "layer2": (4, 128, 2),
    "layer3": (6, 256, 2),
    "layer4": (3, 512, 2),
}
_EXPANSION = 4  # a block's channels outside over those inside


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 convolutions added to what came in."""

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
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
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
        classes: how many it tells apart.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = 64
        for name, (count, inside, stride) in _GROUPS.items():
            group = nn.Sequential()
            for index in range(count):
                group.append(Bottleneck(channels, inside, stride if index == 0 else 1))
                channels = _EXPANSION * inside
            setattr(self, name, group)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def stages(self) -> Stages:
        blocks = [
            (f"{name}.{index}", self.get_submodule(f"{name}.{index}"))
            for name, (count, _, _) in _GROUPS.items()
            for index in range(count)
        ]
        return [
            ("conv1", self.conv1),
            ("bn1", self.bn1),
            ("relu1", self.relu),
            ("pool1", self.maxpool),
            *blocks,
            ("avgpool", self.avgpool),
            ("_flatten", nn.Flatten()),
            ("logits", self.fc),
        ]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


def resnet50(classes: int = 1000) -> ResNet:
    """ResNet with 50 levels of weights."""
    return ResNet(classes)


# a group's name stands for its last block
ALIASES = {name: f"{name}.{count - 1}" for name, (count, _, _) in _GROUPS.items()}
