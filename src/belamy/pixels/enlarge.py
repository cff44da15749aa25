"""Upscaling by whole factors: Lanczos, line integral smoothing, a shock filter, and brush noise.

Lanczos' filter, held between the pixels that it lies among, so that no halo stands beside an edge;
then the picture is smoothed along its edges, never across, which turns staircases into strokes;
edges are sharpened again; and noise that follows the forms, as bristles do, stands for the
detail that no resampler can know.

Source: the smoothing is a line integral along the structure tensor's direction (Cabral and Leedom
1993; Kyprianidis and Kang 2011, for paintings), the sharpening Osher and Rudin's shock
filter (1990).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import OptionError

__all__ = ["LARGEST", "enlarge"]

LARGEST = 16
"""Times: beyond, even a good resampler shows nothing but its own style."""

_LOBES = 3  # of Lanczos' filter
_SLACK = 0.08  # how far it may leave the pixels that it lies among, of their own contrast
# By eye, in pixels of the small picture:
_TENSOR = 0.65  # standard deviation over which directions are averaged
_ALONG = 1.1  # reach of the smoothing to both sides
_SAMPLES = 4  # of the picture on each side
_SHOCKS = 3  # iterations of the shock filter
_SHOCK = 0.20  # how far each time
_NOISE = 0.009  # standard deviation of the bristles, in [0, 1]
_BRISTLE = 2.2  # their length
_BROAD = 1.6  # what _TENSOR is for them: a brush follows the larger forms
_FLAT = 0.05  # contrast between neighbours below which there is no edge to follow


def enlarge(image: Tensor, factor: int, *, seed: int = 0) -> Tensor:
    """The picture `factor` times as high and as wide.

    Args:
        image: (N, 3, H, W), sRGB in [0, 1].
        factor: 1 to `LARGEST`; 1 changes nothing.
        seed: of the noise.

    Returns:
        (N, 3, factor H, factor W) in [0, 1].

    Raises:
        OptionError: the factor is out of range.
    """
    if not 1 <= factor <= LARGEST:
        raise OptionError(f"upscale is {factor}; it must be from 1 to {LARGEST}")
    if factor == 1:
        return image
    large = _lanczos(image, factor)
    for part in range(2):  # directions are surer on what is smooth already
        direction = _tangents(large, factor, _TENSOR)
        large = _line_integral(large, direction, _ALONG * factor / (1 + part), _SAMPLES)
    large = _shock_filter(large, factor)
    direction = _tangents(large, factor, _BROAD)
    return (large + _NOISE * _brush_noise(large, direction, factor, seed)).clamp(0, 1)


def _lanczos(image: Tensor, factor: int) -> Tensor:
    height, width = image.shape[-2:]
    down, across = (_weights(side, factor).to(image) for side in (height, width))
    large = down @ image @ across.mT  # (N, 3, factor H, factor W)
    low, high = (
        _upsample(sign * F.max_pool2d(sign * image, 3, 1, 1), factor) for sign in (-1.0, 1.0)
    )
    slack = _SLACK * (high - low) * 0.5
    return large.clamp(low - slack, high + slack).clamp(0, 1)


def _upsample(image: Tensor, factor: int) -> Tensor:
    return F.interpolate(image, scale_factor=factor, mode="bilinear", align_corners=False)


def _weights(side: int, factor: int) -> Tensor:
    """(factor × side, side): what each new pixel takes of the old ones; beyond edges, the edge."""
    position = (torch.arange(side * factor) + 0.5) / factor - 0.5
    first = position.floor().long() - _LOBES + 1
    taps = first[:, None] + torch.arange(2 * _LOBES)
    distance = position[:, None] - taps
    kernel = torch.sinc(distance) * torch.sinc(distance / _LOBES)
    kernel = kernel / kernel.sum(1, keepdim=True)
    weights = torch.zeros(side * factor, side)
    return weights.scatter_add_(1, taps.clamp(0, side - 1), kernel)


def _tangents(image: Tensor, factor: int, over: float) -> Tensor:
    """(N, 2, H, W): unit vectors (x, y) along the edges, shorter where there is no direction."""
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    x = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]).mul(0.5)
    y = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]).mul(0.5)
    products = torch.stack([(x * x).sum(1), (x * y).sum(1), (y * y).sum(1)], 1)
    xx, xy, yy = _blur(products, over * factor).unbind(1)
    difference = (xx - yy) / 2
    spread = (difference.square() + xy.square()).sqrt()
    angle = 0.5 * torch.atan2(xy, difference) + math.pi / 2
    sure = spread / ((xx + yy) / 2 + (_FLAT / factor) ** 2)
    return torch.stack([angle.cos(), angle.sin()], 1) * sure[:, None]


def _blur(image: Tensor, deviation: float) -> Tensor:
    reach = max(1, round(3 * deviation))
    x = torch.arange(-reach, reach + 1).to(image) / deviation
    kernel = (-0.5 * x * x).exp()
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1).expand(image.shape[1], 1, 1, -1)
    groups = image.shape[1]
    wide = F.conv2d(F.pad(image, (reach, reach, 0, 0), mode="replicate"), kernel, groups=groups)
    tall = F.pad(wide, (0, 0, reach, reach), mode="replicate")
    return F.conv2d(tall, kernel.mT, groups=groups)


def _line_integral(image: Tensor, direction: Tensor, reach: float, samples: int) -> Tensor:
    """The mean of what is met when one goes `reach` pixels to both sides along `direction`."""
    height, width = image.shape[-2:]
    y = torch.arange(height).to(image)[:, None].expand(height, width)
    x = torch.arange(width).to(image).expand(height, width)
    here = torch.stack([x, y], -1).expand(len(image), -1, -1, -1)  # (N, H, W, 2)
    own = direction.permute(0, 2, 3, 1)
    total, weights = image.clone(), 1.0
    for side in (-1.0, 1.0):
        position, heading = here, own * side
        for index in range(1, samples + 1):
            position = position + heading * (reach / samples)
            weight = math.exp(-2.0 * (index / samples) ** 2)
            total, weights = total + weight * _sample(image, position), weights + weight
            turned = _sample(direction, position).permute(0, 2, 3, 1)
            # a direction has no sign: go on the way one came
            turned = turned * torch.where((turned * heading).sum(-1, keepdim=True) < 0, -1.0, 1.0)
            heading = turned
    return total / weights


def _sample(image: Tensor, position: Tensor) -> Tensor:
    """The image (N, C, H, W) at positions (N, H, W, 2) in pixels."""
    size = torch.tensor([image.shape[-1], image.shape[-2]]).to(image)
    grid = (position + 0.5) / size * 2 - 1
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)


def _shock_filter(image: Tensor, factor: int) -> Tensor:
    """Shock filter: edges steeper, values between those of their neighbours."""
    step = max(1, factor // 2)
    size = 2 * step + 1
    for _ in range(_SHOCKS):
        soft = _blur(image, 0.45 * factor)
        high = F.max_pool2d(image, size, 1, step)
        low = -F.max_pool2d(-image, size, 1, step)
        bend = (image - soft) / (0.05 + (high - low))  # above what surrounds it: to the high side
        image = image + _SHOCK * torch.tanh(6 * bend) * torch.where(
            bend > 0, high - image, image - low
        )
    return image


def _brush_noise(image: Tensor, direction: Tensor, factor: int, seed: int) -> Tensor:
    """(N, 1, H, W), mean 0 and deviation 1: noise drawn out along the forms."""
    noise = torch.randn((1, 1, *image.shape[-2:]), generator=make_rng(seed, "bristles"))
    noise = noise.to(image).expand(len(image), -1, -1, -1)
    # where there is no edge to follow, strokes go slightly upwards, as a right hand's do
    own = direction + (1 - direction.norm(dim=1, keepdim=True)) * torch.tensor([0.9, -0.42]).to(
        direction
    ).view(1, 2, 1, 1)
    strokes = _line_integral(_blur(noise, 0.14 * factor), own, _BRISTLE * factor, 2 * _SAMPLES)
    strokes = strokes - strokes.mean(dim=(2, 3), keepdim=True)
    return strokes / strokes.std(dim=(2, 3), keepdim=True).clamp_min(1e-6)
