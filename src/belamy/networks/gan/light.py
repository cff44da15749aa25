"""The light GAN: a small StyleGAN and its discriminator, made to learn from few pictures on a CPU.

The generator synthesises from coarse to fine. A mapping network turns a latent into a style, which
scales the input channels of every convolution (Karras et al. 2020, StyleGAN2: modulated
convolutions, an image output at every resolution, summed); coarse features also excite fine ones
directly (skip-layer excitation, Liu et al. 2021, FastGAN). The discriminator is residual and
without norms (Huang et al. 2024, R3GAN); both resample with filters that do not alias.

**Differs** from those in its balance: channels are reduced before a map is doubled, and halved
before the first residual block, so that the expensive finest resolution holds one convolution in
the generator and one in the discriminator; at 64 px both together cost about 0.3 GMAC a picture,
where lightweight-gan's generator alone costs 12.8. Noise is injected where it is asked for, and is
always the same in use: the same style is always the same picture.

Sides are powers of two, or one and a half times as much: 48, 96, 192 … Then a `FinalBlock` follows
the last power of two. Each resolution has its own picture, so that a network can be drawn at a
smaller size, and a larger one can be grown from it (Karras et al. 2018), beginning as it was,
enlarged.

The modules' attributes (`steer`, `brush`, `gates`, `levels` …) are names of tensors in files, and
stay as they were first called.
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy.networks.gan.generator import Generator, GeneratorArguments
from belamy.networks.gan.layers import (
    NEGATIVE_SLOPE,
    EqualizedConv2d,
    EqualizedLinear,
    ModulatedConv2d,
    NoiseInput,
    ToRGB,
)
from belamy.networks.resample import downsample, resample, soften, upsample

__all__ = [
    "FinalBlock",
    "LightDiscriminator",
    "LightSynthesis",
    "MappingNetwork",
    "SkipLayerExcitation",
    "SynthesisBlock",
    "build_light_discriminator",
    "build_light_generator",
    "channels_at",
    "resolutions_up_to",
]

COARSEST = 4  # pixels of the side at which synthesis begins
FeaturesAndImage = tuple[Tensor, Tensor]
_MAPPING_RATE = 0.1  # styles learn slower than what they steer; 0.01 for StyleGAN2's eight layers
_STYLE = 256  # numbers of a style
_FIRST_NOISE = 16  # pixels of the side from which on there is noise
_FIRST_BEND = 64  # pixels of the side from which on kinks are bent; at the finest they always are
_GROUP = 4  # pictures whose differences the discriminator sees; StyleGAN2's
# Channels by side in pixels, at a width of 1: by eye, for about equal cost at all resolutions.
_CHANNELS = {4: 256, 8: 192, 16: 128, 32: 64, 64: 32, 128: 32, 256: 16, 512: 16, 1024: 8}
_MULTIPLE = 8  # channels come in multiples, which processors like
# A fine map's side → that of the coarse map that excites it.
_EXCITED_BY = {32: 4, 64: 8, 128: 8, 256: 16, 512: 16}


def channels_at(side: int, width: float) -> int:
    """Channels of the maps of `side` pixels; between two powers of two, those of the smaller."""
    full = _CHANNELS[resolutions_up_to(side)[-1]]
    return max(_MULTIPLE, round(full * width / _MULTIPLE) * _MULTIPLE)


def resolutions_up_to(size: int) -> list[int]:
    """4, 8, … to the largest power of two that is no larger than `size`."""
    return [side for side in _CHANNELS if side <= size]


class SkipLayerExcitation(nn.Module):
    """Coarse features gate the channels of fine ones (Liu et al. 2021).

    **Differs**: gates go from 0 to 2 instead of 1, so that one that has learned nothing changes
    nothing.
    """

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.look = EqualizedLinear(coarse * 4, fine)
        self.open = EqualizedLinear(fine, fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool2d(coarse, 2).flatten(1)  # (N, 4·coarse)
        hidden = F.leaky_relu(self.look(pooled), NEGATIVE_SLOPE)
        return fine * (2 * torch.sigmoid(self.open(hidden)))[:, :, None, None].to(fine.dtype)


class MappingNetwork(nn.Module):
    """A latent (N, latent), and a label, to a style (N, style).

    Args:
        latent: numbers of a latent.
        style: numbers of a style.
        labels: how many there are; 0 or 1 for none.
    """

    def __init__(self, latent: int, style: int, labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(labels, latent) if labels > 1 else None
        first = latent * (2 if labels > 1 else 1)
        self.layers = nn.ModuleList(
            EqualizedLinear(count, style, rate=_MAPPING_RATE, activate=True)
            for count in (first, style)
        )

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = _normalise(z)
        if self.embedding is not None:
            x = torch.cat([x, _normalise(self.embedding(label))], dim=1)
        for layer in self.layers:
            x = layer(x)
        return x


def _normalise(x: Tensor) -> Tensor:
    """Numbers whose mean square is 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class SynthesisBlock(nn.Module):
    """From one resolution to the next, twice as fine: features, and what they add to the picture.

    Args:
        inputs: channels of the coarser features.
        outputs: channels of the finer ones.
        style: numbers of a style.
        noise_side: of the finer features, in pixels, where they are given noise.
        smoothing: of the last activation's kink.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        style: int,
        noise_side: int | None = None,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.reduce = ModulatedConv2d(inputs, outputs, style)
        self.noise = nn.Identity() if noise_side is None else NoiseInput(outputs, noise_side)
        self.refine = ModulatedConv2d(outputs, outputs, style, smoothing=smoothing)
        self.brush = ToRGB(outputs, style)

    def forward(
        self,
        x: Tensor,
        style: Tensor,
        excitation: SkipLayerExcitation | None,
        coarse: Tensor | None,
    ) -> FeaturesAndImage:
        # before the last convolution, which can make strokes of noise
        x = self.refine(self.noise(upsample(self.reduce(x, style))), style)
        if excitation is not None:
            x = excitation(coarse, x)
        return x, self.brush(x, style)


class FinalBlock(nn.Module):
    """From the last power of two to one and a half times of it: features, and what they add to the
    picture. They are resampled with Lanczos' filter; what is added is filtered too, since stripes
    of two pixels, which no painting has, are what such a block draws most easily.

    Args:
        channels: of the coarser features, and of the finer ones.
        style: numbers of a style.
        side: of the finer features, in pixels.
        noise: whether they are given noise.
        smoothing: of the kinks of all its activations.
    """

    def __init__(
        self, channels: int, style: int, side: int, *, noise: bool, smoothing: float
    ) -> None:
        super().__init__()
        self.side = side
        self.reduce = ModulatedConv2d(channels, channels, style, smoothing=smoothing)
        self.noise = NoiseInput(channels, side) if noise else nn.Identity()
        self.refine = ModulatedConv2d(channels, channels, style, smoothing=smoothing)
        self.late_noise = NoiseInput(channels, side) if noise else nn.Identity()
        self.sharpen = ModulatedConv2d(channels, channels, style, smoothing=smoothing)
        self.brush = ToRGB(channels, style)

    def forward(self, x: Tensor, style: Tensor) -> FeaturesAndImage:
        x = resample(self.reduce(x, style), self.side)
        x = self.refine(self.noise(x), style)
        x = self.sharpen(self.late_noise(x), style)
        return x, soften(self.brush(x, style))


class LightSynthesis(nn.Module):
    """Styles to pictures, −1 to 1 (and a little beyond).

    Args:
        size: side of the pictures, 8 to 1024, a power of two or one and a half times of it.
        style: numbers of a style.
        width: factor on all channels.
        noise: whether the finer features are given noise.
        smoothing: of the kink of the last activation at the finest resolutions.
    """

    def __init__(
        self,
        size: int,
        style: int,
        width: float = 1.0,
        *,
        noise: bool = False,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.sides = resolutions_up_to(size)
        counts = [channels_at(side, width) for side in self.sides]
        self.start = nn.Parameter(torch.randn(1, counts[0], COARSEST, COARSEST))
        self.first = ModulatedConv2d(counts[0], counts[0], style)
        self.first_brush = ToRGB(counts[0], style)
        pairs = itertools.pairwise(counts)
        noise_sides = [side if noise and side >= _FIRST_NOISE else None for side in self.sides[1:]]
        bent = min(_FIRST_BEND, self.sides[-1])
        widths = [smoothing if side >= bent else 0.0 for side in self.sides[1:]]
        self.levels = nn.ModuleList(
            SynthesisBlock(*pair, style, side, width)
            for pair, side, width in zip(pairs, noise_sides, widths, strict=True)
        )
        self.last = _build_last(size, counts[-1], style, noise=noise, smoothing=smoothing)
        by_side = dict(zip(self.sides, counts, strict=True))
        pairs_of_sides = {fine: coarse for fine, coarse in _EXCITED_BY.items() if fine in by_side}
        self.gates = nn.ModuleDict(
            {
                str(fine): SkipLayerExcitation(by_side[coarse], by_side[fine])
                for fine, coarse in pairs_of_sides.items()
            }
        )

    def forward(self, styles: Tensor) -> Tensor:
        """(N, style), or (N, resolutions, style) with one for each → (N, 3, size, size)."""
        if styles.ndim == 2:
            styles = styles[:, None].expand(-1, len(self.sides), -1)
        x = self.start.expand(len(styles), -1, -1, -1)
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.first(x, styles[:, 0])
        maps = {COARSEST: x}
        image = self.first_brush(x, styles[:, 0])
        excitations = dict(self.gates.items())
        for number, (side, block) in enumerate(zip(self.sides[1:], self.levels, strict=True), 1):
            excitation = excitations.get(str(side))
            coarse = None if excitation is None else maps[_EXCITED_BY[side]]
            x, detail = block(x, styles[:, number], excitation, coarse)
            maps[side] = x
            image = upsample(image) + detail
        if self.last is not None:  # in the style of the resolution before it
            _, detail = self.last(x, styles[:, len(self.sides) - 1])
            image = resample(image, self.last.side) + detail
        return image  # type: ignore[no-any-return]


def _build_last(
    size: int, channels: int, style: int, *, noise: bool, smoothing: float
) -> FinalBlock | None:
    if size in _CHANNELS:
        return None
    return FinalBlock(channels, style, size, noise=noise, smoothing=smoothing)


class _ResidualBlock(nn.Module):
    """Two convolutions beside a 1×1 shortcut, added and halved in size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualizedConv2d(inputs, inputs, 3, activate=True)
        self.second = EqualizedConv2d(inputs, outputs, 3, activate=True)
        self.beside = EqualizedConv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.second(self.first(x))
        return downsample(residual + self.beside(x)) * math.sqrt(0.5)


