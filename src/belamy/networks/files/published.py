"""Weights that others have published, and where. The rows stand in `belamy.networks.registry`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from belamy.networks.backbones import imagenet

__all__ = ["TORCHVISION", "Package", "Published"]

TORCHVISION = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class Package:
    """A package of the registry of Python packages that holds nothing but weights.

    Attributes:
        name: as pip knows it.
        module: the folder that it installs.
        extra: of belamy, which installs it.
        sha256: of the file.
        tensor_names: patterns of tensor names in the file → what they are here.
    """

    name: str
    module: str
    extra: str
    sha256: str
    tensor_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """A file of weights that can be downloaded, or that comes in an installed package.

    Attributes:
        url: where it is; its name ends with the first digits of its SHA-256. In a package, its path
            there.
        megabytes: its size, in 2^20 bytes.
        licence: its terms.
        trained_on: the data.
        mean, std: the preprocessing that it was trained with, of red, green, blue in [0, 1].
        side: of the square that it is shown, in pixels.
        short_side: what the shorter side of a picture is brought to before that.
        package: the package that it comes in; None where it is downloaded.
    """

    url: str
    megabytes: float
    licence: str = "BSD-3-Clause (torchvision); ImageNet's pictures are for research"
    trained_on: str = "ImageNet-1k"
    mean: tuple[float, float, float] = imagenet.MEAN
    std: tuple[float, float, float] = imagenet.STD
    side: int = 224
    short_side: int = 256
    package: Package | None = None

    @property
    def digits(self) -> str:
        """The first hexadecimal digits of the file's SHA-256, as its published name has them."""
        return self.url.rsplit("-", 1)[-1].removesuffix(".pth")

    @property
    def classes(self) -> Sequence[str]:
        """The names of the logits, in order."""
        return imagenet.class_names()
