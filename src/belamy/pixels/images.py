"""Files, Pillow pictures and arrays ⇄ the one image format inside belamy.

An image is a float32 tensor (N, 3, H, W) in sRGB with values in [0, 1]. Everything is turned into
it at an engine's first line and out of it at the last.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import DTypeLike, NDArray
from PIL import Image, ImageColor
from torch import Tensor

from belamy import files
from belamy.errors import BelamyError, ImageError, OptionError
from belamy.files import printable
from belamy.pixels import decode, encode, srgb
from belamy.pixels.contact_sheet import arrange
from belamy.pixels.decode import FORMATS, MAX_MEGAPIXELS
from belamy.pixels.display import notebook
from belamy.pixels.display.pillow import to_pil, to_png
from belamy.pixels.encode import QUALITY, SUFFIXES, format_for
from belamy.pixels.recipe import Input, Recipe

__all__ = [
    "FORMATS",
    "MAX_MEGAPIXELS",
    "QUALITY",
    "SUFFIXES",
    "Picture",
    "Source",
    "compose",
    "contact_sheet",
    "fit",
    "format_for",
    "from_pil",
    "input_of",
    "load_image",
    "load_picture",
    "resize",
    "save_image",
    "save_pil",
    "to_pil",
]

Array: TypeAlias = "NDArray[np.generic]"
Source: TypeAlias = "str | os.PathLike[str] | Image.Image | Array | Tensor | Picture"

# Rounding in other people's code leaves floats a little outside of [0, 1].
_SLACK = 1e-3
# The largest value of each type of number that a picture may come in.
_WHITE = {"bool": 1.0, "uint8": 255.0, "uint16": 65535.0} | dict.fromkeys(
    ("float16", "bfloat16", "float32", "float64"), 1.0
)
_ARRAY_SHAPES = "(H, W), (H, W, 3) or (H, W, 4)"
_TENSOR_SHAPES = "(1, C, H, W) or (C, H, W) with C = 1, 3 or 4"


@dataclass(frozen=True)
class Picture:
    """An image and its transparency.

    Args:
        image: (1, 3, H, W), sRGB, in [0, 1]; not multiplied by alpha.
        alpha: (1, 1, H, W) in [0, 1]; None where nothing is transparent.
        recipe: how it was made, if belamy made it.
    """

    image: Tensor
    alpha: Tensor | None = None
    recipe: Recipe | None = None

    def save(self, path: str | os.PathLike[str], *, quality: int = QUALITY) -> None:
        """Save it with its transparency and its recipe: see `save_image`."""
        save_image(self.image, path, alpha=self.alpha, recipe=self.recipe, quality=quality)

    @property
    def pil(self) -> Image.Image:
        """A Pillow picture, RGB or RGBA, of 8 bits: see `to_pil`."""
        return to_pil(self.image, self.alpha)

    def show(self) -> None:
        """Show it: in a Jupyter notebook below the cell, elsewhere in the system's viewer."""
        if notebook.is_running():
            notebook.display(self)
        else:
            self.pil.show()

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        """(H, W, 3), or (H, W, 4) where it is transparent, uint8, for `numpy.asarray(picture)`.

        Raises:
            ValueError: `copy` is False, but the pixels are floats and have to be converted.
        """
        if copy is False:
            raise ValueError("a Picture's pixels have to be copied: leave out copy=False")
        return np.array(self.pil, dtype=dtype)

    def __repr__(self) -> str:
        size = f"{self.image.shape[-1]} × {self.image.shape[-2]}"
        notes = [size] if self.alpha is None else [size, "transparent"]
        if self.recipe is not None:
            notes = [self.recipe.engine, *notes, f"seed {self.recipe.seed}"]
        return f"Picture({', '.join(notes)})"

    def _repr_png_(self) -> bytes:
        """What Jupyter shows."""
        return to_png(self.pil)


def load_picture(source: Source, *, max_megapixels: float = MAX_MEGAPIXELS) -> Picture:
    """Read a picture and carry its transparency.

    Args:
        source: a path to one of `FORMATS`; a `Picture`, such as another engine has made; a Pillow
            picture; a numpy array (H, W), (H, W, 3) or (H, W, 4); or a tensor (1, C, H, W) or
            (C, H, W) with C = 1, 3 or 4. Arrays and tensors hold uint8, uint16, bool, or floats
            in [0, 1].
        max_megapixels: the largest width × height, in millions; a file beyond it is refused
            before it is decoded.

    Returns:
        The first frame, upright, in sRGB, at the depth of the file; transparency at 8 bits. A
        `PictureWarning` says where there are more frames. docs/formats.md tells what is read.

    Raises:
        ImageError: it cannot be read; the message names the file and the cause.
        OptionError: `max_megapixels` is not positive.
    """
    if isinstance(source, (str, os.PathLike)):
        with decode.open_picture(source, max_megapixels=max_megapixels) as picture:
            decoded = srgb.to_srgb(picture, printable(source))
        return _picture(*decoded)
    decode.check_limit(max_megapixels)
    if isinstance(source, Image.Image):
        decode.check_pixels("the picture", *source.size, max_megapixels)
        return from_pil(source)
    if isinstance(source, Picture):
        parts = [source.image] if source.alpha is None else [source.image, source.alpha]
        source = torch.cat(parts, 1)
    if not isinstance(source, (np.ndarray, Tensor)):
        raise ImageError(f"a {type(source).__name__} is not a path, picture, array or tensor")
    channels = _channels(source)
    decode.check_pixels("the array", channels.shape[-1], channels.shape[-2], max_megapixels)
    return _split(channels)


