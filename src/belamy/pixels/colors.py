"""Colour: brightness apart from hue, matching of statistics, and decorrelation.

Everything works on the values as stored (sRGB, gamma-coded), not on linear light: brightness
differences as stored are about as large as they look, and the peers' "original colours" do it so.
"""

from __future__ import annotations

import torch
from torch import Tensor

from belamy.errors import OptionError

# Rec. 601, as in JPEG, Pillow's "L" and neural-style's -original_colors. Rec. 709 has sRGB's own
# primaries, but its weights belong to linear light; on gamma-coded values both only approximate
# lightness, and 601 is no further off (tests/pixels/test_colors.py measures it).
LUMA = (0.299, 0.587, 0.114)
# Rec. 709, for what asks how light a ground is rather than how a photo's grey should look.
LUMA_709 = (0.2126, 0.7152, 0.0722)

# Square root of the covariance of ImageNet's colours. Source: lucid, optvis/param/color.py.
COLOR_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))

# A spread of one 8-bit level: colour differences below it are rounding, not colour.
FLAT_VARIANCE = (1 / 255) ** 2


def luma(image: Tensor) -> Tensor:
    """Brightness of each pixel: (N,3,H,W) in [0,1] → (N,1,H,W) in [0,1], Rec. 601."""
    weights = image.new_tensor(LUMA).view(1, 3, 1, 1)
    return (image * weights).sum(dim=1, keepdim=True)  # (N,1,H,W)


def keep_colors(original: Tensor, image: Tensor) -> Tensor:
    """The brightness of `image` in the colours of `original`.

    Where the two do not fit together in [0,1] (a strong blue made bright) the colour is made paler
    by one factor for all three channels, so that hue and brightness stay exact. Clipping the
    channels one by one, as the peers do, would turn the hue.

    Args:
        original: (N or 1,3,H,W) in [0,1]: gives the colour.
        image: (N,3,H,W) in [0,1]: gives the brightness.

    Returns:
        (N,3,H,W) in [0,1].

    Raises:
        OptionError: the two pictures differ in size.
    """
    if original.shape[-2:] != image.shape[-2:]:
        actual, target = tuple(original.shape[-2:]), tuple(image.shape[-2:])
        raise OptionError(
            f"colours of {actual} pixels for a picture of {target}; resize them first"
        )
    bright = luma(image).clamp(0, 1)
    chroma = original - luma(original)
    room = torch.where(chroma > 0, 1 - bright, bright)
    tiny = torch.finfo(chroma.dtype).tiny
    paleness = (room / chroma.abs().clamp_min(tiny)).amin(dim=1, keepdim=True).clamp_max(1)
    return (bright + paleness * chroma).clamp(0, 1)


def color_moments(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (3,) and covariance (3,3) of all pixels of (N,3,H,W); in float64, on the CPU."""
    pixels = image.detach().cpu().double().transpose(0, 1).flatten(1)  # (3, N·H·W)
    mean = pixels.mean(dim=1)
    centred = pixels - mean[:, None]
    return mean, centred @ centred.T / pixels.shape[1]


def color_transfer(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The gentlest affine change of colour that gives `source` the moments of `target`.

    Of all maps that carry mean and covariance over, this one moves the pixels least, and being
    symmetric it never swaps hues, which CORAL (whiten, then colour) can do.

    Args:
        source: (N,3,H,W), the colours to change.
        target: (M,3,K,L), any size: the colours to have.

    Returns:
        A matrix (3,3) and an offset (3,), float64, on the CPU: new = matrix · old + offset.

    Source: Pitié & Kokaram, "The linear Monge-Kantorovitch linear colour mapping", 2007, eq. 9.
    Differs: both covariances get `FLAT_VARIANCE` on the diagonal, for pictures of one colour.
    """
    source_mean, source_covariance = color_moments(source)
    target_mean, target_covariance = color_moments(target)
    floor = FLAT_VARIANCE * torch.eye(3, dtype=torch.float64)
    root = _square_root(source_covariance + floor)
    inverse = torch.linalg.inv(root)
    matrix = inverse @ _square_root(root @ (target_covariance + floor) @ root) @ inverse
    return matrix, target_mean - matrix @ source_mean


def _square_root(symmetric: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh((symmetric + symmetric.T) / 2)
    return torch.matmul(vectors * values.clamp_min(0).sqrt(), vectors.T)


def match_colors(image: Tensor, reference: Tensor) -> Tensor:
    """`image` with the mean and covariance of `reference`'s colours.

    Args:
        image: (N,3,H,W) in [0,1].
        reference: (M,3,K,L) in [0,1], any size.

    Returns:
        (N,3,H,W), clamped to [0,1]; clamping alone keeps the moments from being exact.
    """
    matrix, offset = color_transfer(image, reference)
    return (_mix(image, matrix) + offset.to(image).view(1, 3, 1, 1)).clamp(0, 1)


def correlate_colors(image: Tensor) -> Tensor:
    """Independent colour axes → RGB deviations, spread as in photographs. (N,3,H,W), any range.

    An optimiser that moves along these axes treats brightness, blue-yellow and red-green as
    photographs do; straight in RGB it prefers garish colours.

    Source: lucid, optvis/param/color.py (the matrix over its largest column norm).
    """
    return _mix(image, _color_root())


def decorrelate_colors(image: Tensor) -> Tensor:
    """RGB deviations → independent colour axes: the inverse of `correlate_colors`."""
    return _mix(image, torch.linalg.inv(_color_root()))


def _color_root() -> Tensor:
    root = torch.tensor(COLOR_ROOT, dtype=torch.float64)
    return root / root.square().sum(dim=0).max().sqrt()


def _mix(image: Tensor, matrix: Tensor) -> Tensor:
    return torch.einsum("ij,njhw->nihw", matrix.to(image), image)