class LightDiscriminator(nn.Module):
    """Pictures (N, 3, size, size) in [0, 1] to logits (N, 1).

    Args:
        size: side of the pictures.
        width: factor on all channels.
        labels: how many there are; with several, it is a projection discriminator (Miyato and
            Koyama 2018).
    """

    def __init__(self, size: int, width: float = 1.0, labels: int = 0) -> None:
        super().__init__()
        sides = _halvings(size)
        counts = [channels_at(side, width) for side in sides]
        self.stem = EqualizedConv2d(3, counts[0], 3, activate=True)
        # each block gives as many channels as the generator has at the resolution before it
        pairs = itertools.pairwise(counts[:-1])
        self.blocks = nn.ModuleList([_ResidualBlock(*pair) for pair in pairs])
        inputs, last = counts[-2], counts[-1]
        self.last = EqualizedConv2d(inputs + 1, last, 3, activate=True)
        self.dense = EqualizedLinear(last * sides[-1] ** 2, last, activate=True)
        self.logit = EqualizedLinear(last, 1)
        self.embedding = nn.Embedding(labels, last) if labels > 1 else None

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        x = (2 * images - 1).contiguous(memory_format=torch.channels_last)
        x = downsample(self.stem(x))
        for block in self.blocks:
            x = block(x)
        x = self.last(torch.cat([x, _minibatch_deviation(x)], dim=1))
        x = self.dense(x.flatten(1))
        logits = self.logit(x)
        if self.embedding is not None:
            logits = logits + (self.embedding(label) * x).mean(dim=1, keepdim=True)
        return logits.float()  # type: ignore[no-any-return]


