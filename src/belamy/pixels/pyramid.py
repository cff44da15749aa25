"""Octave schedules, Gaussian blur and the Laplacian pyramid.

The schedules are pure functions of numbers; the filters are pure functions of a tensor (N,C,H,W)
of any size down to one pixel.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import OptionError

Size = tuple[int, int]  # height, width

# Burt & Adelson's kernel (1983): the smallest that blurs enough to drop every other pixel.
BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
# The same kernel, doubled, as it falls on pixels twice as far apart.
EVEN, BETWEEN = (1 / 8, 6 / 8, 1 / 8), (1 / 2, 1 / 2)
# A band weaker than this part of the whole is rounding; levelling must not blow it up. By eye.
FAINTEST_BAND = 1e-4
# Rows that are filtered at a time: a large picture's own rows, and few more. By trial.
_BAND = 128
# Beyond three standard deviations lies 0.3 % of a Gaussian.
KERNEL_REACH = 3


def octave_sizes(
    height: int, width: int, octaves: int, scale: float = 1.4, smallest: int = 32
) -> tuple[list[Size], int]:
    """The sizes at which a dream is dreamt, smallest first, the last exactly the picture's own.

    Args:
        height, width: the full size, in pixels.
        octaves: how many sizes are wanted, at least 1.
        scale: factor from one size to the next, over 1; 1.4 as in Google's notebook.
        smallest: octaves whose short side falls below it are skipped, in pixels: there a network
            sees little but its own padding. The full size is never skipped.

    Returns:
        The sizes, and how many octaves were skipped.

    Raises:
        OptionError: a number out of its range.
    """
    _check_schedule(height, width, scale, smallest)
    if octaves < 1:
        raise OptionError(f"octaves is {octaves}; it must be at least 1")
    all_sizes = [_shrink(height, width, scale**power) for power in range(octaves)]
    sizes = [size for power, size in enumerate(all_sizes) if power == 0 or min(size) >= smallest]
    return sizes[::-1], octaves - len(sizes)


def scale_sizes(
    height: int, width: int, smallest: int = 128, scale: float = math.sqrt(2)
) -> list[Size]:
    """Every size of the picture whose long side is at least `smallest`, smallest first.

    Args:
        height, width: the full size, in pixels; always the last entry, exactly.
        smallest: shortest long side, in pixels; 128 as in Crowson's style transfer.
        scale: factor from one size to the next, over 1; √2 doubles the number of pixels.

    Raises:
        OptionError: a number out of its range.
    """
    _check_schedule(height, width, scale, smallest)
    sizes, factor = [(height, width)], scale
    while max(height, width) / factor >= smallest - 0.5:  # what rounds to `smallest` counts
        size = _shrink(height, width, factor)
        if size != sizes[-1]:
            sizes.append(size)
        factor *= scale
    return sizes[::-1]


def _check_schedule(height: int, width: int, scale: float, smallest: int) -> None:
    if min(height, width) < 1:
        raise OptionError(f"a picture of {height} x {width} pixels is empty; give at least 1 x 1")
    if not 1 < scale < math.inf:
        raise OptionError(f"scale is {scale}; it must be over 1, for instance 1.4")
    if smallest < 1:
        raise OptionError(f"smallest is {smallest}; it must be at least 1 pixel")


def _shrink(height: int, width: int, factor: float) -> Size:
    return max(1, round(height / factor)), max(1, round(width / factor))


def pad(image: Tensor, left: int, right: int, top: int, bottom: int, mode: str) -> Tensor:
    """(N,C,H,W) with a border continued by `reflect` or `replicate`, however wide.

    torch refuses to reflect further than the picture is wide; here the mirror images go on.
    """
    height, width = image.shape[-2:]
    fits = max(left, right) < width and max(top, bottom) < height
    if fits or mode != "reflect":
        return F.pad(image, (left, right, top, bottom), mode=mode)
    rows = _mirror(height, top, bottom, image.device)
    columns = _mirror(width, left, right, image.device)
    return image[..., rows[:, None], columns]


def _mirror(size: int, before: int, after: int, device: torch.device) -> Tensor:
    period = max(2 * (size - 1), 1)
    position = torch.arange(-before, size + after, device=device) % period
    return torch.minimum(position, period - position)


def gaussian_blur(image: Tensor, sigma: float, padding: str = "reflect") -> Tensor:
    """Blur (N,C,H,W) with a Gaussian of `sigma` pixels; 0 changes nothing.

    Args:
        padding: what lies outside, `reflect` or `replicate`; both keep a flat picture flat.

    Raises:
        OptionError: sigma is negative or not a number.
    """
    kernel = _bell(sigma)
    reach = len(kernel) // 2
    if reach == 0:
        return image
    return _filter(pad(image, reach, reach, reach, reach, padding), kernel)


def _bell(sigma: float) -> list[float]:
    """A Gaussian's weights, as many on both sides; that of 0 is one weight of 1."""
    if not 0 <= sigma < math.inf:
        raise OptionError(f"sigma is {sigma}; it must be 0 pixels or more")
    reach = math.ceil(KERNEL_REACH * sigma)
    if reach == 0:
        return [1.0]
    bell = [math.exp(-0.5 * (index / sigma) ** 2) for index in range(-reach, reach + 1)]
    return [weight / sum(bell) for weight in bell]


