"""Weights that others have published, and where. The rows stand in `belamy.networks.registry`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from belamy.networks.backbones import imagenet

__all__ = ["TORCHVISION", "Published"]

TORCHVISION = "https://download.pytorch.org/models/"


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
