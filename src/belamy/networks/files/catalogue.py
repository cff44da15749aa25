"""Weights that others have published, and where: one row a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from belamy.networks.backbones import imagenet

_TORCHVISION = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class Published:
    """A file of weights that can be downloaded.

    Attributes:
        url: where it is; its name ends with the first digits of its SHA-256.
        megabytes: its size, in 2^20 bytes.
        licence: its terms.
        trained_on: the data.
        mean, std: the preprocessing that it was trained with, of red, green, blue in [0, 1].
    """

    url: str
    megabytes: float
    licence: str = "BSD-3-Clause (torchvision); ImageNet's pictures are for research"
    trained_on: str = "ImageNet-1k"
    mean: tuple[float, float, float] = imagenet.MEAN
    std: tuple[float, float, float] = imagenet.STD

    @property
    def digits(self) -> str:
        """The first hexadecimal digits of the file's SHA-256, as its published name has them."""
        return self.url.rsplit("-", 1)[-1].removesuffix(".pth")

    @property
    def classes(self) -> Sequence[str]:
        """The names of the logits, in order."""
        return imagenet.class_names()


CATALOGUE: dict[str, Published] = {
    "alexnet": Published(_TORCHVISION + "alexnet-owt-7be5be79.pth", 233.1),
    "vgg16": Published(_TORCHVISION + "vgg16-397923af.pth", 527.8),
    "vgg19": Published(_TORCHVISION + "vgg19-dcbb9e9d.pth", 548.1),
    # torchvision's "transform_input" turns its usual preprocessing into this one
    "googlenet": Published(
        _TORCHVISION + "googlenet-1378be20.pth", 49.7, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    ),
    "squeezenet1_0": Published(_TORCHVISION + "squeezenet1_0-b66bff10.pth", 4.8),
    "squeezenet1_1": Published(_TORCHVISION + "squeezenet1_1-b8a52dc0.pth", 4.7),
    "resnet50": Published(_TORCHVISION + "resnet50-0676ba61.pth", 97.8),
}