def _filter(image: Tensor, kernel: Sequence[float], stride: int = 1) -> Tensor:
    """Rows, then columns, with one kernel for every channel and no padding."""
    for axis in (-1, -2):
        image = _slide(image, kernel, axis, stride)
    return image  # (N,C,H',W')


def _slide(image: Tensor, kernel: Sequence[float], axis: int, stride: int) -> Tensor:
    """A sum of shifted views: on CPUs 5 to 20 times as fast as torch's one-channel convolution."""
    windows = image.unfold(axis, len(kernel), stride)  # (N,C,H',W',K), a view
    result = kernel[0] * windows[..., 0]
    for index, weight in enumerate(kernel[1:], start=1):
        result.add_(windows[..., index], alpha=weight)
    return result


def _bands(channel: Tensor, reach: int) -> Iterator[tuple[slice, Tensor]]:
    """A channel (1,1,H,W) from the top to the bottom: rows, and these with a border of `reach`.

    What has been given may be written over. Every filtered place gets the numbers that it gets in
    the whole, since it is the same sum; but a band's copies are small where a picture's are not.
    """
    height, length = channel.shape[-2], 2 * max(_BAND // 2, reach)
    above = channel[..., :0, :]
    for start in range(0, height, length):
        stop = min(start + length, height)
        rows = torch.cat([above, channel[..., start : min(height, stop + reach), :]], dim=-2)
        above = channel[..., max(0, stop - reach) : stop, :].clone()
        top, bottom = max(0, reach - start), max(0, stop + reach - height)
        yield slice(start, stop), pad(rows, reach, reach, top, bottom, "reflect")


def _halve(channel: Tensor) -> Tensor:
    """(1,1,H,W) → (1,1,⌈H/2⌉,⌈W/2⌉)."""
    reach = len(BINOMIAL) // 2
    bands = [_filter(band, BINOMIAL, stride=2) for _, band in _bands(channel, reach)]
    return torch.cat(bands, dim=-2)


def _double_bands(small: Tensor, size: Size) -> Iterator[tuple[slice, Tensor]]:
    """A channel (1,1,h,w) twice as large: rows, and what is there, from the top to the bottom.

    The small picture's pixels stand at the even places; the binomial fills in the others.
    """
    padded = pad(small, 1, 1, 1, 1, "replicate")
    for start in range(0, small.shape[-2], _BAND):
        image = padded[..., start : start + _BAND + 2, :]
        for axis in (-1, -2):
            even = _slide(image, EVEN, axis, stride=1)
            between = _slide(image, BETWEEN, axis, stride=1).narrow(axis, 1, even.shape[axis])
            image = torch.stack((even, between), dim=axis).flatten(axis - 1, axis)  # interleaved
        rows = slice(2 * start, min(2 * start + image.shape[-2], size[0]))
        yield rows, image[..., : rows.stop - rows.start, : size[1]]


def laplacian_split(image: Tensor, levels: int) -> list[Tensor]:
    """Bands of detail from the finest on, and what is left, half as large at each level.

    Args:
        image: (N,C,H,W).
        levels: how many bands to take off; the list is one longer.

    Source: Burt & Adelson, "The Laplacian pyramid as a compact image code", 1983.
    """
    return _split_in_place(image.clone(), levels)


def _split_in_place(image: Tensor, levels: int) -> list[Tensor]:
    """As `laplacian_split`; the finest band takes the place of the picture, which can be large."""
    bands = []
    for _ in range(levels):
        low = torch.cat([_halve(channel) for channel in torch.split(image, 1, dim=1)], dim=1)
        for channel, small in _channels(image, low):
            for rows, smooth in _double_bands(small, _size(channel)):
                channel[..., rows, :].sub_(smooth)
        bands.append(image)
        image = low
    return [*bands, image]


def laplacian_merge(bands: list[Tensor]) -> Tensor:
    """The picture that `laplacian_split` took apart, exact up to rounding."""
    *details, image = bands
    return _merge_in_place([*(detail.clone() for detail in details), image])


def _merge_in_place(bands: list[Tensor]) -> Tensor:
    """As `laplacian_merge`, in the place of the finest band."""
    *details, image = bands
    for detail in reversed(details):
        for channel, small in _channels(detail, image):
            for rows, smooth in _double_bands(small, _size(channel)):
                channel[..., rows, :].add_(smooth)
        image = detail
    return image


def _channels(*images: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """One at a time, since pictures can be large."""
    return zip(*(torch.split(image, 1, dim=1) for image in images), strict=True)


def _size(image: Tensor) -> Size:
    return image.shape[-2], image.shape[-1]


def laplacian_smooth(gradient: Tensor, levels: int = 4, *, own: bool = False) -> Tensor:
    """A gradient (N,C,H,W) whose bands all have the same strength (root mean square 1).

    A network's gradient is mostly high frequency, which draws noise; levelled bands draw shapes of
    every size. Each picture of the batch is levelled by itself.

    Args:
        levels: bands to level besides the rest; 4 as in Google's notebook.
        own: whether the gradient may be written over; pictures can be large.

    Source: google/deepdream and TensorFlow's DeepDream tutorial, `lap_normalize`.
    """
    floor = FAINTEST_BAND * _strength(gradient)
    bands = _split_in_place(gradient if own else gradient.clone(), levels)
    tiny = torch.finfo(gradient.dtype).tiny
    for band in bands:
        band.div_(_strength(band).maximum(floor).clamp_min(tiny))
    return _merge_in_place(bands)


def _strength(image: Tensor) -> Tensor:
    return image.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()  # (N,1,1,1)


def gaussian_smooth(gradient: Tensor, sigma: float, *, own: bool = False) -> Tensor:
    """The mean of a gradient (N,C,H,W) blurred by half of sigma, sigma and twice sigma (pixels).

    Three widths together keep edges that one blur of the same strength would lose.

    Args:
        own: whether the gradient may be written over; pictures can be large.

    Source: gordicaleksa/pytorch-deepdream, `CascadeGaussianSmoothing`.
    """
    smooth = gradient if own else torch.empty_like(gradient)
    kernels = [_bell(factor * sigma) for factor in (0.5, 1, 2)]
    reach = len(kernels[-1]) // 2
    for channel, out in _channels(gradient, smooth):
        for rows, band in _bands(channel, reach):
            blurred = (_filter(_inside(band, reach - len(one) // 2), one) for one in kernels)
            out[..., rows, :] = functools.reduce(Tensor.add_, blurred).div_(len(kernels))
    return smooth


def _inside(image: Tensor, border: int) -> Tensor:
    return image[..., border : image.shape[-2] - border, border : image.shape[-1] - border]
