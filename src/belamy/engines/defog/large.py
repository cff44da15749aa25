"""Dehazing of pictures that are too large for floats: from 8 bits to 8 bits, in place.

Fog, windows and coefficients are found in small pictures, which are made strip by strip. What is
left looks at one pixel at a time, so that each strip of the result takes the place of its source.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFile
from torch import Tensor

from belamy.engines.defog import look, remove
from belamy.engines.defog.options import DefogOptions
from belamy.engines.defog.remove import Defogger
from belamy.files import printable
from belamy.pixels import decode, srgb
from belamy.pixels.fog.model import Fog
from belamy.pixels.guided import POOL, guided_coefficients, noise_coefficients
from belamy.pixels.images import Source, fit
from belamy.steps import Step

__all__ = ["LARGE", "large_steps"]

LARGE = 24_000_000
"""Pixels from which on a picture is worked on in strips."""

_STRIP = 1 << 18  # pixels of a strip, about
_BAND = 48  # rows of small maps that windows are looked at in


def large_steps(defogger: Defogger, source: Source) -> Iterator[Step]:
    """As `Defogger.steps`; a large picture's last step has the picture as `whole`.

    That is a file in RGB at 8 bits, of `LARGE` pixels or more. All else is left to
    `Defogger.steps`. The result is the same but for rounding: few pixels are a level off.
    """
    options = defogger.options
    simple = defogger.device.type == "cpu" and not (options.keep_sky or options.compare)
    picture = None
    if simple and isinstance(source, (str, os.PathLike)):
        picture = _open_large(source)
    if picture is None:
        yield from defogger.steps(source)
        return
    options = replace(options, image=source, device=str(defogger.device))
    recipes = [defogger.recipe(options, step) for step in (1, 2)]
    rows = _Rows(picture)
    small = rows.resize(fit(*rows.size, remove.ESTIMATION_SIDE), "bicubic").clamp(0, 1)
    fog, level = remove.estimate_small(defogger.method.estimate, small)
    yield Step(1, 2, fog.transmission.expand(-1, 3, -1, -1), {}, None, recipes[0])
    _dehaze_in_place(rows, fog, remove.is_grey(small), options)
    shown = rows.resize(tuple(small.shape[-2:]), "bicubic").clamp(0, 1)
    note = remove.describe_level(level)
    yield Step(2, 2, shown, {}, None, recipes[1], note, whole=picture)


def _open_large(source: str | os.PathLike[str]) -> Image.Image | None:
    """The picture in RGB; None where it is small, or of another kind."""
    with decode.open_picture(source) as picture:
        if picture.width * picture.height < LARGE or not isinstance(picture, ImageFile.ImageFile):
            return None
        return srgb.plain_picture(picture, printable(source))


@dataclass(frozen=True)
class _Rows:
    """A picture in RGB whose rows are read as floats, and written as bytes in their place."""

    picture: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.picture.height, self.picture.width

    def strips(self) -> Iterator[tuple[int, int]]:
        """First row and end of each strip."""
        height, width = self.size
        count = max(1, _STRIP // width)
        return ((first, min(height, first + count)) for first in range(0, height, count))

    def read(self, first: int, end: int) -> Tensor:
        """(1, 3, rows, W) float32 in [0, 1]."""
        strip = np.asarray(self.picture.crop((0, first, self.picture.width, end)))
        planes = torch.from_numpy(np.array(strip.transpose(2, 0, 1), np.float32, order="C"))
        return planes.div_(255)[None]

    def write(self, first: int, image: Tensor) -> None:
        """Put (1, 3, rows, W) in [0, 1] in the place of the rows from `first` on."""
        pixels = (image[0] * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
        self.picture.paste(Image.fromarray(pixels.numpy()), (0, first))

    def resize(self, size: tuple[int, ...], mode: str) -> Tensor:
        """(1, 3, h, w), antialiased: columns first, in strips, then rows."""
        narrow = [
            F.interpolate(
                self.read(*strip), (strip[1] - strip[0], size[1]), mode=mode, antialias=True
            )
            for strip in self.strips()
        ]
        return F.interpolate(torch.cat(narrow, dim=-2), size, mode=mode, antialias=True)

    def mean(self) -> Tensor:
        """(1, 3, 1, 1): of each channel."""
        sums = [self.read(*strip).sum((-2, -1), dtype=torch.float64) for strip in self.strips()]
        height, width = self.size
        return (torch.stack(sums).sum(0) / (height * width)).float()[..., None, None]

    def pool(self, centre: Tensor) -> tuple[Tensor, Tensor]:
        """Means over squares of `POOL` pixels, of what differs from `centre`, and of its squares.

        As by area interpolation: squares overlap where the side is no multiple.
        """
        height, width = self.size
        small = (-(-height // POOL), -(-width // POOL))
        step = max(1, _STRIP // (width * POOL))
        means, squares = (torch.empty(1, 3, *small) for _ in range(2))
        for first in range(0, small[0], step):
            places = torch.arange(first, min(small[0], first + step))
            starts, ends = places * height // small[0], -(-(places + 1) * height // small[0])
            begin = int(starts[0])
            inner = self.read(begin, int(ends[-1])) - centre
            for values, found in ((inner, means), (inner.square(), squares)):
                columns = F.interpolate(values, (values.shape[-2], small[1]), mode="area")
                pooled = _mean_rows(columns, starts - begin, ends - begin)
                found[..., first : first + len(places), :] = pooled
        return means, squares


def _mean_rows(image: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """Means of the rows from each start to its end."""
    longest = int((ends - starts).max())
    total = torch.zeros(*image.shape[:2], len(starts), image.shape[-1])
    for offset in range(longest):
        inside = (starts + offset < ends).float()[:, None]
        total += image.index_select(-2, (starts + offset).clamp_max(image.shape[-2] - 1)) * inside
    return total / (ends - starts).float()[:, None]


def _enlarge_rows(maps: Tensor, size: tuple[int, int], first: int, end: int) -> Tensor:
    """The rows from `first` to `end` of maps enlarged to `size`, by bilinear interpolation."""
    height = maps.shape[-2]
    places = (torch.arange(first, end, dtype=torch.float64) + 0.5) * (height / size[0]) - 0.5
    places = places.clamp(0, height - 1)
    above = places.long()
    part = (places - above).float()[:, None]
    below = (above + 1).clamp_max(height - 1)
    rows = maps.index_select(-2, above) * (1 - part) + maps.index_select(-2, below) * part
    return F.interpolate(rows, (end - first, size[1]), mode="bilinear")


def _dehaze_in_place(rows: _Rows, fog: Fog, grey: bool, options: DefogOptions) -> None:
    """Put the picture without its fog in the place of the picture."""
    guide = rows.resize(tuple(fog.transmission.shape[-2:]), "bilinear")
    gain, offset = guided_coefficients(guide, fog.transmission, remove.RADIUS, look.EPSILON)
    gain, least = gain.flatten(1, 2), float(fog.transmission.min())
    air = fog.air.mean(1, keepdim=True) if grey else fog.air
    centre = rows.mean()
    means, squares = rows.pool(centre)
    kept, added = _noise_maps(means, squares)
    for first, end in rows.strips():
        image = rows.read(first, end)

        def whole(maps: Tensor, first: int = first, end: int = end) -> Tensor:
            return _enlarge_rows(maps, rows.size, first, end)

        refined = (whole(gain) * image).sum(1, keepdim=True) + whole(offset)
        here = Fog(refined.clamp(least, 1), whole(air))
        smooth = whole(kept) * (image - centre) + whole(added) + centre
        rows.write(first, remove.solve_scattering(image, smooth, here, options.strength))


def _noise_maps(means: Tensor, squares: Tensor) -> tuple[Tensor, Tensor]:
    """`noise_coefficients`, by bands of rows; they take the place of what they come from."""
    height = means.shape[-2]
    margin = 2 * round(remove.NOISE_RADIUS / POOL) + 1  # rows that those of a band depend on
    above = [means[..., :0, :], squares[..., :0, :]]  # as they were
    for first in range(0, height, _BAND):
        end = min(height, first + _BAND)
        rows = [
            torch.cat([before, maps[..., first : end + margin, :]], dim=-2)
            for before, maps in zip(above, (means, squares), strict=True)
        ]
        skipped = above[0].shape[-2]
        inside = slice(skipped, skipped + end - first)
        above = [x[..., max(0, inside.stop - margin) : inside.stop, :].clone() for x in rows]
        found = noise_coefficients(rows[0], rows[1], radius=remove.NOISE_RADIUS, noise=remove.NOISE)
        for maps, made in zip((means, squares), found, strict=True):
            maps[..., first:end, :] = made[..., inside, :]
    return means, squares
