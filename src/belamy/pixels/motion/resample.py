"""Moving a whole picture a little, a thousand times over, without wearing it out.

A journey resamples each frame from the one before. Bilinear interpolation has lost every wave of up
to 8 pixels after a hundred small shifts, and the cubic kernels of OpenCV and torch let them grow
without bound. Here a rotation is three shears, each of which shifts rows by a factor of the Fourier
transform (exactly, Unser et al. 1995), and zoom and shift are one windowed sinc for each axis.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from belamy.pixels.pyramid import gaussian_blur

__all__ = ["move", "rotate", "zoom_and_shift"]

TAPS = 16  # of the windowed sinc
BETA = 8.0  # of its Kaiser window
_QUARTER = 90.0
_BORDER = 10.0  # pixels that are calmed at the border
_BORDER_SIGMA = 1.2


def move(
    image: Tensor, *, zoom: float = 1.0, degrees: float = 0.0, shift: tuple[float, float] = (0, 0)
) -> Tensor:
    """The picture turned about its middle, then zoomed, then shifted; its borders are mirrored.

    Args:
        image: (N, C, H, W); not clamped afterwards, since it overshoots a little at edges.
        zoom: over 1 comes nearer.
        degrees: clockwise, as the picture is seen.
        shift: pixels to the right and downwards.
    """
    if (zoom, degrees, *shift) == (1, 0, 0, 0):
        return image
    turned = image if degrees == 0 else rotate(image, degrees)
    return _calm_border(zoom_and_shift(turned, zoom, shift))


def _calm_border(image: Tensor) -> Tensor:
    """The outermost pixels a little smoother.

    There a mirror feeds back what leaves the picture, and the finest waves would grow without end.
    """
    distance = [
        torch.minimum(torch.arange(side), side - 1 - torch.arange(side)).to(image)
        for side in image.shape[-2:]
    ]
    near = torch.minimum(distance[0][:, None], distance[1])
    amount = (1 - near / _BORDER).clamp_min(0)
    return image + amount * (gaussian_blur(image, _BORDER_SIGMA, "replicate") - image)


def zoom_and_shift(image: Tensor, zoom: float, shift: tuple[float, float]) -> Tensor:
    """The picture larger by `zoom` about its middle, then moved by `shift` (right, down)."""
    height, width = image.shape[-2:]
    rows = _sinc_matrix(height, zoom, shift[1]).to(image)
    columns = _sinc_matrix(width, zoom, shift[0]).to(image)
    return rows @ image @ columns.T


def rotate(image: Tensor, degrees: float) -> Tensor:
    """The picture turned clockwise about its middle, at its own size."""
    quarters = round(degrees / _QUARTER)
    angle = math.radians(degrees - quarters * _QUARTER)
    height, width = image.shape[-2:]
    if quarters % 2 and height != width:  # a quarter turn needs a square
        side = max(height, width)
        turned = rotate(_mirror(image, side - height, side - width), degrees)
        return _middle(turned, height, width)
    if angle == 0:
        return torch.rot90(image, -quarters, (-2, -1))
    # what a shear brings in, and wraps around, lies in the frame that is cut off again
    frame = 2 * math.ceil(math.tan(abs(angle) / 2) * max(height, width)) + TAPS
    wide = _mirror(torch.rot90(image, -quarters, (-2, -1)), frame, frame)
    along, across = -math.tan(angle / 2), math.sin(angle)
    for shear, axis in ((along, -1), (across, -2), (along, -1)):
        wide = _shift_lines(wide, shear, axis)
    return _middle(wide, height, width)


def _shift_lines(image: Tensor, shear: float, axis: int) -> Tensor:
    """Each line along `axis` shifted by `shear` times its distance from the middle one."""
    length, lines = image.shape[axis], image.shape[-3 - axis]
    distance = torch.arange(lines, dtype=torch.float64) - (lines - 1) / 2
    frequency = torch.fft.rfftfreq(length, dtype=torch.float64)
    phase = -2 * math.pi * shear * torch.outer(distance, frequency)
    if axis == -2:
        phase = phase.T
    factor = torch.polar(torch.ones_like(phase), phase).to(image.device, torch.complex64)
    shifted: Tensor = torch.fft.irfft(torch.fft.rfft(image, dim=axis) * factor, length, dim=axis)
    return shifted


def _mirror(image: Tensor, rows: int, columns: int) -> Tensor:
    """The picture with so many more rows and columns, half of them on either side, mirrored."""
    for axis, more in ((-2, rows), (-1, columns)):
        own = image.shape[axis]
        positions = torch.arange(own + more, device=image.device) - more // 2
        image = image.index_select(axis, _fold(positions, own))
    return image


def _fold(positions: Tensor, length: int) -> Tensor:
    """Positions beyond the ends, as in mirrors that stand on the border between two pixels."""
    back = positions.remainder(2 * length)
    return torch.minimum(back, 2 * length - 1 - back)


def _middle(image: Tensor, height: int, width: int) -> Tensor:
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    return image[..., top : top + height, left : left + width]


@lru_cache(maxsize=8)
def _sinc_matrix(length: int, zoom: float, shift: float) -> Tensor:
    """(length, length) float32: new pixels out of old ones, along one axis."""
    middle = (length - 1) / 2
    source = (torch.arange(length, dtype=torch.float64) - middle - shift) / zoom + middle
    wider = max(1.0, 1 / zoom)  # a picture that becomes smaller is smoothed first
    reach = math.ceil(TAPS / 2 * wider)
    first = source.floor().long() - reach + 1
    taps = first[:, None] + torch.arange(2 * reach)
    distance = (taps - source[:, None]) / wider
    inside = (1 - (distance / (TAPS / 2)) ** 2).clamp_min(0)
    weights = torch.sinc(distance) * torch.special.i0(BETA * inside.sqrt())
    weights[distance.abs() > TAPS / 2] = 0
    weights /= weights.sum(1, keepdim=True)
    matrix = torch.zeros(length, length, dtype=torch.float64)
    matrix.scatter_add_(1, _fold(taps, length), weights)
    return matrix.float()
