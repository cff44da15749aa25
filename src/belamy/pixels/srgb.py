"""Colour management: profiles, inks, palettes and 16-bit greys converted to sRGB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin

from belamy.errors import ImageError

# EXIF orientation → how to turn the stored picture upright.
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF tags and a value

_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
# The colour space an ICC profile speaks of → the mode of Pillow that it applies to.
_PROFILE_MODES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK", "Lab ": "LAB"}
# Modes that carry transparency, or hide colours behind an index → a mode that shows both.
_PLAIN_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}

Pixels = NDArray[Any]


def apply_orientation(picture: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation wants it seen; an unreadable one counts as none."""
    try:
        turn = _TRANSPOSITIONS.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata raise almost anything, and are no reason to refuse
        return picture
    return picture if turn is None else picture.transpose(turn)


def to_srgb(picture: Image.Image, name: str) -> tuple[Pixels, Pixels | None]:
    """The first frame of `picture`, upright, in sRGB; `name` is for messages.

    Returns:
        The colours and the alpha, not premultiplied. Colours are (H, W, 3) uint8, or (H, W)
        float32 in [0, 1] where the file holds grey deeper than 8 bits; alpha is (H, W) uint8, or
        None where nothing is transparent.

    Raises:
        ImageError: values of 32 bits or floats that have no white point, or are not numbers.
    """
    picture.load()
    profile = picture.info.get("icc_profile")
    turned = apply_orientation(picture)
    if picture.mode in _DEEP:
        return _scale_deep_grey(turned, picture, name), None
    plain = _resolve_palette(turned)
    alpha = np.asarray(plain.getchannel("A")) if plain.mode in ("LA", "RGBA") else None
    if alpha is not None:
        plain = plain.getchannel("L") if plain.mode == "LA" else plain.convert("RGB")
        alpha = None if bool((alpha == 255).all()) else alpha
    return np.asarray(_apply_profile(plain, profile)), alpha


def _resolve_palette(picture: Image.Image) -> Image.Image:
    """Palettes resolved, a transparent colour or premultiplied alpha made a channel of its own."""
    if picture.mode in ("1", "L", "P", "RGB") and picture.has_transparency_data:
        return picture.convert("RGBA")
    wanted = _PLAIN_MODES.get(picture.mode)
    return picture if wanted is None else picture.convert(wanted)


def _apply_profile(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """`picture` in RGB, through its ICC profile where that can be read and applies."""
    source = None if profile is None else _read_profile(profile)
    if source is not None:
        mode = _PROFILE_MODES.get(source.profile.xcolor_space)
        if mode == "RGB" and picture.mode in ("L", "YCbCr", "HSV"):
            picture = picture.convert("RGB")  # grey files often carry the profile of a camera
        if mode == picture.mode:
            return _convert_profile(picture, source)
    if picture.mode == "LAB":
        return _convert_profile(picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    return picture.convert("RGB")


def _read_profile(profile: bytes) -> ImageCms.ImageCmsProfile | None:
    """The profile, or None if it is damaged: its picture is then taken for sRGB."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, TypeError, ValueError):
        return None


def _convert_profile(picture: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    if (source.profile.profile_description or "").startswith("sRGB") and picture.mode == "RGB":
        return picture  # lcms would only add rounding errors
    try:
        converted = ImageCms.profileToProfile(
            picture,
            source,
            ImageCms.createProfile("sRGB"),
            # What browsers do: in-gamut colours exact, black stays black.
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except ImageCms.PyCMSError:
        return picture.convert("RGB")
    assert converted is not None  # it is None only when asked to convert in place
    return converted


def _scale_deep_grey(turned: Image.Image, picture: Image.Image, name: str) -> Pixels:
    """Grey of 12, 16 or 32 bits or of floats, scaled (Pillow's own conversion clips at 255)."""
    values = np.asarray(turned).astype(np.float32)
    tags = picture.tag_v2 if isinstance(picture, TiffImagePlugin.TiffImageFile) else {}
    if not picture.mode.startswith("I;16"):
        white = _white(values, picture.mode, name)
    else:
        white = 4095.0 if tags.get(_BITS) == (12,) else 65535.0
        # Pillow undoes this inversion for 8 bits, not for 16.
        values = white - values if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else values
    grey: Pixels = np.clip(values / np.float32(white), 0, 1)
    return grey


def _white(values: Pixels, mode: str, name: str) -> float:
    """The value that stands for white in modes I and F, which do not say it.

    It is 1 for floats (up to 2 is a highlight, which is clipped), otherwise the smallest of the
    customary 255, 65535 and 2³¹ that holds them all.
    """
    low, high = float(values.min()), float(values.max())
    if mode == "F" and low >= 0 and high < 2:
        return 1.0
    for white in (255.0, 65535.0, 2.0**31):
        if low >= 0 and high <= white:
            return white
    raise ImageError(f"{name} has values from {low:g} to {high:g}; scale them to [0, 1]")
