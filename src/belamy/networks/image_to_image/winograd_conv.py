"""Convolutions of 3×3 that train with a quarter of the products."""

from __future__ import annotations

import functools
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from belamy.devices import compare_speeds

__all__ = ["WinogradConv", "is_wide"]

_KERNEL = 3
_OUTPUT = 4  # pixels of a side of what is made at once
_INPUT = _OUTPUT + _KERNEL - 1  # of a side of what it is made from
_PLACES = _INPUT**2
_WIDE = 128 * 64  # pairs of channels below which sums for the tiles eat up what is gained
_TRIED = (1, 128, 34, 34)  # a tensor that is convolved to see whether all this is faster

# F(4×4, 3×3) of Lavin and Gray 2016, "Fast algorithms for convolutional neural networks": a row of
# four is `_BACK @ ((_KERNELS @ kernel) * (_TILES @ six))`.
_TILES = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_KERNELS = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_BACK = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)


def is_wide(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
) -> bool:
    """Whether `WinogradConv` can stand for a convolution without padding or groups, and may
    gain."""
    return kernel == (_KERNEL, _KERNEL) and max(stride) == 1 and inputs * outputs >= _WIDE


class WinogradConv(nn.Conv2d):
    """A convolution of 3×3 between many channels.

    While it learns in float32 on a processor, tiles of 4×4 pixels are made at once, each of 36
    products instead of 144 (Winograd 1980; Lavin and Gray 2016): forth and back in half of the
    time (256 channels at 32×32 px, two pictures, on an AMD EPYC), with three times the rounding
    error, 2 parts in a million. Whether it is faster is tried once on a machine. Everywhere else,
    and where a side of the result is no multiple of four, it is torch's own; so a picture that is
    made with finished weights is the same as ever.

    Args:
        inputs, outputs: channels.
        bias: whether one is added.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__(inputs, outputs, _KERNEL, bias=bias)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        if self._learns(x) and _is_faster():
            bias = x.new_zeros(self.out_channels) if self.bias is None else self.bias
            return _convolve(x, self.weight, bias)
        return super().forward(x)

    def _learns(self, x: Tensor) -> bool:
        rows, columns = (1 + side - _KERNEL for side in x.shape[2:])
        return (
            torch.is_grad_enabled()
            and self.weight.requires_grad
            and x.device.type == "cpu"
            and x.dtype == self.weight.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            and rows % _OUTPUT == columns % _OUTPUT == 0
        )


@functools.cache
def _is_faster() -> bool:
    """Products of matrices and convolutions come from different libraries, and which of these is
    better at its own differs between processors."""
    channels = _TRIED[1]
    weight = torch.zeros(channels, channels, _KERNEL, _KERNEL)
    weight = weight.contiguous(memory_format=torch.channels_last).requires_grad_()
    x = torch.zeros(_TRIED).contiguous(memory_format=torch.channels_last).requires_grad_()
    bias = torch.zeros(channels, requires_grad=True)

    def learn(y: Tensor) -> None:
        torch.autograd.grad(y, (x, weight, bias), torch.zeros_like(y))

    ratio = compare_speeds(
        "3×3 convolutions by Winograd",
        lambda: learn(_convolve(x, weight, bias)),
        lambda: learn(F.conv2d(x, weight, bias)),
    )
    return ratio < 1


class _Convolution(torch.autograd.Function):
    """Of (N, C, H, W) with kernels (K, C, 3, 3); channels lie last in all that is made."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        products = torch.bmm(_transform_tiles(x), _transform_kernels(weight).transpose(1, 2))
        y = _matrix(_BACK) @ products.flatten(1)
        count, _, rows, columns = _output_shape(x, weight)
        shape = _OUTPUT, _OUTPUT, count, rows // _OUTPUT, columns // _OUTPUT, -1
        y = y.view(shape).permute(2, 3, 0, 4, 1, 5).reshape(count, rows, columns, -1)
        return y.add_(bias).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        count, channels, rows, columns = gradient.shape
        down, across = rows // _OUTPUT, columns // _OUTPUT
        pixels = gradient.permute(0, 2, 3, 1)
        tiles = pixels.reshape(count, down, _OUTPUT, across, _OUTPUT, channels)
        tiles = tiles.permute(2, 4, 0, 1, 3, 5).reshape(_OUTPUT**2, -1)
        products = (_matrix(_BACK).T @ tiles).view(_PLACES, -1, channels)
        of_kernels = torch.bmm(products.transpose(1, 2), _transform_tiles(x))
        of_weight = (_matrix(_KERNELS).T @ of_kernels.flatten(1)).view(
            _KERNEL, _KERNEL, *weight.shape[:2]
        )
        of_x = None
        if ctx.needs_input_grad[0]:
            of_tiles = torch.bmm(products, _transform_kernels(weight))
            of_x = _add_up_tiles(_matrix(_TILES).T @ of_tiles.flatten(1), x)
        return of_x, of_weight.permute(2, 3, 0, 1), pixels.sum((0, 1, 2))


def _convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return cast("Tensor", _Convolution.apply(x, weight, bias))  # type: ignore[no-untyped-call]


@functools.cache
def _matrix(rows: tuple[tuple[float, ...], ...]) -> Tensor:
    """What a transform of rows, and then of columns, does to a tile whose pixels are in a row."""
    one = torch.tensor(rows, dtype=torch.float32)
    return torch.kron(one, one)


def _output_shape(x: Tensor, weight: Tensor) -> tuple[int, int, int, int]:
    margin = _KERNEL - 1
    return len(x), len(weight), x.shape[2] - margin, x.shape[3] - margin


def _transform_kernels(weight: Tensor) -> Tensor:
    """(36, K, C)"""
    kernels = weight.permute(2, 3, 0, 1).reshape(_KERNEL**2, -1)
    return (_matrix(_KERNELS) @ kernels).view(_PLACES, *weight.shape[:2])


def _transform_tiles(x: Tensor) -> Tensor:
    """(36, tiles, C)"""
    pixels = x.permute(0, 2, 3, 1).contiguous()
    count, height, width, channels = pixels.shape
    picture, row, column, _ = pixels.stride()
    down, across = height // _OUTPUT, width // _OUTPUT
    tiles = pixels.as_strided(
        (_INPUT, _INPUT, count, down, across, channels),
        (row, column, picture, _OUTPUT * row, _OUTPUT * column, 1),
    )
    return (_matrix(_TILES) @ tiles.reshape(_PLACES, -1)).view(_PLACES, -1, channels)


def _add_up_tiles(tiles: Tensor, x: Tensor) -> Tensor:
    """Tiles of 6×6, each two pixels over the next one, as a picture of the shape of `x`."""
    count, channels, height, width = x.shape
    down, across = height // _OUTPUT, width // _OUTPUT
    tiles = tiles.view(_INPUT, _INPUT, count, down, across, channels)
    tiles = tiles.permute(2, 3, 0, 4, 1, 5)
    whole = x.new_zeros(count, down + 1, _OUTPUT, across + 1, _OUTPUT, channels)
    parts = ((0, slice(0, _OUTPUT)), (1, slice(_OUTPUT, _INPUT)))
    for below, rows in parts:
        for right, columns in parts:
            part = tiles[:, :, rows, :, columns]
            height_of_part, width_of_part = part.shape[2], part.shape[4]
            whole[
                :, below : below + down, :height_of_part, right : right + across, :width_of_part
            ] += part
    pixels = whole.view(count, (down + 1) * _OUTPUT, (across + 1) * _OUTPUT, channels)
    return pixels[:, :height, :width].permute(0, 3, 1, 2)
