"""Encoding of image files: one row for each format that belamy writes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from belamy.errors import ImageError, OptionError
from belamy.files import printable
from belamy.pixels import recipe as recipes
from belamy.pixels.carriers import KEYWORD, split_text
from belamy.pixels.metadata import ARTIST, COPYRIGHT, IMAGE_DESCRIPTION, XMP, xmp_packet
from belamy.pixels.recipe import Recipe

QUALITY = 95  # by eye: dreams are all fine texture, which JPEG at 90 visibly softens

_JPEG_BLOCK = 65533  # bytes of one JPEG segment, EXIF included
_JPEG_COMMENT = b"\xff\xfe"
_JPEG_XMP = 65_000  # bytes; Pillow puts its name before it
_GIF_COLOURS = 255  # one of 256 is kept for the transparent pixel
_OPAQUE_FROM = 128  # GIF knows no half-transparent pixel

Options = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """How one format is written.

    Args:
        name: Pillow's name of it.
        alpha: whether it keeps transparency; otherwise that is composed on white.
        options: quality (1 to 100) → arguments of `PIL.Image.Image.save`.
        carry: recipe → the arguments that put it into the file; None if there is no place for it.
        prepare: a last conversion of the picture.
    """

    name: str
    alpha: bool
    options: Callable[[int], Options]
    carry: Callable[[Recipe], Options] | None
    prepare: Callable[[Image.Image], Image.Image] = lambda picture: picture


def format_for(path: str | os.PathLike[str], *, recipe: bool = False) -> Format:
    """The format that the suffix of `path` asks for; call it before hours of work, not after.

    Args:
        path: where a picture is to be saved.
        recipe: whether it must carry its recipe.

    Raises:
        ImageError: the suffix is none of `SUFFIXES`, or its format cannot carry a recipe.
    """
    suffix = Path(path).suffix.lower()
    found = SUFFIXES.get(suffix)
    if found is None:
        known = " ".join(SUFFIXES)
        message = f"cannot save {printable(path)}: unknown suffix {suffix!r}; use {known}"
        raise ImageError(message).as_misuse()
    if recipe and found.carry is None:
        able = " ".join(name for name, kind in SUFFIXES.items() if kind.carry is not None)
        message = f"cannot save {printable(path)}: {suffix} carries no recipe; use {able}"
        raise ImageError(message).as_misuse()
    return found


def encode(
    picture: Image.Image, path: str | os.PathLike[str], recipe: Recipe | None, quality: int
) -> bytes:
    """The bytes of `picture`, RGB or RGBA, in the format that the suffix of `path` asks for.

    Raises:
        ImageError: the format is unknown, or cannot hold this picture or its recipe.
        OptionError: `quality` is not from 1 to 100.
    """
    if not 1 <= quality <= 100:
        raise OptionError(f"quality {quality} is not from 1 to 100")
    chosen = format_for(path, recipe=recipe is not None)
    carried = {} if recipe is None or chosen.carry is None else chosen.carry(recipe)
    if not chosen.alpha:
        picture = on_white(picture)
    # Pillow carries these over from a file that was read; every byte here is to be ours.
    picture.info.clear()
    arguments = {**chosen.options(quality), **carried}
    buffer = io.BytesIO()
    try:
        chosen.prepare(picture).save(buffer, chosen.name, **arguments)
    except (OSError, ValueError) as error:  # such as a side beyond what the format can number
        size = f"{picture.width} × {picture.height}"
        raise ImageError(f"cannot save {printable(path)} at {size}: {error}; try .png") from error
    return buffer.getvalue()


def on_white(picture: Image.Image) -> Image.Image:
    """The picture in RGB, composed on white where it is transparent."""
    if picture.mode == "RGB":
        return picture
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def _png_text(recipe: Recipe) -> Options:
    """As tEXt, in ASCII: ImageMagick drops iTXt even from PNG to PNG."""
    chunks = _png_chunks()
    chunks.add_text(KEYWORD, recipes.json_line(recipe).decode("ascii"))
    for name, keyword in _PNG_CREDITS.items():
        if name in recipe.credits:
            chunks.add_text(keyword, recipe.credits[name])  # iTXt where Latin-1 lacks a letter
    chunks.add_itxt(_PNG_XMP, _xmp(recipe).decode("utf-8"))
    return {"pnginfo": chunks}


_PNG_CREDITS = {"artist": "Author", "copyright": "Copyright", "parameters": "parameters"}
_PNG_XMP = "XML:com.adobe.xmp"


def _png_chunks() -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\x00")  # states the colour space in one byte, where a profile takes 500
    return chunks


def _xmp(recipe: Recipe, *, without: tuple[str, ...] = ()) -> bytes:
    credits = {name: text for name, text in recipe.credits.items() if name not in without}
    return xmp_packet(credits, source_type(recipe))


def source_type(recipe: Recipe) -> str:
    """IPTC's term for how much of a picture a machine made.

    Source: https://cv.iptc.org/newscodes/digitalsourcetype/.
    """
    pictures = any(one.role != "latents" for one in recipe.inputs) or "data" in recipe.options
    if recipe.engine.startswith("learn-"):  # a diagram
        return "algorithmicMedia"
    if not recipe.weights:  # by formulas alone, as fog is put into a photo
        return "algorithmicallyEnhanced" if pictures else "algorithmicMedia"
    # a projection is painted as any other, and shows nothing of the picture that it looks for
    composite = pictures and recipe.engine != "gan-project"
    return "compositeWithTrainedAlgorithmicMedia" if composite else "trainedAlgorithmicMedia"


def _exif(recipe: Recipe) -> Options:
    return {"exif": recipes.exif(recipe), "xmp": _xmp(recipe)}


def _segments(recipe: Recipe) -> Options:
    """As `_exif`; what is too long for one segment of a JPEG goes into comments, in parts."""
    xmp = _xmp(recipe)
    if len(xmp) > _JPEG_XMP:
        xmp = _xmp(recipe, without=("parameters",))  # the recipe has them
    block = recipes.exif(recipe)
    if len(block) <= _JPEG_BLOCK:
        return {"exif": block, "xmp": xmp}
    comments = [
        _JPEG_COMMENT + (len(part) + 2).to_bytes(2, "big") + part
        for part in split_text(recipes.json_line(recipe))
    ]
    return {"exif": recipes.exif(recipe, note=False), "xmp": xmp, "extra": b"".join(comments)}


def _description(recipe: Recipe) -> Options:
    """libtiff, which compresses, writes no EXIF folder; its readers all show this tag."""
    tags: dict[int, str | bytes] = {
        IMAGE_DESCRIPTION: recipes.comment(recipe).decode("ascii"),
        XMP: _xmp(recipe),
    }
    for name, tag in (("artist", ARTIST), ("copyright", COPYRIGHT)):
        if name in recipe.credits:
            tags[tag] = recipe.credits[name].encode("utf-8", "replace")
    return {"tiffinfo": tags}


def _gif_comment(recipe: Recipe) -> Options:
    return {"comment": recipes.comment(recipe)}


def _to_palette(picture: Image.Image) -> Image.Image:
    """255 colours chosen by median cut, errors diffused, and one index for what is transparent."""
    plain = on_white(picture)
    indexed = plain.quantize(_GIF_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    indexed = plain.quantize(palette=indexed, dither=Image.Dither.FLOYDSTEINBERG)
    if picture.mode == "RGBA":
        hidden = picture.getchannel("A").point(lambda alpha: 255 * (alpha < _OPAQUE_FROM))
        indexed.paste(_GIF_COLOURS, mask=hidden)
        indexed.info["transparency"] = _GIF_COLOURS
    return indexed


_PNG = Format("PNG", True, lambda quality: {"pnginfo": _png_chunks()}, _png_text)
# 4:4:4, since halved colour resolution shows on the saturated edges of a dream.
_JPEG = Format("JPEG", False, lambda quality: {"quality": quality, "subsampling": 0}, _segments)
_WEBP = Format(
    "WEBP", True, lambda quality: {"quality": quality, "method": 4, "use_sharp_yuv": True}, _exif
)
_TIFF = Format("TIFF", True, lambda quality: {"compression": "tiff_adobe_deflate"}, _description)
_BMP = Format("BMP", False, lambda quality: {}, None)
_GIF = Format("GIF", True, lambda quality: {}, _gif_comment, _to_palette)
_AVIF = Format("AVIF", True, lambda quality: {"quality": quality, "subsampling": "4:4:4"}, _exif)

SUFFIXES = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _WEBP,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": _BMP,
    ".gif": _GIF,
    ".avif": _AVIF,
    ".jpe": _JPEG,
    ".jfif": _JPEG,
}
