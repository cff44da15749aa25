"""AlexNet and VGG: plain rows of convolutions, then three levels of neurons.

Parameter names and shapes are torchvision's, so that its published weights load; layer names are
the ones that people use (`conv1_1`, `relu4_1`, `fc6`). Inputs are normalised pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow

HIDDEN = 4096

# AlexNet: (channels, kernel, stride, padding, a 3×3 maximum of stride 2 follows)
_ALEXNET = (
    (64, 11, 4, 2, True),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)
# VGG: channels of the five blocks; each block ends with a 2×2 maximum
_VGG_CHANNELS = (64, 128, 256, 512, 512)
# number in the name → convolutions a block: configurations A, B, D and E of the paper
_CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}

ALIASES = {"fc8": "logits"}


class AlexNet(nn.Module):
    """The "one weird trick" AlexNet: no groups, no local response normalisation.

    Args:
        classes: how many it tells apart.
        hidden: neurons of the two levels before the last.

    Source: Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks".
    """

    def __init__(self, classes: int = 1000, hidden: int = HIDDEN) -> None:
        super().__init__()
        names: list[str] = []
        modules: list[nn.Module] = []
        inputs = 3
        for number, (channels, kernel, stride, padding, pooled) in enumerate(_ALEXNET, start=1):
            modules += [nn.Conv2d(inputs, channels, kernel, stride, padding), nn.ReLU()]
            names += [f"conv{number}", f"relu{number}"]
            if pooled:
                modules.append(nn.MaxPool2d(3, 2))
                names.append(f"pool{number}")
            inputs = channels
        self.features = nn.Sequential(*modules)
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(inputs * 6 * 6, hidden),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, classes),
        )
        self._names = names

    def stages(self) -> Stages:
        head = ("_dropout6", "fc6", "relu6", "_dropout7", "fc7", "relu7", "logits")
        return _stages(self._names, self.features, self.avgpool, head, self.classifier)

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


class VGG(nn.Module):
    """3×3 convolutions alone, in five blocks.

    Args:
        convolutions: how many each of the five blocks has.
        classes: how many it tells apart; 0 leaves the levels of neurons out.
        hidden: neurons of the two levels before the last.
        norm: whether each convolution is followed by a batch norm.

    Source: Simonyan and Zisserman 2014, "Very deep convolutional networks for large-scale image
    recognition".
    """

    def __init__(
        self,
        convolutions: tuple[int, ...],
        classes: int = 1000,
        hidden: int = HIDDEN,
        *,
        norm: bool = False,
    ) -> None:
        super().__init__()
        names: list[str] = []
        modules: list[nn.Module] = []
        inputs = 3
        for block, (count, channels) in enumerate(
            zip(convolutions, _VGG_CHANNELS, strict=True), start=1
        ):
            for number in range(1, count + 1):
                norms = [nn.BatchNorm2d(channels)] if norm else []
                modules += [nn.Conv2d(inputs, channels, 3, padding=1), *norms, nn.ReLU()]
                kinds = ("conv", "norm", "relu") if norm else ("conv", "relu")
                names += [f"{kind}{block}_{number}" for kind in kinds]
                inputs = channels
            modules.append(nn.MaxPool2d(2, 2))
            names.append(f"pool{block}")
        self.features = nn.Sequential(*modules)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier: nn.Sequential | None = None
        if classes:
            self.classifier = nn.Sequential(
                nn.Linear(inputs * 7 * 7, hidden),
                nn.ReLU(),
                nn.Dropout(),
                nn.Linear(hidden, hidden),
                nn.ReLU(),
                nn.Dropout(),
                nn.Linear(hidden, classes),
            )
        self._names = names

    def stages(self) -> Stages:
        if self.classifier is None:
            return list(zip(self._names, self.features, strict=True))
        head = ("fc6", "relu6", "_dropout6", "fc7", "relu7", "_dropout7", "logits")
        return _stages(self._names, self.features, self.avgpool, head, self.classifier)

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


def _stages(
    names: list[str],
    features: nn.Sequential,
    average: nn.Module,
    head: tuple[str, ...],
    classifier: nn.Sequential,
) -> Stages:
    return [
        *zip(names, features, strict=True),
        ("avgpool", average),
        ("_flatten", nn.Flatten()),
        *zip(head, classifier, strict=True),
    ]


def build_vgg(number: int, *, norm: bool = False) -> Callable[..., VGG]:
    """What builds the VGG with so many levels of weights, of its classes and hidden neurons.

    VGG-19 is the one that style transfer was found with.
    """
    return partial(VGG, _CONVOLUTIONS[number], norm=norm)
