"""Box filter and guided filter: edge-preserving smoothing, linear in the number of pixels.

Source: He, Sun and Tang 2010, "Guided image filtering"; He and Sun 2015, "Fast guided filter". A
filtered map is, in each window, a linear function of the guide's colours, so that it has edges
where the guide has them and is smooth elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import OptionError

__all__ = [
    "POOL",
    "box_filter",
    "denoise",
    "guided_coefficients",
    "guided_filter",
    "guided_upsample",
    "noise_coefficients",
]

POOL = 4  # pixels of a side, of which `denoise` takes sums before it looks at windows


def box_filter(image: Tensor, radius: int) -> Tensor:
    """Box filter: the mean over the square of side 2·radius + 1, cut off at the borders.

    By running sums, so that the time does not depend on the radius.

    Args:
        image: (N, C, H, W).
        radius: in pixels, 0 or more.

    Raises:
        OptionError: a negative radius.
    """
    if radius < 0:
        raise OptionError(f"radius is {radius}; it must be 0 or more pixels")
    # Sums over whole rows lose digits; Apple's cards have no wider numbers than these.
    wide = torch.float32 if image.device.type == "mps" else torch.float64
    means = image
    for axis in (-1, -2):
        means = _means(means.to(wide), radius, axis).to(image.dtype)
    return means


def _means(x: Tensor, radius: int, axis: int) -> Tensor:
    length = x.shape[axis]
    positions = torch.arange(length, device=x.device)
    first, end = (positions - radius).clamp_min(0), (positions + radius + 1).clamp_max(length)
    sums = torch.cat([torch.zeros_like(x.narrow(axis, 0, 1)), x.cumsum(axis)], dim=axis)
    shape = (length, 1) if axis == -2 else (length,)
    counts = (end - first).to(x.dtype).view(shape)
    return (sums.index_select(axis, end) - sums.index_select(axis, first)) / counts


def guided_filter(
    guide: Tensor, target: Tensor, *, radius: int, epsilon: float, subsample: int = 1
) -> Tensor:
    """Guided filter: `target`, smoothed but for the edges of `guide`.

    Args:
        guide: (N, 1, H, W) or (N, 3, H, W) in [0, 1]; three channels also keep edges between
            colours that are as bright as each other.
        target: (N, C, H, W), what is filtered.
        radius: of the windows, in pixels of `guide`.
        epsilon: the variance of the guide from which on an edge counts as one, above 0.
        subsample: windows are looked at in pictures smaller by this factor, which is about its
            square times as fast and differs little as long as `radius` stays several times it.

    Returns:
        (N, C, H, W); may overshoot the range of `target` a little at edges.

    Raises:
        OptionError: an argument out of its range, or sizes that differ.
    """
    if guide.shape[-2:] != target.shape[-2:]:
        raise OptionError(f"the guide is {_size(guide)}, what is filtered {_size(target)}")
    if subsample < 1:
        raise OptionError(f"subsample is {subsample}; it must be 1 or more")
    if subsample > 1:
        height, width = (-(-length // subsample) for length in guide.shape[-2:])
        small = _downsample(target, (height, width))
        return guided_upsample(
            guide, small, radius=max(1, round(radius / subsample)), epsilon=epsilon
        )
    gain, offset = guided_coefficients(guide, target, radius, epsilon)
    return _apply_coefficients(guide, gain, offset)


def guided_upsample(guide: Tensor, target: Tensor, *, radius: int, epsilon: float) -> Tensor:
    """Guided upsampling: a small map at the size of a large guide, with the guide's edges.

    Args:
        guide: (N, 1, H, W) or (N, 3, H, W) in [0, 1].
        target: (N, C, h, w), no larger than the guide.
        radius: of the windows, in pixels of `target`.
        epsilon: as in `guided_filter`.

    Returns:
        (N, C, H, W).

    Raises:
        OptionError: an argument out of its range, or a target larger than the guide.
    """
    if any(own > its for own, its in zip(target.shape[-2:], guide.shape[-2:], strict=True)):
        raise OptionError(f"the guide is {_size(guide)}, smaller than the map of {_size(target)}")
    small = _downsample(guide, (target.shape[-2], target.shape[-1]))
    gain, offset = guided_coefficients(small, target, radius, epsilon)
    size = guide.shape[-2:]
    gain = _by_pairs(lambda x: F.interpolate(x, size, mode="bilinear"), gain)
    return _apply_coefficients(guide, gain, F.interpolate(offset, size, mode="bilinear"))


def denoise(image: Tensor, *, radius: int, noise: float) -> Tensor:
    """Self-guided denoising: smooth where the image differs by no more than `noise`.

    A guided filter whose guide is each channel itself. Windows are looked at in a quarter of the
    size, but their variances are those of all pixels, so that fine texture is no noise.

    Args:
        image: (N, C, H, W) in [0, 1].
        radius: of the windows, in pixels.
        noise: deviation, in [0, 1], up to which differences are noise.
    """
    size = image.shape[-2:]
    small = tuple(-(-length // POOL) for length in size)
    centre = image.mean(dim=(-2, -1), keepdim=True)  # squares keep more digits around it
    inner = image - centre
    mean, squares = (F.interpolate(x, small, mode="area") for x in (inner, inner.square()))
    gain, offset = (
        F.interpolate(x, size, mode="bilinear")
        for x in noise_coefficients(mean, squares, radius=radius, noise=noise)
    )
    return gain * inner + offset + centre


def noise_coefficients(
    mean: Tensor, squares: Tensor, *, radius: int, noise: float
) -> tuple[Tensor, Tensor]:
    """What `denoise` multiplies an image by, less its mean, and what it adds; before both are
    enlarged.

    Args:
        mean: (N, C, h, w): of the image less its mean, over squares of `POOL` pixels.
        squares: the same of its squares.
        radius: as in `denoise`.
        noise: as in `denoise`.
    """
    reach = max(1, round(radius / POOL))
    mean, squares = box_filter(mean, reach), box_filter(squares, reach)
    variance = (squares - mean.square()).clamp_min(0)
    # Of neighbouring windows the one that sees an edge decides, lest edges are made softer.
    gain = F.max_pool2d(variance / (variance + noise**2), 3, stride=1, padding=1)
    offset = box_filter((1 - gain) * mean, reach)
    return box_filter(gain, reach), offset


def _size(image: Tensor) -> str:
    return f"{image.shape[-1]}×{image.shape[-2]}"


def _downsample(image: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(image.shape[-2:]) == size:
        return image
    return F.interpolate(image, size, mode="bilinear", antialias=True)


def _apply_coefficients(guide: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """Σ gain·guide + offset: (N, G, H, W), (N, G, C, H, W), (N, C, H, W) → (N, C, H, W)."""
    out = offset.clone()
    for channel in range(guide.shape[1]):  # one at a time: the product of all would be large
        out.addcmul_(gain[:, channel], guide[:, channel, None])
    return out


def guided_coefficients(
    guide: Tensor, target: Tensor, radius: int, epsilon: float
) -> tuple[Tensor, Tensor]:
    """Gains (N, G, C, H, W) and offsets (N, C, H, W), means over the windows that see a pixel."""
    if epsilon <= 0:
        raise OptionError(f"epsilon is {epsilon:g}; it must be above 0")
    solve = _SOLVERS.get(guide.shape[1])
    if solve is None:
        raise OptionError(f"a guide of {guide.shape[1]} channels; it must have 1 or 3")
    centre = guide.mean(dim=(-2, -1), keepdim=True)  # variances keep more digits around it
    inner = guide - centre
    mean_guide, mean_target = box_filter(inner, radius), box_filter(target, radius)
    product = inner[:, :, None] * target[:, None]  # (N, G, C, H, W)
    covariance = _by_pairs(lambda x: box_filter(x, radius), product)
    covariance = covariance - mean_guide[:, :, None] * mean_target[:, None]
    gain = solve(_variances(inner, mean_guide, radius, epsilon), covariance)
    offset = mean_target - (gain * mean_guide[:, :, None]).sum(1)
    gain = _by_pairs(lambda x: box_filter(x, radius), gain)
    return gain, box_filter(offset, radius) - (gain * centre[:, :, None]).sum(1)


def _by_pairs(work: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """What takes (N, C, H, W), on each map of (N, G, C, H, W)."""
    result = work(x.flatten(1, 2))
    return result.reshape(*x.shape[:3], *result.shape[-2:])


def _variances(guide: Tensor, means: Tensor, radius: int, epsilon: float) -> dict[str, Tensor]:
    """Pairs of channels, "01" → their covariance (N, 1, H, W), with `epsilon` on the diagonal."""
    covariances = {}
    for i in range(guide.shape[1]):
        for j in range(i, guide.shape[1]):
            a, b = guide[:, i : i + 1], guide[:, j : j + 1]
            own = means[:, i : i + 1] * means[:, j : j + 1]
            covariances[f"{i}{j}"] = box_filter(a * b, radius) - own + (epsilon if i == j else 0.0)
    return covariances


def _solve_grey(variances: dict[str, Tensor], covariance: Tensor) -> Tensor:
    return covariance / variances["00"][:, None]


def _solve_colour(variances: dict[str, Tensor], covariance: Tensor) -> Tensor:
    """(Σ + εI)⁻¹·covariance at each pixel, the inverse of a symmetric 3×3 matrix written out."""
    rr, rg, rb = variances["00"], variances["01"], variances["02"]
    gg, gb, bb = variances["11"], variances["12"], variances["22"]
    # cofactors
    c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = rr * c00 + rg * c01 + rb * c02
    r, g, b = covariance.unbind(1)  # (N, C, H, W) each
    rows = (
        c00 * r + c01 * g + c02 * b,
        c01 * r + c11 * g + c12 * b,
        c02 * r + c12 * g + c22 * b,
    )
    return torch.stack(rows, dim=1) / determinant[:, None]


_SOLVERS = {1: _solve_grey, 3: _solve_colour}
