"""The light forger and its critic: made to learn from few pictures on a processor.

The generator draws from coarse to fine. A small network turns a latent into a style, which says
at each level how strongly each feature is drawn (Karras et al. 2020, StyleGAN2: modulated
convolutions, pictures summed over the levels); coarse maps also gate fine ones directly
(skip-layer excitation, Liu et al. 2021, FastGAN). The discriminator is residual and without norms
(Huang et al. 2024, R3GAN); both resample with filters that do not alias.

**Differs** from those in its balance: channels are reduced before a map is doubled, and halved
before the first residual block, so that the expensive finest level holds one convolution in the
generator and one in the discriminator; at 64 px both together cost about 0.3 GMAC a picture,
where lightweight-gan's generator alone costs 12.8. No noise is injected: the same style is always
the same picture.
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy.networks.resample import downsample, upsample

__all__ = [
    "Brush",
    "Convolution",
    "Gate",
    "LightDiscriminator",
    "LightSynthesis",
    "Linear",
    "Mapping",
    "Modulated",
    "channels",
    "levels_of",
]

COARSEST = 4  # pixels of the side at which drawing begins
Drawn = tuple[Tensor, Tensor]
SLOPE = 0.2  # of what is negative
_GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the size of what passes that bend
_MAPPING_RATE = 0.1  # styles learn slower than what they steer; 0.01 for StyleGAN2's eight layers
_GROUP = 4  # pictures whose differences the critic sees; StyleGAN2's
# Channels by side in pixels, at a width of 1: by eye, for about equal cost at all levels.
_CHANNELS = {4: 256, 8: 192, 16: 128, 32: 64, 64: 32, 128: 32, 256: 16, 512: 16, 1024: 8}
_ROUND = 8  # channels come in multiples, which processors like
_GATES = {32: 4, 64: 8, 128: 8, 256: 16, 512: 16}  # a fine map's side → that of the map that gates


def channels(side: int, width: float) -> int:
    """At the level whose maps have `side` pixels."""
    return max(_ROUND, round(_CHANNELS[side] * width / _ROUND) * _ROUND)


def levels_of(size: int) -> list[int]:
    """4, 8, … size."""
    return [side for side in _CHANNELS if side <= size]


class Linear(nn.Module):
    """A level of neurons whose weights start, and learn, at the same scale whatever it is fed
    (equalised learning rate: Karras et al. 2018).

    Args:
        inputs: how many.
        outputs: how many.
        bias: what the biases start with.
        rate: at which it learns, beside others.
        bent: whether a bend follows, and takes with it what that would take of the size.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias: float = 0.0,
        rate: float = 1.0,
        bent: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        gain = _GAIN if bent else 1.0
        self.bent, self.scale, self.rate = bent, gain * rate / math.sqrt(inputs), gain * rate

    def forward(self, x: Tensor) -> Tensor:
        x = F.linear(x, self.weight * self.scale, self.bias * self.rate)
        return F.leaky_relu(x, SLOPE) if self.bent else x


class Convolution(nn.Module):
    """A convolution that keeps the size, with equalised learning rate.

    Args:
        inputs: channels.
        outputs: channels.
        kernel: its side, odd.
        bias: whether it has one.
        bent: whether a bend follows, and takes with it what that would take of the size.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, bias: bool = True, bent: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.bent, self.gain = bent, _GAIN if bent else 1.0
        self.scale = self.gain / math.sqrt(inputs * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        padding = self.weight.shape[-1] // 2
        bias = None if self.bias is None else self.bias * self.gain
        x = F.conv2d(x, self.weight * self.scale, bias, padding=padding)
        return F.leaky_relu(x, SLOPE) if self.bent else x


class Modulated(nn.Module):
    """A convolution steered by a style: each picture weighs the input channels in its own way,
    and what comes out is brought back to unit size."""

    def __init__(self, inputs: int, outputs: int, style: int, *, kernel: int = 3) -> None:
        super().__init__()
        self.steer = Linear(style, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = 1 / math.sqrt(inputs * kernel**2)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        steer = self.steer(style)  # (N, inputs)
        weight = self.weight * self.scale
        power = steer.float().square() @ weight.square().sum(dim=(2, 3)).float().T
        back = _GAIN * (power + 1e-8).rsqrt()  # (N, outputs)
        padding = weight.shape[-1] // 2
        x = F.conv2d(x * steer[:, :, None, None].to(x.dtype), weight, padding=padding)
        x = torch.addcmul(self.bias.to(x.dtype)[:, None, None], x, back[:, :, None, None].to(x))
        return F.leaky_relu(x, SLOPE)


class Brush(nn.Module):
    """Features to colours, steered by a style, without bringing back to unit size."""

    def __init__(self, inputs: int, style: int) -> None:
        super().__init__()
        self.steer = Linear(style, inputs, bias=1.0)
        self.colours = Convolution(inputs, 3, 1)
        nn.init.zeros_(self.colours.weight)  # drawing begins on grey, and no level shouts

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return self.colours(x * self.steer(style)[:, :, None, None].to(x.dtype)).float()  # type: ignore[no-any-return]


class Gate(nn.Module):
    """Skip-layer excitation: what is drawn coarsely decides which fine features are."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.look = Linear(coarse * 4, fine)
        self.open = Linear(fine, fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        seen = F.leaky_relu(self.look(F.adaptive_avg_pool2d(coarse, 2).flatten(1)), SLOPE)
        return fine * (2 * torch.sigmoid(self.open(seen)))[:, :, None, None].to(fine.dtype)


class Mapping(nn.Module):
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
            [Linear(count, style, rate=_MAPPING_RATE, bent=True) for count in (first, style)]
        )

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = _unit(z)
        if self.embedding is not None:
            x = torch.cat([x, _unit(self.embedding(label))], dim=1)
        for layer in self.layers:
            x = layer(x)
        return x