def _halvings(size: int) -> list[int]:
    """size, size / 2, … to 4 or 6 pixels."""
    return [size // 2**power for power in range(len(resolutions_up_to(size)))]


def _minibatch_deviation(x: Tensor) -> Tensor:
    """Minibatch standard deviation (Karras et al. 2018), (N, 1, H, W): how much pictures in groups
    differ, so that copies give themselves away."""
    count = len(x)
    size = next(size for size in range(min(_GROUP, count), 0, -1) if count % size == 0)
    groups = x.float().reshape(size, -1, *x.shape[1:])
    variance = (groups - groups.mean(dim=0)).square().mean(dim=0)
    deviation = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (N / size,)
    return deviation.repeat(size)[:, None, None, None].expand(-1, 1, *x.shape[2:]).to(x.dtype)


def build_light_generator(arguments: GeneratorArguments) -> Generator:
    """A new generator, its weights drawn from torch's own random numbers."""
    mapping = MappingNetwork(arguments.latent, _STYLE, len(arguments.labels))
    synthesis = LightSynthesis(
        arguments.size,
        _STYLE,
        arguments.width,
        noise=arguments.noise,
        smoothing=arguments.smoothing,
    )
    return Generator(mapping, synthesis, arguments, len(resolutions_up_to(arguments.size)))


def build_light_discriminator(arguments: GeneratorArguments) -> nn.Module:
    """Its discriminator."""
    return LightDiscriminator(arguments.size, arguments.width, len(arguments.labels))
