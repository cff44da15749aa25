"""Networks that turn pictures into pictures, written down as rows of layers.

A row is a JSON object: `{"layer": "conv", "inputs": 3, …}`. A network made from rows is made of
plain torch modules alone, so that a file of weights can say by itself how its network is built,
and a network of another program is run by translating it into rows: no code comes with a file.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from belamy.networks.image_to_image.instance_norm import InstanceNorm
from belamy.networks.image_to_image.narrow_conv import NarrowConv, is_narrow
from belamy.networks.resample import Downsample, Upsample

__all__ = [
    "LAYERS",
    "Affine",
    "Crop",
    "Geometry",
    "Join",
    "Multiply",
    "Row",
    "Sum",
    "build",
    "fixed_norms",
    "geometry",
]

Row: TypeAlias = "Mapping[str, Any]"

_MOST_ROWS = 1000
_MOST_CHANNELS = 2048
_MOST_PIXELS = 512  # of padding or cropping in one layer
_LARGEST_KERNEL = 64
_LARGEST_STRIDE = 8
_MOST_FLOATS = 4096  # of one activation, for each pixel of the picture; Johnson's has 64
_COARSEST, _FINEST = Fraction(64), Fraction(1, 4)  # input pixels from one place to the next


class Multiply(nn.Module):
    """Every number times one factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = float(factor)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Affine(nn.Module):
    """Each channel times its weight, plus its bias: what is left of a norm whose statistics are
    fixed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
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
    "reflect": nn.ReflectionPad2d,
    "replicate": nn.ReplicationPad2d,
    "zero": nn.ZeroPad2d,
}


def _pad(mode: str, left: int, right: int, top: int, bottom: int) -> nn.Module:
    _check("padding", (left, right, top, bottom), 0, _MOST_PIXELS)
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
    _check("groups", (groups,), 1, _MOST_CHANNELS)
    plain = groups == 1 and max(_pair(padding)) == 0
    if plain and is_narrow(outputs, _pair(kernel), _pair(stride)):
        return NarrowConv(inputs, outputs, _pair(kernel), bias=bias)
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
    _check("extra", extra, 0, max(stride) - 1)
    return nn.ConvTranspose2d(
        inputs, outputs, _pair(kernel), _pair(stride), _pair(padding), _pair(extra), bias=bias
    )


def _upsample(factor: int) -> nn.Module:
    _check("factor", (factor,), 1, _LARGEST_STRIDE)
    return nn.Upsample(scale_factor=factor, mode="nearest")


def _instance(channels: int, eps: float = 1e-5, affine: bool = True) -> nn.Module:
    _check("channels", (channels,), 1, _MOST_CHANNELS)
    if not 0 <= eps <= 1:
        raise ValueError(f"eps is {eps}")
    return InstanceNorm(channels, eps=eps, affine=bool(affine))


def _affine(channels: int) -> nn.Module:
    _check("channels", (channels,), 1, _MOST_CHANNELS)
    return Affine(channels)


def _crop(amount: int) -> nn.Module:
    _check("amount", (amount,), 0, _MOST_PIXELS)
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
    geometry(rows)  # refuses what would fill the memory
    return _sequence(rows)


def _sequence(rows: Sequence[Row]) -> nn.Sequential:
    return nn.Sequential(*(_built(row) for row in rows))


def _built(row: Row) -> nn.Module:
    arguments = dict(row)
    name = arguments.pop("layer", None)
    if name not in LAYERS:
        raise ValueError(f"{name!r} is no layer; there are {', '.join(LAYERS)}")
    return LAYERS[name](**arguments)


@dataclass(frozen=True)
class Geometry:
    """What a tile has to know about a network.

    Args:
        stride: tiles begin, and end, at multiples of it, in pixels.
        margin: no result depends on pixels farther away than this.
        floats: of the largest activation, for each pixel of the picture.
    """

    stride: int
    margin: int
    floats: float


def geometry(rows: Sequence[Row]) -> Geometry:
    """How far the network looks, and how finely it must be cut.

    Raises:
        ValueError: there are too many rows, or the picture grows or shrinks beyond reason.
        TypeError: rows are no objects, or their entries no numbers.
    """
    places = list(_walk(rows, _Place(Fraction(0), Fraction(1), 3)))
    if len(places) > _MOST_ROWS:
        raise ValueError(f"there are {len(places)} layers, more than {_MOST_ROWS}")
    if any(not _FINEST <= place.step <= _COARSEST for place in places):
        raise ValueError(f"the picture is made smaller than 1/{_COARSEST}, or larger than 4 times")
    floats = max((place.channels / float(place.step) ** 2 for place in places), default=3.0)
    if floats > _MOST_FLOATS:
        raise ValueError(f"{floats:.0f} numbers for each pixel are more than {_MOST_FLOATS}")
    margin = sum((place.reach for place in places), Fraction(0))
    stride = max((place.step for place in places), default=Fraction(1))
    whole = max(1, int(stride))
    return Geometry(whole, int(margin) + whole, max(floats, 3.0))


@dataclass(frozen=True)
class _Place:
    """After a layer: how far it reaches and the distance of two places, both in pixels of the
    picture; and the channels."""

    reach: Fraction
    step: Fraction
    channels: int


def _walk(rows: Sequence[Row], place: _Place) -> Iterator[_Place]:
    """One place for each layer. The branches of a sum are counted one after another, which errs
    on the safe side."""
    for row in rows:
        place = _after(row, place)
        yield place
        if row.get("layer") in _BRANCHING:
            ends = []
            for branch in row["branches"]:
                end = place
                for end in _walk(branch, place):
                    yield end
                ends.append(end)
            step = max((end.step for end in ends), default=place.step)
            channels = _BRANCHING[row["layer"]](end.channels for end in ends)
            place = _Place(Fraction(0), step, channels)
            yield place


_BRANCHING: dict[str, Callable[[Iterable[int]], int]] = {
    "sum": functools.partial(max, default=0),
    "join": sum,
}
"""Layers with branches → the channels after them, from those at the ends of the branches."""


def _after(row: Row, place: _Place) -> _Place:
    name = row.get("layer")
    if name == "conv":
        stride, reach = _positive(row.get("stride", (1,))), _positive(row["kernel"])
        step = place.step * stride
        return _Place((reach - 1) * place.step / 2, step, int(row["outputs"]))
    if name == "deconv":
        stride, reach = _positive(row.get("stride", (1,))), _positive(row["kernel"])
        step = place.step / stride
        return _Place((reach - 1) * step / 2, step, int(row["outputs"]))
    if name == "upsample":
        factor = _positive((row["factor"],))
        step = place.step / factor
        return _Place((factor - 1) * step / 2, step, place.channels)
    if name == "halve":
        return _Place(3 * place.step / 2, place.step * 2, place.channels)
    if name == "double":
        return _Place(place.step, place.step / 2, place.channels)
    return _Place(Fraction(0), place.step, place.channels)


def _positive(numbers: Sequence[int]) -> Fraction:
    """The largest of what must be whole numbers from 1 on, and not too large."""
    _check("a size", numbers, 1, _LARGEST_KERNEL)
    return Fraction(max(numbers))


def fixed_norms(network: nn.Sequential, sample: Tensor) -> nn.Sequential:
    """The same network with the statistics that `sample` has at each of its instance norms.

    What is left looks at a neighbourhood alone, so that a picture can be cut into tiles that fit
    together without a seam.

    Args:
        network: made by `build`; its weights are shared with the result, not copied.
        sample: (N, 3, H, W) as the network takes it; the statistics are over all N pictures.
    """
    fixed, _ = _fixed(network, sample)
    assert isinstance(fixed, nn.Sequential)
    return fixed


def _fixed(module: nn.Module, x: Tensor) -> tuple[nn.Module, Tensor]:
    if isinstance(module, nn.Sequential):
        parts = []
        for part in module:
            made, x = _fixed(part, x)
            parts.append(made)
        return nn.Sequential(*parts), x
    if isinstance(module, Sum):
        branches, results = zip(*(_fixed(branch, x) for branch in module.branches), strict=True)
        return type(module)(branches), module.together(results)
    if isinstance(module, nn.InstanceNorm2d):
        affine = _affine_of(module, x)
        return affine, affine(x)
    return module, module(x)


@torch.no_grad()
def _affine_of(norm: nn.InstanceNorm2d, x: Tensor) -> Affine:
    mean, variance = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), correction=0)
    affine = Affine(norm.num_features).to(x)
    affine.weight.copy_((variance + norm.eps).rsqrt())
    if norm.affine:
        affine.weight.mul_(norm.weight)
    affine.bias.copy_(-mean * affine.weight)
    if norm.affine:
        affine.bias.add_(norm.bias)
    return affine.requires_grad_(False)


def _check_filters(
    inputs: int, outputs: int, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> None:
    _check("channels", (inputs, outputs), 1, _MOST_CHANNELS)
    _check("kernel", kernel, 1, _LARGEST_KERNEL)
    _check("stride", stride, 1, _LARGEST_STRIDE)
    _check("padding", padding, 0, _LARGEST_KERNEL)


def _check(name: str, numbers: Sequence[int], low: int, high: int) -> None:
    if not all(isinstance(number, int) and low <= number <= high for number in numbers):
        raise ValueError(f"{name} is {tuple(numbers)}; it must be from {low} to {high}")


def _pair(numbers: Sequence[int]) -> tuple[int, int]:
    first, second = numbers
    return first, second