def _unit(x: Tensor) -> Tensor:
    """Numbers whose mean square is 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class _Level(nn.Module):
    """From one level to the next, twice as fine: features and what they add to the picture."""

    def __init__(self, before: int, now: int, style: int) -> None:
        super().__init__()
        self.reduce = Modulated(before, now, style)
        self.refine = Modulated(now, now, style)
        self.brush = Brush(now, style)

    def forward(self, x: Tensor, style: Tensor, gate: Gate | None, coarse: Tensor | None) -> Drawn:
        x = self.refine(upsample(self.reduce(x, style)), style)
        if gate is not None:
            x = gate(coarse, x)
        return x, self.brush(x, style)


class LightSynthesis(nn.Module):
    """Styles to pictures, −1 to 1 (and a little beyond).

    Args:
        size: side of the pictures, 8 to 1024, a power of two.
        style: numbers of a style.
        width: factor on all channels.
    """

    def __init__(self, size: int, style: int, width: float = 1.0) -> None:
        super().__init__()
        self.sides = levels_of(size)
        counts = [channels(side, width) for side in self.sides]
        self.start = nn.Parameter(torch.randn(1, counts[0], COARSEST, COARSEST))
        self.first = Modulated(counts[0], counts[0], style)
        self.first_brush = Brush(counts[0], style)
        pairs = itertools.pairwise(counts)
        self.levels = nn.ModuleList([_Level(before, now, style) for before, now in pairs])
        by_side = dict(zip(self.sides, counts, strict=True))
        gates = {fine: coarse for fine, coarse in _GATES.items() if fine in by_side}
        self.gates = nn.ModuleDict(
            {str(fine): Gate(by_side[coarse], by_side[fine]) for fine, coarse in gates.items()}
        )

    def forward(self, styles: Tensor) -> Tensor:
        """(N, style), or (N, levels, style) with one for each level → (N, 3, size, size)."""
        if styles.ndim == 2:
            styles = styles[:, None].expand(-1, len(self.sides), -1)
        x = self.start.expand(len(styles), -1, -1, -1)
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.first(x, styles[:, 0])
        maps = {COARSEST: x}
        picture = self.first_brush(x, styles[:, 0])
        gates = dict(self.gates.items())
        for number, (side, level) in enumerate(zip(self.sides[1:], self.levels, strict=True), 1):
            gate = gates.get(str(side))
            coarse = None if gate is None else maps[_GATES[side]]
            x, detail = level(x, styles[:, number], gate, coarse)
            maps[side] = x
            picture = upsample(picture) + detail
        return picture  # type: ignore[no-any-return]


class _Residual(nn.Module):
    """Two convolutions around a bend, halved; beside them the input, halved."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = Convolution(before, before, 3, bent=True)
        self.second = Convolution(before, after, 3, bent=True)
        self.beside = Convolution(before, after, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        inside = self.second(self.first(x))
        return downsample(inside + self.beside(x)) * math.sqrt(0.5)


class LightDiscriminator(nn.Module):
    """Pictures (N, 3, size, size) in [0, 1] to logits (N, 1).

    Args:
        size: side of the pictures.
        width: factor on all channels.
        labels: how many there are; with several, a picture is judged as one of its label
            (projection: Miyato and Koyama 2018).
    """

    def __init__(self, size: int, width: float = 1.0, labels: int = 0) -> None:
        super().__init__()
        sides = levels_of(size)[::-1]
        counts = [channels(side, width) for side in sides]
        self.stem = Convolution(3, counts[0], 3, bent=True)
        # each block gives as many channels as the level before it is drawn with
        pairs = itertools.pairwise(counts[:-1])
        self.blocks = nn.ModuleList([_Residual(before, after) for before, after in pairs])
        inside = counts[-2]
        last = counts[-1]
        self.last = Convolution(inside + 1, last, 3, bent=True)
        self.dense = Linear(last * COARSEST**2, last, bent=True)
        self.logit = Linear(last, 1)
        self.embedding = nn.Embedding(labels, last) if labels > 1 else None

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        x = (2 * images - 1).contiguous(memory_format=torch.channels_last)
        x = downsample(self.stem(x))
        for block in self.blocks:
            x = block(x)
        x = self.last(torch.cat([x, _difference(x)], dim=1))
        x = self.dense(x.flatten(1))
        logits = self.logit(x)
        if self.embedding is not None:
            logits = logits + (self.embedding(label) * x).mean(dim=1, keepdim=True)
        return logits.float()  # type: ignore[no-any-return]


def _difference(x: Tensor) -> Tensor:
    """(N, 1, H, W): how much pictures in groups differ, so that copies give themselves away
    (minibatch standard deviation: Karras et al. 2018)."""
    count = len(x)
    size = next(size for size in range(min(_GROUP, count), 0, -1) if count % size == 0)
    groups = x.float().reshape(size, -1, *x.shape[1:])
    apart = (groups - groups.mean(dim=0)).square().mean(dim=0)
    spread = (apart + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (N / size,)
    return spread.repeat(size)[:, None, None, None].expand(-1, 1, *x.shape[2:]).to(x.dtype)