def load_image(
    source: Source, *, background: str = "white", max_megapixels: float = MAX_MEGAPIXELS
) -> Tensor:
    """Read a picture, composed on a colour where it is transparent.

    Args:
        source: as in `load_picture`.
        background: a colour's name or `#rrggbb`. White, as paper and most programs have it.
        max_megapixels: as in `load_picture`.

    Returns:
        (1, 3, H, W) float32, sRGB, in [0, 1], on the CPU.

    Raises:
        ImageError: it cannot be read; the message names the file and the cause.
        OptionError: `background` is not a colour, or `max_megapixels` not positive.
    """
    return compose(load_picture(source, max_megapixels=max_megapixels), background)


def input_of(role: str, source: Source) -> Input:
    """What a recipe says of a picture that went into another.

    One that was given as an array has no path; it is identified by the SHA-256 of its values.

    Raises:
        ImageError, BelamyError: it cannot be read.
    """
    if isinstance(source, (str, os.PathLike)):
        return Input.of(role, source)
    return Input(role, "", hashlib.sha256(load_image(source).numpy().tobytes()).hexdigest())


def compose(picture: Picture, background: str = "white") -> Tensor:
    """The picture's image (1, 3, H, W), composed on a colour where it is transparent.

    Raises:
        OptionError: `background` is not a colour.
    """
    colour = _colour(background)
    if picture.alpha is None:
        return picture.image
    return picture.image * picture.alpha + colour * (1 - picture.alpha)


def from_pil(picture: Image.Image) -> Picture:
    """A Pillow picture of any mode, as `load_picture` would read it from a file.

    Raises:
        ImageError: it cannot be decoded.
    """
    head = b"II" if picture.format == "TIFF" else b""
    with decode.translate_errors("the picture", head):
        decoded = srgb.to_srgb(decode.read_what_pillow_does_not(picture), "the picture")
    return _picture(*decoded)


def save_image(
    image: Tensor,
    path: str | os.PathLike[str],
    *,
    alpha: Tensor | None = None,
    recipe: Recipe | None = None,
    quality: int = QUALITY,
) -> None:
    """Save a picture in the format that the suffix names, whole or not at all.

    The same image, recipe and quality give the same bytes. Formats without transparency (JPEG,
    BMP) show white behind it; in a GIF a pixel is either opaque or not. BMP has no place for a
    recipe, so that with one it is refused: `format_for(path, recipe=True)` tells beforehand.

    Args:
        image: (1, 3, H, W), sRGB; clamped to [0, 1] and rounded to 8 bits.
        path: ends in one of `SUFFIXES`.
        alpha: (1, 1, H, W) in [0, 1], not multiplied into the image.
        recipe: how the picture was made, carried in its metadata.
        quality: 1 to 100, of the formats that lose something: JPEG, WEBP, AVIF.

    Raises:
        ImageError: an unknown suffix, values that are not numbers, a recipe that the format
            cannot carry, or a place that cannot be written. Nothing is written then.
        OptionError: `quality` is not from 1 to 100.
    """
    save_pil(to_pil(image, alpha), path, recipe=recipe, quality=quality)


