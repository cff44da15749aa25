"""The first GANs: fully connected, and deep convolutional.

`vanilla` is Goodfellow et al. 2014 with the layers that notebooks give it; `dcgan` is Radford et
al. 2016: strided and transposed convolutions, batch norm, no fully connected layer inside. The
portrait of Edmond de Belamy came out of a dcgan whose generator is four times as wide as its
discriminator (the proportion of Barrat's art-DCGAN, `ngf=160 ndf=40`), lest that one win.

**Differs**: labels, where there are several, are embedded beside the latent and told apart by
projection, in both; a picture may have any size of 16, 32, … pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from belamy.networks.gan.generator import Generator, GeneratorArguments

__all__ = [
    "ConditionalLatent",
    "DcganDiscriminator",
    "VanillaDiscriminator",
    "build_dcgan_discriminator",
    "build_dcgan_generator",
    "build_dcgan_synthesis",
    "build_vanilla_discriminator",
    "build_vanilla_generator",
    "build_vanilla_synthesis",
    "initialise_dcgan",
]

_NEGATIVE_SLOPE = 0.2
_DEVIATION = 0.02  # of a DCGAN's first weights
_VANILLA = (256, 512, 1024)
_DROPOUT = 0.3
_WIDEST = 8  # times the base width, on the coarsest maps


class ConditionalLatent(nn.Module):
    """A latent (N, latent) as it is; with labels, an embedding of the same length after it.

    Args:
        latent: numbers of a latent.
        labels: how many there are; 0 or 1 for none.
    """

    def __init__(self, latent: int, labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(labels, latent) if labels > 1 else None
        self.style = latent * (2 if labels > 1 else 1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return z if self.embedding is None else torch.cat([z, self.embedding(label)], dim=1)


def build_vanilla_synthesis(size: int, style: int, width: float = 1.0) -> nn.Sequential:
    """Styles (N, style) → (N, 3, size, size), −1 to 1."""
    layers: list[nn.Module] = []
    before = style
    for count in _widths(width):
        layers += [nn.Linear(before, count), nn.LeakyReLU(_NEGATIVE_SLOPE)]
        before = count
    layers += [nn.Linear(before, 3 * size**2), nn.Tanh(), nn.Unflatten(1, (3, size, size))]
    return nn.Sequential(*layers)


def _widths(width: float) -> list[int]:
    return [max(1, round(count * width)) for count in _VANILLA]


class VanillaDiscriminator(nn.Module):
    """Pictures (N, 3, size, size) in [0, 1] → logits (N, 1)."""

    def __init__(self, size: int, width: float = 1.0, labels: int = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        before = 3 * size**2
        for count in reversed(_widths(width)):
            layers += [
                nn.Linear(before, count),
                nn.LeakyReLU(_NEGATIVE_SLOPE),
                nn.Dropout(_DROPOUT),
            ]
            before = count
        self.body = nn.Sequential(*layers)
        self.logit = nn.Linear(before, 1)
        self.embedding = nn.Embedding(labels, before) if labels > 1 else None

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.body(2 * images - 1)
        return _project(self.logit(x), x, self.embedding, label)


def build_dcgan_synthesis(size: int, style: int, width: int = 64) -> nn.Sequential:
    """Styles (N, style) → (N, 3, size, size), −1 to 1.

    Args:
        size: 16, 32, … pixels.
        style: numbers of a style.
        width: channels of the finest maps inside, eight times as many of the coarsest (`ngf`).
    """
    counts = _dcgan_counts(size, width)[::-1]
    layers: list[nn.Module] = [nn.Unflatten(1, (style, 1, 1))]
    before, stride, padding = style, 1, 0
    for count in counts:
        layers += [
            nn.ConvTranspose2d(before, count, 4, stride, padding, bias=False),
            nn.BatchNorm2d(count),
            nn.ReLU(),
        ]
        before, stride, padding = count, 2, 1
    return nn.Sequential(*layers, nn.ConvTranspose2d(before, 3, 4, 2, 1, bias=False), nn.Tanh())


def _dcgan_counts(size: int, width: int) -> list[int]:
    """Channels from the finest maps, of half the size, to the coarsest, of 4 pixels."""
    counts, side = list[int](), size // 2
    while side >= 4:
        counts.append(width * min(_WIDEST, 2 ** len(counts)))
        side //= 2
    return counts


class DcganDiscriminator(nn.Module):
    """Pictures (N, 3, size, size) in [0, 1] → logits (N, 1).

    Args:
        size: 16, 32, … pixels.
        width: channels of the finest maps inside (`ndf`).
        labels: how many there are.
    """

    def __init__(self, size: int, width: int = 64, labels: int = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for number, count in enumerate(_dcgan_counts(size, width)):
            layers += [nn.Conv2d(before, count, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(count)] if number else []
            layers += [nn.LeakyReLU(_NEGATIVE_SLOPE)]
            before = count
        self.body = nn.Sequential(*layers)
        self.logit = nn.Conv2d(before, 1, 4, bias=False)
        self.embedding = nn.Embedding(labels, before) if labels > 1 else None

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.body(2 * images - 1)
        return _project(self.logit(x).flatten(1), x.mean(dim=(2, 3)), self.embedding, label)


def _project(
    logits: Tensor, features: Tensor, embedding: nn.Embedding | None, label: Tensor | None
) -> Tensor:
    """A projection discriminator (Miyato and Koyama 2018): how well the features (N, C) go with the
    label is added to the logits."""
    if embedding is None:
        return logits.float()
    return (logits + (embedding(label) * features).mean(dim=1, keepdim=True)).float()  # type: ignore[no-any-return]


def initialise_dcgan(network: nn.Module) -> None:
    """Radford's initial weights, from torch's own random numbers."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, _DEVIATION)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, _DEVIATION)


def build_vanilla_generator(arguments: GeneratorArguments) -> Generator:
    """A new generator, its weights drawn from torch's own random numbers."""
    mapping = ConditionalLatent(arguments.latent, len(arguments.labels))
    synthesis = build_vanilla_synthesis(arguments.size, mapping.style, arguments.width)
    return Generator(mapping, synthesis, arguments)


def build_vanilla_discriminator(arguments: GeneratorArguments) -> nn.Module:
    """Its discriminator."""
    return VanillaDiscriminator(arguments.size, arguments.width, len(arguments.labels))


def build_dcgan_generator(width: int) -> Callable[[GeneratorArguments], Generator]:
    """What builds a generator that is `width` channels wide at its finest."""

    def build(arguments: GeneratorArguments) -> Generator:
        mapping = ConditionalLatent(arguments.latent, len(arguments.labels))
        channels = max(1, round(width * arguments.width))
        synthesis = build_dcgan_synthesis(arguments.size, mapping.style, channels)
        generator = Generator(mapping, synthesis, arguments)
        initialise_dcgan(generator)
        return generator

    return build


def build_dcgan_discriminator(width: int) -> Callable[[GeneratorArguments], nn.Module]:
    """What builds a discriminator that is `width` channels wide at its finest."""

    def build(arguments: GeneratorArguments) -> nn.Module:
        channels = max(1, round(width * arguments.width))
        discriminator = DcganDiscriminator(arguments.size, channels, len(arguments.labels))
        initialise_dcgan(discriminator)
        return discriminator

    return build
