"""Colour management: profiles, codes, inks, palettes and deep colours converted to sRGB."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, TiffImagePlugin

from belamy.pixels.formats import deep, spaces
from belamy.pixels.formats.frames import warn_of_more

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
_EXIF_FOLDER, _INTEROPERABILITY, _COLOUR_SPACE = 0x8769, 0xA005, 0xA001
_ADOBE, _UNCALIBRATED = 2, 0xFFFF  # of a colour space

# The colour space an ICC profile speaks of → the mode of Pillow that it applies to.
_PROFILE_MODES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK", "Lab ": "LAB"}
# Modes that carry transparency, or hide colours behind an index → a mode that shows both.
_PLAIN_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}

Pixels = NDArray[Any]


def apply_orientation(picture: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation wants it seen; an unreadable one counts as none."""
    turn = _TRANSPOSITIONS.get(_orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata raise almost anything, and are no reason to refuse
        return 1


def _pass_over_xmp_orientation(picture: Image.Image) -> None:
    """Leave out of its EXIF an orientation that stands in its XMP alone, before it is loaded.

    Pillow takes that for EXIF's own, and turns a TIFF by it on its way in. Browsers do not:
    programs that turn the pixels upright mend the EXIF, and may leave the XMP as it was.
    """
    if not {"xmp", "XML:com.adobe.xmp"} & picture.info.keys():
        return
    with suppress(Exception):  # as in `_orientation`
        block, own = picture.getexif(), Image.Exif()
        own.load(picture.info.get("exif", b""))
        tags = picture.tag_v2 if isinstance(picture, TiffImagePlugin.TiffImageFile) else own
        if _ORIENTATION not in tags and "Raw profile type exif" not in picture.info:
            block.pop(_ORIENTATION, None)


def _turn(pixels: Pixels, orientation: int) -> Pixels:
    """(H, W, …) as its EXIF orientation wants it seen."""
    pixels = pixels.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else pixels
    pixels = pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels
    return pixels[::-1] if orientation in (3, 4, 7, 8) else pixels


def to_srgb(picture: Image.Image, name: str) -> tuple[Pixels, Pixels | None]:
    """The first frame of `picture`, upright, in sRGB; `name` is for messages.

    A `PictureWarning` says where there are more frames.

    Returns:
        The colours and the alpha, not premultiplied. Colours are (H, W, 3) uint8 or float32 in
        [0, 1], or (H, W) float32 where the file holds grey deeper than 8 bits; alpha is (H, W)
        uint8, or None where nothing is transparent.

    Raises:
        ImageError: numbers that have no white point or are none; or colours, such as PQ and HLG,
            that have no one right look in sRGB.
    """
    warn_of_more(picture, name)
    _pass_over_xmp_orientation(picture)
    found = deep.read_deep(picture, name)
    if found is None:
        picture.load()
        return _shallow_to_srgb(apply_orientation(picture), picture, name)
    turn = _orientation(picture)
    colours = _turn(found.colours, turn)
    alpha = None if found.alpha is None else np.ascontiguousarray(_turn(found.alpha, turn))
    if alpha is not None and bool((alpha == 255).all()):
        alpha = None
    if found.space == "sRGB":
        return np.ascontiguousarray(colours), alpha
    if found.space == "CMYK":
        inks = Image.fromarray(
            np.ascontiguousarray(np.rint(colours * 255).astype(np.uint8)), "CMYK"
        )
        return np.asarray(_apply_profile(inks, picture.info.get("icc_profile"))), alpha
    return _deep_to_srgb(colours, picture, name), alpha


def plain_picture(picture: ImageFile.ImageFile, name: str) -> Image.Image | None:
    """As `to_srgb`, as a Pillow picture in RGB; None where that would not hold all of it.

    That is a file of three channels of 8 bits, and of a space that Pillow converts.
    """
    if picture.format not in ("JPEG", "PNG", "WEBP") or picture.mode != "RGB":
        return None
    if picture.has_transparency_data or any(part[3] == "RGB;16B" for part in picture.tile):
        return None
    coded, space = _space_by_numbers(picture, name)
    if space is not None or _is_narrow(picture):
        return None
    warn_of_more(picture, name)
    _pass_over_xmp_orientation(picture)
    picture.load()
    turned = apply_orientation(picture)
    profile = None if coded else picture.info.get("icc_profile")
    return _apply_profile(turned, profile) if profile else turned


def _shallow_to_srgb(
    turned: Image.Image, picture: Image.Image, name: str
) -> tuple[Pixels, Pixels | None]:
    """A decoded picture of 8 bits, and its alpha."""
    plain = _resolve_palette(turned)
    alpha = np.asarray(plain.getchannel("A")) if plain.mode in ("LA", "RGBA") else None
    if alpha is not None:
        plain = plain.getchannel("L") if plain.mode == "LA" else plain.convert("RGB")
        alpha = None if bool((alpha == 255).all()) else alpha
    coded, space = _space_by_numbers(picture, name)
    profile = picture.info.get("icc_profile")
    if profile and not coded:
        return np.asarray(_apply_profile(plain, profile)), alpha
    colours = np.asarray(_apply_profile(plain, None))
    narrow = _is_narrow(picture)
    if space is None and not narrow:
        return colours, alpha
    stored = colours.astype(np.float32) / 255
    stored = _full_range(stored, 8) if narrow else stored
    return (stored if space is None else space.convert(stored)), alpha


def _deep_to_srgb(colours: Pixels, picture: Image.Image, name: str) -> Pixels:
    """(H, W) or (H, W, 3) float32 in [0, 1]."""
    coded, space = _space_by_numbers(picture, name)
    profile = picture.info.get("icc_profile")
    if profile and not coded:
        space = spaces.from_profile(profile)
        fits = profile[16:20] == (b"RGB " if colours.ndim == 3 else b"GRAY")
        if space is None or not fits:  # lcms knows all profiles, and works at 8 bits
            return _through_lcms(colours, profile)
        space = None if space.is_srgb() else space
    colours = _full_range(colours, 16) if _is_narrow(picture) else colours
    return np.ascontiguousarray(colours) if space is None else space.convert(colours)


def _through_lcms(colours: Pixels, profile: bytes) -> Pixels:
    """Deep colours through a profile of tables, at 8 bits; as they are where it does not apply."""
    source = _read_profile(profile)
    kind = None if source is None else _PROFILE_MODES.get(source.profile.xcolor_space)
    if kind not in ("RGB", "L") or (kind == "L" and colours.ndim == 3):
        return np.ascontiguousarray(colours)
    rounded = Image.fromarray(np.ascontiguousarray(np.rint(colours * 255).astype(np.uint8)))
    return np.asarray(_apply_profile(rounded, profile))


def _space_by_numbers(picture: Image.Image, name: str) -> tuple[bool, spaces.Space | None]:
    """Whether a code stands above any profile, and the space that is not a profile's.

    The order is PNG's: cICP, then the profile, then sRGB, then gAMA and cHRM. In an AVIF a profile
    stands above `nclx`; `open_picture` leaves that out then.
    """
    info = picture.info
    if "cicp" not in info and info.get("icc_profile"):
        _refuse_hdr(info["icc_profile"], name)
    if "cicp" in info:
        primaries, transfer = info["cicp"][:2]
        return True, spaces.from_code(primaries, transfer, name)
    if "srgb" in info or info.get("icc_profile"):
        return False, None
    if picture.format == "PNG" and ("gamma" in info or "chromaticity" in info):
        return False, spaces.from_gamma(info.get("gamma"), info.get("chromaticity"))
    return False, spaces.ADOBE_RGB if _is_adobe_rgb(picture) else None


def _refuse_hdr(profile: bytes, name: str) -> None:
    source = _read_profile(profile)
    description = None if source is None else source.profile.profile_description
    spaces.refuse_hdr_profile(profile, description or "", name)


def _is_narrow(picture: Image.Image) -> bool:
    """Whether PNG's cICP says that colours go from 16 to 235, as in a film."""
    code = picture.info.get("cicp", ())
    return len(code) == 4 and code[3] == 0


def _full_range(colours: Pixels, bits: int) -> Pixels:
    step = 2 ** (bits - 8) / (2**bits - 1)
    stretched: Pixels = np.clip((colours - 16 * step) / (219 * step), 0, 1)
    return stretched


def _is_adobe_rgb(picture: Image.Image) -> bool:
    """Whether a camera says so in EXIF: uncalibrated colour, interoperability R03 (DCF 2.0).

    Some say it by a colour space of 2, which the standard does not know.
    """
    try:
        block = picture.getexif()
        space = block.get_ifd(_EXIF_FOLDER).get(_COLOUR_SPACE)
        if space == _ADOBE:
            return True
        uncalibrated = space == _UNCALIBRATED
        index = block.get_ifd(_INTEROPERABILITY).get(1, "") if uncalibrated else ""
    except Exception:  # damaged metadata raise almost anything, and are no reason to refuse
        return False
    return str(index).startswith("R03")


def _resolve_palette(picture: Image.Image) -> Image.Image:
    """Palettes resolved, a transparent colour or premultiplied alpha made a channel of its own."""
    clear = picture.info.get("transparency")
    if picture.mode == "1" and isinstance(clear, int):  # Pillow 11.3 forgets it
        grey = picture.convert("L")
        grey.putalpha(grey.point([0 if value == clear else 255 for value in range(256)]))
        return grey
    if picture.mode in ("1", "L", "P", "RGB") and picture.has_transparency_data:
        return picture.convert("RGBA")
    target_mode = _PLAIN_MODES.get(picture.mode)
    return picture if target_mode is None else picture.convert(target_mode)


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
    space = spaces.from_profile(source.tobytes()) if picture.mode == "RGB" else None
    if space is not None and space.is_srgb():
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