def save_pil(
    picture: Image.Image,
    path: str | os.PathLike[str],
    *,
    recipe: Recipe | None = None,
    quality: int = QUALITY,
) -> None:
    """As `save_image`, of a Pillow picture in RGB or RGBA, of 8 bits."""
    data = encode.encode(picture, path, recipe, quality)
    try:
        files.write_bytes(path, data)
    except BelamyError as error:
        raise ImageError(str(error)) from error


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The image at another size, by antialiased bicubic interpolation, clamped to [0, 1].

    Args:
        image: (N, C, H, W) in [0, 1]; differentiable.
        size: (height, width); the image itself is returned if it has that size.

    Raises:
        OptionError: a side below 1.
    """
    if min(size) < 1:
        raise OptionError(f"the size {size[0]} × {size[1]} has a side below 1 pixel")
    if tuple(image.shape[-2:]) == tuple(size):
        return image
    return F.interpolate(image, size=size, mode="bicubic", antialias=True).clamp_(0, 1)


def fit(height: int, width: int, long_side: int) -> tuple[int, int]:
    """The (height, width) in the same proportion whose longer side is `long_side`.

    Raises:
        OptionError: a side below 1.
    """
    if min(height, width, long_side) < 1:
        raise OptionError(f"cannot fit {height} × {width} to {long_side}: below 1 pixel")
    scale = long_side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def contact_sheet(
    images: Sequence[Tensor],
    *,
    columns: int,
    captions: Sequence[str] | None = None,
    cell: int = 256,
) -> Tensor:
    """Pictures in a grid on light paper, row by row, each with a grey line of text below it.

    Args:
        images: each (1, 3, H, W) in [0, 1], of any size; scaled to `cell`, proportions kept, and
            centred in columns as wide as the widest and rows as high as their highest.
        columns: pictures in a row, at most.
        captions: one for each picture; cut with an ellipsis where it is wider than the cell.
        cell: the longer side of every picture, in pixels.

    Returns:
        (1, 3, height, width) float32 on the CPU.

    Raises:
        OptionError: no pictures, a number below 1, or not as many captions as pictures.
    """
    if not images or columns < 1 or cell < 1:
        raise OptionError(
            f"{len(images)} pictures in {columns} columns of {cell} px: all must be at least 1"
        )
    if captions is not None and len(captions) != len(images):
        raise OptionError(f"{len(captions)} captions for {len(images)} pictures")
    return arrange(
        [
            resize(image.float().cpu(), fit(image.shape[-2], image.shape[-1], cell))
            for image in images
        ],
        columns=min(columns, len(images)),
        captions=captions,
        cell=cell,
    )


def _channels(source: Array | Tensor) -> Tensor:
    """An array or a tensor as (C, H, W) float32 in [0, 1] with C = 1, 3 or 4."""
    kind = str(source.dtype) if isinstance(source, Tensor) else source.dtype.name
    kind = kind.removeprefix("torch.")
    if kind not in _WHITE:
        raise ImageError(f"an array of {kind} is no picture; use uint8, uint16 or floats in [0, 1]")
    if isinstance(source, Tensor):
        channels, expected = source.detach().cpu().float(), _TENSOR_SHAPES
        channels = channels[0] if channels.ndim == 4 and len(channels) == 1 else channels
        fits = channels.ndim == 3 and channels.shape[0] in (1, 3, 4)
    else:
        channels, expected = torch.from_numpy(source.astype(np.float32)), _ARRAY_SHAPES
        fits = channels.ndim == 2 or (channels.ndim == 3 and channels.shape[2] in (3, 4))
        channels = channels[None] if channels.ndim == 2 else channels.movedim(-1, 0)
    if not fits or 0 in channels.shape:
        raise ImageError(f"an array of shape {tuple(source.shape)} is no picture; use {expected}")
    return _in_range(channels / _WHITE[kind])


def _in_range(channels: Tensor) -> Tensor:
    low, high = float(channels.min()), float(channels.max())
    if not (low >= -_SLACK and high <= 1 + _SLACK):  # nor is a NaN
        raise ImageError(
            f"the array's values go from {low:g} to {high:g}; floats must be in [0, 1]"
        )
    return channels.clamp(0, 1)


def _split(channels: Tensor) -> Picture:
    """(C, H, W), C = 1, 3 or 4, as a picture."""
    image = channels[:3] if len(channels) > 1 else channels.expand(3, -1, -1)
    alpha = channels[3:] if len(channels) == 4 and bool((channels[3] < 1).any()) else None
    return Picture(image[None].contiguous(), None if alpha is None else alpha[None].contiguous())


def _picture(colours: srgb.Pixels, alpha: srgb.Pixels | None) -> Picture:
    """What `srgb.to_srgb` returns, as a picture."""
    grey = colours[:, :, None] if colours.ndim == 2 else colours
    image = _planes(grey).expand(-1, 3, -1, -1).contiguous()  # (1, 3, H, W)
    return Picture(image, None if alpha is None else _planes(alpha[:, :, None]))


def _planes(pixels: srgb.Pixels) -> Tensor:
    """(H, W, C), 8 bits or floats in [0, 1], to (1, C, H, W) float32."""
    planes = torch.from_numpy(np.array(pixels.transpose(2, 0, 1), np.float32, order="C"))
    return (planes.div_(255) if pixels.dtype == np.uint8 else planes)[None]


def _colour(background: str) -> Tensor:
    """The colour as (1, 3, 1, 1) in [0, 1]."""
    try:
        channels = ImageColor.getrgb(background)
    except (ValueError, AttributeError) as error:
        raise OptionError(
            f"background {background!r} is not a colour; use a name such as white, or #rrggbb"
        ) from error
    if len(channels) != 3:
        raise OptionError(f"background {background!r} is transparent; use #rrggbb")
    return torch.tensor(channels).reshape(1, 3, 1, 1) / 255
