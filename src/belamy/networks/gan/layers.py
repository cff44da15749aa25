"""Layers of the light GAN: scaled weights, modulated convolutions, noise, colours."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "NEGATIVE_SLOPE",
    "EqualizedConv2d",
    "EqualizedLinear",
    "ModulatedConv2d",
    "NoiseInput",
    "ToRGB",
    "bent_leaky_relu",
]

NEGATIVE_SLOPE = 0.2  # of the leaky ReLUs
_GAIN = math.sqrt(2 / (1 + NEGATIVE_SLOPE**2))  # keeps the size of what passes a leaky ReLU


def bent_leaky_relu(x: Tensor, width: float) -> Tensor:
    """A leaky ReLU whose kink is a bend: |x| is √(x² + width²) there, less half the width.

    At a kink every zero of a smooth feature becomes a line; at a bend it does not.
    """
    rise, bend = (1 + NEGATIVE_SLOPE) / 2, (1 - NEGATIVE_SLOPE) / 2
    return rise * x + bend * ((x.square() + width**2).sqrt() - width / 2)


def _leaky_relu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, NEGATIVE_SLOPE)


class EqualizedLinear(nn.Module):
    """A fully connected layer with equalised learning rate: its weights start, and learn, at the
    same scale whatever it is fed (Karras et al. 2018).

    Args:
        inputs: how many.
        outputs: how many.
        bias: what the biases start with.
        rate: at which it learns, beside others.
        activate: whether a leaky ReLU follows, and takes with it what that would take of the size.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias: float = 0.0,
        rate: float = 1.0,
        activate: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        gain = _GAIN if activate else 1.0
        self.activate, self.scale, self.rate = (
            activate,
            gain * rate / math.sqrt(inputs),
            gain * rate,
        )

    def forward(self, x: Tensor) -> Tensor:
        x = F.linear(x, self.weight * self.scale, self.bias * self.rate)
        return F.leaky_relu(x, NEGATIVE_SLOPE) if self.activate else x


class EqualizedConv2d(nn.Module):
    """A convolution that keeps the size, with equalised learning rate (Karras et al. 2018).

    Args:
        inputs: channels.
        outputs: channels.
        kernel: its side, odd.
        bias: whether it has one.
        activate: whether a leaky ReLU follows, and takes with it what that would take of the size.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, bias: bool = True, activate: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.activate, self.gain = activate, _GAIN if activate else 1.0
        self.scale = self.gain / math.sqrt(inputs * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        padding = self.weight.shape[-1] // 2
        bias = None if self.bias is None else self.bias * self.gain
        x = F.conv2d(x, self.weight * self.scale, bias, padding=padding)
        return F.leaky_relu(x, NEGATIVE_SLOPE) if self.activate else x


class ModulatedConv2d(nn.Module):
    """A modulated and demodulated convolution (Karras et al. 2020): the style scales the input
    channels, picture by picture, and what comes out is brought back to unit size.

    Args:
        inputs: channels.
        outputs: channels.
        style: numbers of a style.
        kernel: its side, odd.
        smoothing: width of the bend in place of the kink of its leaky ReLU, see `bent_leaky_relu`.
    """

    def __init__(
        self, inputs: int, outputs: int, style: int, *, kernel: int = 3, smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.steer = EqualizedLinear(style, inputs, bias=1.0)  # StyleGAN's affine
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = 1 / math.sqrt(inputs * kernel**2)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        scale = self.steer(style)  # (N, inputs)
        weight = self.weight * self.scale
        power = scale.float().square() @ weight.square().sum(dim=(2, 3)).float().T
        demodulation = _GAIN * (power + 1e-8).rsqrt()  # (N, outputs)
        padding = weight.shape[-1] // 2
        x = F.conv2d(x * scale[:, :, None, None].to(x.dtype), weight, padding=padding)
        bias = self.bias.to(x.dtype)[:, None, None]
        x = torch.addcmul(bias, x, demodulation[:, :, None, None].to(x))
        return bent_leaky_relu(x, self.smoothing) if self.smoothing else _leaky_relu(x)


class NoiseInput(nn.Module):
    """Adds noise, the same to every channel, as strong as each has learned to want it (Karras et
    al. 2019, StyleGAN): new for each picture while it trains, else always the same.

    Args:
        channels: of the features.
        side: of the features, in pixels.
    """

    pattern: Tensor

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels))
        self.register_buffer("pattern", torch.randn(1, 1, side, side))

    def forward(self, x: Tensor) -> Tensor:
        noise = self.pattern.to(x.dtype)
        if self.training:
            noise = torch.randn(len(x), 1, *x.shape[2:], dtype=x.dtype, device=x.device)
        return x + noise * self.strength.to(x.dtype)[:, None, None]


class ToRGB(nn.Module):
    """Features to colours: a modulated 1×1 convolution without demodulation."""

    def __init__(self, inputs: int, style: int) -> None:
        super().__init__()
        self.steer = EqualizedLinear(style, inputs, bias=1.0)
        self.colours = EqualizedConv2d(inputs, 3, 1)
        nn.init.zeros_(self.colours.weight)  # synthesis begins on grey, and no resolution shouts

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return self.colours(x * self.steer(style)[:, :, None, None].to(x.dtype)).float()  # type: ignore[no-any-return]
