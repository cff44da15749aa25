"""Every format with every way to say what its colours mean, against sRGB values worked out here."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.pixels.formats import writers

from belamy.errors import ImageError, PictureWarning
from belamy.pixels.images import compose, from_pil, load_picture

icc, png, tiff = writers.icc, writers.png, writers.tiff

COLOUR = (77, 204, 102)
STORED = np.array(COLOUR) / 255
DARK = (6, 20, 3)
# Published matrices, linear light to linear light of sRGB.
P3 = [[1.2249, -0.2249, 0.0], [-0.0420, 1.0420, 0.0], [-0.0197, -0.0786, 1.0984]]
ADOBE = [[1.3984, -0.3984, 0.0], [0.0, 1.0, 0.0], [0.0, -0.0429, 1.0429]]
BT2020 = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
# Colorants of Display P3, adapted to D50, as they stand in Apple's profile.
XYZ_OF_P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
CHRM_P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
CHRM_SRGB = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)


def light(value):
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def coded(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def light_709(value):
    return np.where(value < 0.081, value / 4.5, ((value + 0.099) / 1.099) ** (1 / 0.45))


def through(matrix, curve=light, stored=STORED):
    return coded(np.array(matrix) @ curve(np.asarray(stored, float)))


def power(exponent, stored=STORED):
    return coded(np.asarray(stored, float) ** exponent)


def flat(colour=COLOUR, kind="u1", size=(32, 48)):
    """(H, W, C) of one colour; of 16 bits, if asked."""
    values = np.array(colour, np.uint16) * (257 if kind == "u2" else 1)
    return np.broadcast_to(values.astype(kind), (*size, len(colour))).copy()


def floats(colour=COLOUR):
    return (flat(colour) / 255).astype(np.float32)


def pillow(kind, mode="RGB", colour=COLOUR, **options):
    buffer = io.BytesIO()
    Image.new(mode, (48, 32), colour).save(buffer, kind, **options)
    return buffer.getvalue()


def bmp_5(kind, profile):
    """A BMP of version 5, whose header says what kind of colour follows."""
    rows = flat()[::-1, :, ::-1].tobytes()  # 48 pixels: a multiple of four bytes
    fields = (124, 48, 32, 1, 24, 0, len(rows), 0, 0, 0, 0)
    header = struct.pack("<IiiHHIIiiII", *fields) + bytes(16) + kind + bytes(48)
    header += struct.pack("<4I", 4, 124 + len(rows), len(profile), 0)
    size = 14 + len(header) + len(rows) + len(profile)
    return b"BM" + struct.pack("<III", size, 0, 138) + header + rows + profile


def gama(value):
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(values):
    return b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in values))


def cicp(primaries, transfer, full=1):
    return b"cICP", bytes((primaries, transfer, 0, full))


def iccp(profile):
    return b"iCCP", b"x\0\0" + zlib.compress(profile)


def avif(primaries=1, transfer=13, mode="RGB", colour=COLOUR, **options):
    quality = {"quality": 100, "subsampling": "4:4:4"}
    data = bytearray(pillow("AVIF", mode, colour, **quality, **options))
    at = data.find(b"colrnclx")
    if at >= 0:
        data[at + 8 : at + 12] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def adobe_exif(index=b"R03\0", colour_space=0xFFFF):
    """EXIF as cameras write it: a colour space and an interoperability index."""
    head = b"II*\0" + struct.pack("<I", 8)
    first = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    second = struct.pack("<H", 2) + struct.pack("<HHIHH", 0xA001, 3, 1, colour_space, 0)
    second += struct.pack("<HHII", 0xA005, 4, 1, 56) + bytes(4)
    third = struct.pack("<H", 1) + struct.pack("<HHI4s", 1, 2, 4, index) + bytes(4)
    return b"Exif\0\0" + head + first + second + third


LINEAR, PROFILE_P3, GREY_LINEAR = icc(1.0), icc(2.2, XYZ_OF_P3), icc(1.0, grey=True)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY = (128,)
G = np.full(3, 128 / 255)

CASES = {
    # PNG: cICP, then iCCP, then sRGB, then gAMA and cHRM.
    "png": (png(flat()), STORED),
    "png 16": (png(flat(kind="u2")), STORED),
    "png sRGB": (png(flat(), (b"sRGB", b"\0"), gama(1)), STORED),
    "png gAMA 1": (png(flat(), gama(1)), power(1)),
    "png gAMA 1, 16": (png(flat(DARK, "u2"), gama(1)), power(1, np.array(DARK) / 255)),
    "png gAMA 1, grey": (png(flat(GREY), gama(1)), power(1, G)),
    "png gAMA 1, grey 16": (png(flat(GREY, "u2"), gama(1)), power(1, G)),
    "png gAMA 1, grey and alpha": (png(flat((128, 255)), gama(1)), power(1, G)),
    "png gAMA 1, grey and alpha 16": (png(flat((128, 255), "u2"), gama(1)), power(1, G)),
    "png gAMA 1, alpha": (png(flat((*COLOUR, 255)), gama(1)), power(1)),
    "png gAMA 1, alpha 16": (png(flat((*COLOUR, 255), "u2"), gama(1)), power(1)),
    "png gAMA 1/1.8": (png(flat(), gama(1 / 1.8)), power(1.8)),
    "png gAMA 1/2.2": (png(flat(DARK), gama(0.45455)), np.array(DARK) / 255),
    "png gAMA 1/2.2, cHRM": (png(flat(DARK), gama(0.45455), chrm(CHRM_SRGB)), np.array(DARK) / 255),
    "png gAMA 0": (png(flat(), gama(0)), STORED),
    "png cHRM of P3": (png(flat(), chrm(CHRM_P3)), through(P3)),
    "png cHRM of zeros": (png(flat(), chrm([0] * 8)), STORED),
    "png gAMA 1, cHRM of P3": (
        png(flat(), gama(1), chrm(CHRM_P3)),
        through(P3, lambda value: value),
    ),
    "png iCCP": (png(flat(), iccp(PROFILE_P3)), through(P3, lambda v: v**2.2)),
    "png iCCP, 16": (png(flat(kind="u2"), iccp(PROFILE_P3)), through(P3, lambda v: v**2.2)),
    "png iCCP linear, 16": (png(flat(DARK, "u2"), iccp(LINEAR)), power(1, np.array(DARK) / 255)),
    "png iCCP linear, grey": (png(flat(GREY), iccp(GREY_LINEAR)), power(1, G)),
    "png iCCP linear, grey 16": (png(flat(GREY, "u2"), iccp(GREY_LINEAR)), power(1, G)),
    "png iCCP of colour, grey 16": (png(flat(GREY, "u2"), iccp(LINEAR)), power(1, G)),
    "png iCCP linear, grey and alpha 16": (
        png(flat((128, 255), "u2"), iccp(GREY_LINEAR)),
        power(1, G),
    ),
    "png iCCP that names itself sRGB": (png(flat(), iccp(icc(1.0, name="sRGB linear"))), power(1)),
    "png iCCP before gAMA": (png(flat(), iccp(SRGB), gama(1)), STORED),
    "png iCCP before sRGB": (png(flat(), iccp(LINEAR), (b"sRGB", b"\0")), power(1)),
    "png cICP of P3": (png(flat(), cicp(12, 13)), through(P3)),
    "png cICP of P3, 16": (png(flat(kind="u2"), cicp(12, 13)), through(P3)),
    "png cICP of P3, alpha": (png(flat((*COLOUR, 255)), cicp(12, 13)), through(P3)),
    "png cICP of BT.2020": (png(flat(), cicp(9, 14)), through(BT2020, light_709)),
    "png cICP linear": (png(flat(), cicp(1, 8)), power(1)),
    "png cICP 2.2": (png(flat(), cicp(1, 4)), power(2.2)),
    "png cICP unspecified": (png(flat(), cicp(2, 2)), STORED),
    "png cICP sRGB before iCCP": (png(flat(), cicp(1, 13), iccp(LINEAR)), STORED),
    "png cICP before iCCP, sRGB, gAMA": (
        png(flat(), cicp(12, 13), iccp(LINEAR), (b"sRGB", b"\0"), gama(1)),
        through(P3),
    ),
    "png cICP from 16 to 235": (png(flat(), cicp(1, 13, 0)), (np.array(COLOUR) - 16) / 219),
    "png cICP from 16 to 235, 16": (
        png(flat(kind="u2"), cicp(1, 13, 0)),
        (np.array(COLOUR) - 16) / 219,
    ),
    # TIFF
    "tiff": (tiff(flat()), STORED),
    "tiff 16, profile": (
        tiff(flat(kind="u2"), tags={34675: PROFILE_P3}),
        through(P3, lambda v: v**2.2),
    ),
    "tiff float, linear profile": (
        tiff(floats(DARK), tags={34675: LINEAR}),
        power(1, np.array(DARK) / 255),
    ),
    "tiff planar, profile": (
        tiff(flat(), planar=True, tags={34675: PROFILE_P3}),
        through(P3, lambda v: v**2.2),
    ),
    "tiff grey, profile": (tiff(flat(GREY), space=1, tags={34675: GREY_LINEAR}), power(1, G)),
    "tiff grey 16, profile": (
        tiff(flat(GREY, "u2"), space=1, tags={34675: GREY_LINEAR}),
        power(1, G),
    ),
    "tiff CIELab": (  # L 0…255 for 0…100; a and b are signed
        tiff(flat((138, 81, 70)), space=8),
        np.array([1, 0, 0]),
    ),
    "tiff CIELab, planar": (
        tiff(flat((138, 81, 70)), space=8, planar=True),
        np.array([1, 0, 0]),
    ),
    "tiff CIELab 16": (
        tiff(
            np.tile(np.array([35580, 80 * 256 + 207, 69 * 256 + 228], "u2"), (32, 48, 1)), space=8
        ),
        np.array([1, 0, 0]),
    ),
    "tiff CIELab 16 of negative numbers": (  # green of sRGB: 87.82, -79.27, 80.99
        tiff(np.tile(np.array([57552, 65536 - 20293, 20733], "u2"), (32, 48, 1)), space=8),
        np.array([0, 1, 0]),
    ),
    "tiff YCbCr": (tiff(flat((156, 97, 72)), space=6, packing=8, tags={530: [1, 1]}), STORED),
    "tiff 1 bit": (pillow("TIFF", "1", 1), np.ones(3)),
    "tiff CMYK": (tiff(flat((255, 0, 0, 0)), space=5), np.array([0, 1, 1])),
    "tiff CMYK 16, planar": (
        tiff(flat((0, 128, 0, 0), "u2"), space=5, planar=True),
        np.array([1, 127 / 255, 1]),
    ),
    # JPEG, WEBP, GIF, BMP
    "jpeg": (pillow("JPEG", quality=100), STORED),
    "jpeg of RGB": (pillow("JPEG", quality=100, keep_rgb=True), STORED),
    "jpeg grey": (pillow("JPEG", "L", 128, quality=100), G),
    "jpeg CMYK": (pillow("JPEG", "CMYK", (255, 0, 0, 0), quality=100), np.array([0, 1, 1])),
    "jpeg profile": (
        pillow("JPEG", quality=100, icc_profile=PROFILE_P3),
        through(P3, lambda v: v**2.2),
    ),
    "jpeg R03": (
        pillow("JPEG", quality=100, exif=adobe_exif()),
        through(ADOBE, lambda v: v ** (563 / 256)),
    ),
    "jpeg of a colour space of 2": (
        pillow("JPEG", quality=100, exif=adobe_exif(b"R98\0", 2)),
        through(ADOBE, lambda v: v ** (563 / 256)),
    ),
    "jpeg R98": (pillow("JPEG", quality=100, exif=adobe_exif(b"R98\0", 1)), STORED),
    "jpeg uncalibrated": (pillow("JPEG", quality=100, exif=adobe_exif(b"R98\0")), STORED),
    "jpeg profile before R03": (
        pillow("JPEG", quality=100, exif=adobe_exif(), icc_profile=SRGB),
        STORED,
    ),
    "webp": (pillow("WEBP", lossless=True), STORED),
    "webp profile": (
        pillow("WEBP", lossless=True, icc_profile=PROFILE_P3),
        through(P3, lambda v: v**2.2),
    ),
    "webp R03": (
        pillow("WEBP", lossless=True, exif=adobe_exif()),
        through(ADOBE, lambda v: v ** (563 / 256)),
    ),
    "gif": (pillow("GIF"), STORED),
    "bmp": (pillow("BMP"), STORED),
    "bmp profile": (bmp_5(b"DEBM", PROFILE_P3), through(P3, lambda v: v**2.2)),
    "bmp of sRGB": (bmp_5(b"BGRs", PROFILE_P3), STORED),
    "bmp of a profile cut short": (bmp_5(b"DEBM", PROFILE_P3[:90]), STORED),
    "bmp grey": (pillow("BMP", "L", 128), G),
    # AVIF: a profile, then nclx.
    "avif": (avif(), STORED),
    "avif of P3": (avif(12), through(P3)),
    "avif of P3, alpha": (avif(12, mode="RGBA", colour=(*COLOUR, 255)), through(P3)),
    "avif of BT.709": (avif(1, 1), coded(light_709(STORED))),
    "avif linear": (avif(1, 8), power(1)),
    "avif unspecified": (avif(2, 2), STORED),
    "avif profile before nclx": (avif(12, icc_profile=SRGB), STORED),
    "avif profile": (avif(icc_profile=PROFILE_P3), through(P3, lambda v: v**2.2)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_colour_is_right(tmp_path, name):
    data, wanted = CASES[name]
    (tmp_path / "x").write_bytes(data)
    picture = load_picture(tmp_path / "x")
    assert picture.alpha is None
    found = picture.image[0, :, 16, 24].numpy()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=0.02)
    assert float((picture.image - picture.image[:, :, 16:17, 24:25]).abs().max()) < 0.02


def half(colours, kind="u1"):
    """The first colour on the left, the second on the right."""
    return np.concatenate([flat(colours[0], kind, (32, 24)), flat(colours[1], kind, (32, 24))], 1)


def clear(*numbers):
    return b"tRNS", struct.pack(f">{len(numbers)}H", *numbers)


PALETTE = Image.new("P", (48, 32), 1)
PALETTE.putpalette([0, 0, 0, *COLOUR])
PALETTE.paste(0, (0, 0, 24, 32))


def saved(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


LEFT_CLEAR = {
    "png grey": png(half([(9,), (200,)]), clear(9)),
    "png grey 16": png(half([(9,), (200,)], "u2"), clear(9 * 257)),
    "png": png(half([(9, 8, 7), COLOUR]), clear(9, 8, 7)),
    "png 16": png(half([(9, 8, 7), COLOUR], "u2"), clear(9 * 257, 8 * 257, 7 * 257)),
    "png grey and alpha": png(half([(9, 0), (200, 255)])),
    "png grey and alpha 16": png(half([(9, 0), (200, 255)], "u2")),
    "png alpha 16": png(half([(9, 8, 7, 0), (*COLOUR, 255)], "u2")),
    "png alpha 16, profile": png(half([(9, 8, 7, 0), (*COLOUR, 255)], "u2"), iccp(SRGB)),
    "png palette": saved(PALETTE, "PNG", transparency=0),
    "gif": saved(PALETTE, "GIF", transparency=0),
    "webp": saved(Image.fromarray(half([(9, 8, 7, 0), (*COLOUR, 255)])), "WEBP", lossless=True),
    "avif": saved(Image.fromarray(half([(9, 8, 7, 0), (*COLOUR, 255)])), "AVIF"),
    "tiff": tiff(half([(9, 8, 7, 0), (*COLOUR, 255)]), extra=2),
    "tiff 16": tiff(half([(9, 8, 7, 0), (*COLOUR, 255)], "u2"), extra=2),
    "tiff grey and alpha 16": tiff(half([(9, 0), (200, 255)], "u2"), extra=2, space=1),
    "tiff premultiplied 16": tiff(half([(0, 0, 0, 0), (*COLOUR, 255)], "u2"), extra=1),
}


@pytest.mark.parametrize("name", LEFT_CLEAR)
def test_what_is_transparent_is_transparent(tmp_path, name):
    (tmp_path / "x").write_bytes(LEFT_CLEAR[name])
    picture = load_picture(tmp_path / "x")
    assert picture.alpha is not None
    assert picture.alpha[0, 0, 16, ::12].tolist() == [0, 0, 1, 1]
    wanted = [200 / 255] * 3 if "grey" in name else STORED
    np.testing.assert_allclose(picture.image[0, :, 16, 36], wanted, rtol=0, atol=0.03)
    np.testing.assert_allclose(compose(picture)[0, :, 16, 5], 1, rtol=0, atol=0.03)


def test_almost_the_transparent_colour_is_opaque(tmp_path):
    """At 8 bits it would be the same."""
    values = half([(9,), (9,)], "u2")
    values[:, 24:] += 1
    (tmp_path / "x").write_bytes(png(values, clear(9 * 257)))
    assert load_picture(tmp_path / "x").alpha[0, 0, 16, ::12].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("transfer", ["PQ", "HLG"])
@pytest.mark.parametrize("kind", ["png", "avif"])
def test_high_dynamic_range_is_refused_by_name(tmp_path, transfer, kind):
    code = {"PQ": 16, "HLG": 18}[transfer]
    (tmp_path / "x").write_bytes(png(flat(), cicp(9, code)) if kind == "png" else avif(9, code))
    with pytest.raises(ImageError, match=rf"x: its colours follow {transfer} \(HDR\).*; save it"):
        load_picture(tmp_path / "x")


@pytest.mark.parametrize(
    ("profile", "transfer"),
    [
        (icc(2.2, name="Rec2020 Gamut with PQ Transfer"), "PQ"),
        (icc(2.2, name="Display P3 HLG"), "HLG"),
        (icc(2.2, name="SMPTE ST 2084"), "PQ"),
        (icc(2.2, code=16), "PQ"),
        (icc(2.2, code=18), "HLG"),
    ],
)
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_profiles_of_high_dynamic_range_are_refused_too(tmp_path, profile, transfer, kind):
    (tmp_path / "x").write_bytes(png(flat(kind=kind), iccp(profile)))
    with pytest.raises(ImageError, match=rf"x: its colours follow {transfer} \(HDR\).*; save it"):
        load_picture(tmp_path / "x")


def test_the_code_of_a_moving_avif(tmp_path):
    frames = [Image.new("RGB", (48, 32), COLOUR), Image.new("RGB", (48, 32), DARK)]
    data = saved(frames[0], "AVIF", save_all=True, append_images=frames[1:], quality=100)
    for old in (b"nclx" + struct.pack(">HH", 1, 13),):
        data = data.replace(old, b"nclx" + struct.pack(">HH", 12, 13))
    (tmp_path / "x").write_bytes(data)
    with pytest.warns(PictureWarning, match="x has 2 frames"):
        found = load_picture(tmp_path / "x").image[0, :, 16, 24].numpy()
    np.testing.assert_allclose(found, through(P3), rtol=0, atol=0.02)


@pytest.mark.parametrize(
    "name",
    [
        *("png gAMA 1, 16", "png cICP of P3", "avif of P3", "tiff CIELab, planar"),
        *("tiff 16, profile", "bmp profile"),
    ],
)
def test_what_others_opened_with_pillow_is_read_alike(name):
    data, wanted = CASES[name]
    found = from_pil(Image.open(io.BytesIO(data)))
    np.testing.assert_allclose(found.image[0, :, 16, 24], wanted, rtol=0, atol=0.02)
