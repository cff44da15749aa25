"""Networks from pictures to pictures, written down as rows of layers.

A row is a JSON object: `{"layer": "conv", "inputs": 3, …}`. A network made from rows is made of
plain torch modules alone, so that a file of weights can say by itself how its network is built,
and a network of another program is run by translating it into rows: no code comes with a file.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy.networks.image_to_image.geometry import (
    LARGEST_KERNEL,
    Row,
    check_sizes,
    compute_geometry,
)
from belamy.networks.image_to_image.instance_norm import InstanceNorm
from belamy.networks.image_to_image.narrow_conv import NarrowConv, is_narrow
from belamy.networks.image_to_image.padding import ReflectionPad, ReplicationPad
from belamy.networks.image_to_image.winograd_conv import WinogradConv, is_wide
from belamy.networks.resample import Downsample, Upsample

__all__ = [
    "LAYERS",
    "Affine",
    "Crop",
    "Join",
    "Multiply",
    "Sum",
    "build",
]

_MOST_CHANNELS = 2048
_MOST_PIXELS = 512  # of padding or cropping in one layer
_LARGEST_STRIDE = 8


class Multiply(nn.Module):
    """Every number times one factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = float(factor)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Affine(nn.Module):
    """Each channel times its weight, plus its bias: what is left of a norm whose statistics are
    fixed. Those stay in float32 where the picture is in less."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        if x.dtype != self.weight.dtype:
            plain = self.weight.new_zeros(len(self.weight)), self.weight.new_ones(len(self.weight))
            return F.batch_norm(x, *plain, self.weight, self.bias, eps=0.0)
        return x * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class Crop(nn.Module):
    """`amount` pixels less on each side."""

    def __init__(self, amount: int) -> None:
        super().__init__()
        self.amount = int(amount)

    def forward(self, x: Tensor) -> Tensor:
        cut = self.amount
        return x[..., cut : x.shape[-2] - cut, cut : x.shape[-1] - cut]


class Sum(nn.Module):
    """What several rows of layers make of the same input, added: a residual block is two."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return self.together([branch(x) for branch in self.branches])

    @staticmethod
    def together(results: Sequence[Tensor]) -> Tensor:
        return functools.reduce(torch.add, results)


class Join(Sum):
    """The same, but the results lie side by side as channels: a skip of a U-Net is two."""

    @staticmethod
    def together(results: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(results), dim=1)


_PADS: dict[str, Callable[[tuple[int, int, int, int]], nn.Module]] = {
    "reflect": ReflectionPad,
    "replicate": ReplicationPad,
    "zero": nn.ZeroPad2d,
}


def _pad(mode: str, left: int, right: int, top: int, bottom: int) -> nn.Module:
    check_sizes("padding", (left, right, top, bottom), 0, _MOST_PIXELS)
    return _PADS[mode]((left, right, top, bottom))


def _conv(
    inputs: int,
    outputs: int,
    kernel: Sequence[int],
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    groups: int = 1,
    bias: bool = True,
) -> nn.Module:
    _check_filters(inputs, outputs, kernel, stride, padding)
    check_sizes("groups", (groups,), 1, _MOST_CHANNELS)
    plain = groups == 1 and max(_pair(padding)) == 0
    if plain and is_narrow(outputs, _pair(kernel), _pair(stride)):
        return NarrowConv(inputs, outputs, _pair(kernel), bias=bias)
    if plain and is_wide(inputs, outputs, _pair(kernel), _pair(stride)):
        return WinogradConv(inputs, outputs, bias=bias)
    return nn.Conv2d(
        inputs, outputs, _pair(kernel), _pair(stride), _pair(padding), groups=groups, bias=bias
    )


def _deconv(
    inputs: int,
    outputs: int,
    kernel: Sequence[int],
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    extra: Sequence[int] = (0, 0),
    bias: bool = True,
) -> nn.Module:
    _check_filters(inputs, outputs, kernel, stride, padding)
    check_sizes("extra", extra, 0, max(stride) - 1)
    return nn.ConvTranspose2d(
        inputs, outputs, _pair(kernel), _pair(stride), _pair(padding), _pair(extra), bias=bias
    )


def _upsample(factor: int) -> nn.Module:
    check_sizes("factor", (factor,), 1, _LARGEST_STRIDE)
    return nn.Upsample(scale_factor=factor, mode="nearest")


def _instance(channels: int, eps: float = 1e-5, affine: bool = True) -> nn.Module:
    check_sizes("channels", (channels,), 1, _MOST_CHANNELS)
    if not 0 <= eps <= 1:
        raise ValueError(f"eps is {eps}")
    return InstanceNorm(channels, eps=eps, affine=bool(affine))


def _affine(channels: int) -> nn.Module:
    check_sizes("channels", (channels,), 1, _MOST_CHANNELS)
    return Affine(channels)


def _crop(amount: int) -> nn.Module:
    check_sizes("amount", (amount,), 0, _MOST_PIXELS)
    return Crop(amount)


def _leaky(slope: float) -> nn.Module:
    if not 0 <= slope <= 1:
        raise ValueError(f"slope is {slope}")
    return nn.LeakyReLU(slope)


def _sum(branches: Sequence[Sequence[Row]]) -> nn.Module:
    return Sum(_branches(branches))


def _join(branches: Sequence[Sequence[Row]]) -> nn.Module:
    return Join(_branches(branches))


def _branches(branches: Sequence[Sequence[Row]]) -> list[nn.Sequential]:
    if not branches:
        raise ValueError("a sum of nothing")
    return [_sequence(branch) for branch in branches]


LAYERS: dict[str, Callable[..., nn.Module]] = {
    "pad": _pad,
    "conv": _conv,
    "deconv": _deconv,
    "upsample": _upsample,
    "halve": Downsample,
    "double": Upsample,
    "instance": _instance,
    "affine": _affine,
    "relu": nn.ReLU,
    "leaky": _leaky,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "multiply": Multiply,
    "crop": _crop,
    "sum": _sum,
    "join": _join,
}
"""What a row may be, and what it is made with: the other entries of the row, by name."""


def build(rows: Sequence[Row]) -> nn.Sequential:
    """The network that the rows describe, (N, 3, H, W) → (N, 3, H', W').

    Raises:
        ValueError: a row is none of `LAYERS`, a number is out of range, or the picture would grow
            or shrink beyond reason on the way.
        TypeError: an entry is missing, unknown or of the wrong type.
    """
    compute_geometry(rows)  # refuses what would fill the memory
    return _sequence(rows)


def _sequence(rows: Sequence[Row]) -> nn.Sequential:
    return nn.Sequential(*(_build(row) for row in rows))


def _build(row: Row) -> nn.Module:
    arguments = dict(row)
    name = arguments.pop("layer", None)
    if name not in LAYERS:
        raise ValueError(f"{name!r} is no layer; there are {', '.join(LAYERS)}")
    return LAYERS[name](**arguments)


def _check_filters(
    inputs: int, outputs: int, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> None:
    check_sizes("channels", (inputs, outputs), 1, _MOST_CHANNELS)
    check_sizes("kernel", kernel, 1, LARGEST_KERNEL)
    check_sizes("stride", stride, 1, _LARGEST_STRIDE)
    check_sizes("padding", padding, 0, LARGEST_KERNEL)


def _pair(numbers: Sequence[int]) -> tuple[int, int]:
    first, second = numbers
    return first, second
