"""Colour spaces that a file names by numbers: code points, a gamma, primaries, simple profiles.

Each is a curve, from the stored value to light, and a matrix to sRGB's primaries. Pillow knows none
of them; its profiles (lcms) work at 8 bits, too few where a profile is linear.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from belamy.errors import ImageError

__all__ = [
    "ADOBE_RGB",
    "Space",
    "from_code",
    "from_film_code",
    "from_gamma",
    "from_lab",
    "from_profile",
    "refuse_hdr_profile",
]

Floats: TypeAlias = "NDArray[np.floating[Any]]"
Curve: TypeAlias = Callable[[Floats], Floats]

_ROWS = 1 << 19  # values converted at once
_GAMMA_SRGB = (0.450, 0.460)  # what writers of sRGB put into gAMA, as libpng takes it
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
_BT709 = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65)
# ITU-T H.273, table 2: x and y of red, green, blue and white.
_PRIMARIES = {
    1: _BT709,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
# H.273, table 3: what has no one right look in sRGB.
_REFUSED = {
    9: "a logarithmic curve",
    10: "a logarithmic curve",
    11: "xvYCC",
    12: "BT.1361",
    16: "PQ (HDR)",
    18: "HLG (HDR)",
}


@dataclass(frozen=True)
class Space:
    """How stored values turn into light.

    Args:
        curve: the stored values in [0, 1] to light in [0, 1].
        matrix: (3, 3), light to light of sRGB's primaries; None where they are the same.
    """

    curve: Curve
    matrix: NDArray[np.float64] | None = None

    def convert(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """(H, W) or (H, W, 3) in [0, 1], as sRGB."""
        out = np.empty(pixels.shape, np.float32)
        flat, result = pixels.reshape(-1, pixels.shape[-1]), out.reshape(-1, pixels.shape[-1])
        step = max(1, _ROWS // pixels.shape[-1])
        for start in range(0, len(flat), step):
            light = self.curve(flat[start : start + step].astype(np.float32))
            if self.matrix is not None and pixels.ndim == 3:
                light = light @ self.matrix.T.astype(np.float32)
            result[start : start + step] = _srgb_of(np.clip(light, 0, 1))
        return out

    def is_srgb(self) -> bool:
        """Whether converting would change nothing that 8 bits show."""
        greys = np.linspace(0, 1, 65).repeat(3).reshape(-1, 3)
        same = bool(np.abs(_srgb_of(self.curve(greys)) - greys).max() < 1 / 255)
        return same and (self.matrix is None or bool(np.abs(self.matrix - np.eye(3)).max() < 5e-3))


def from_code(primaries: int, transfer: int, name: str) -> Space | None:
    """The space of two H.273 code points; None for sRGB, or where they say "unspecified".

    Raises:
        ImageError: PQ, HLG, or another curve that cannot be shown in sRGB without a choice.
    """
    if transfer in _REFUSED:
        raise ImageError(
            f"cannot read {name}: its colours follow {_REFUSED[transfer]}, which belamy does not "
            "map; save it in SDR, as sRGB"
        )
    curve = _CURVES.get(transfer)
    corners = _PRIMARIES.get(primaries, _BT709)
    if curve is None and corners == _BT709:
        return None
    return Space(curve or _light_of_srgb, _to_srgb_primaries(corners))


def from_film_code(primaries: int, transfer: int) -> Space | None:
    """The space of a film's two code points, as browsers take them; None for sRGB.

    They show the curves of television (BT.709 and its kin) as sRGB's own, and take the primaries
    of BT.601's American half for BT.709's: measured with Chromium 150, tests/pixels/film.
    PQ and HLG are belamy.pixels.formats.hdr's.
    """
    curve = _CURVES.get(transfer) if transfer in _NO_TELEVISION else None
    corners = _BT709 if primaries in (6, 7) else _PRIMARIES.get(primaries, _BT709)
    if curve is None and corners == _BT709:
        return None
    return Space(curve or _light_of_srgb, _to_srgb_primaries(corners))


_NO_TELEVISION = (4, 5, 8, 17)  # plain powers, light itself, cinema


def refuse_hdr_profile(profile: bytes, description: str, name: str) -> None:
    """Refuse a profile of PQ or HLG, by its code (ICC 4.4, `cicp`) or by what it calls itself.

    Raises:
        ImageError: it is one; its tables would make the picture nearly black.
    """
    try:
        code = _tags(profile).get(b"cicp", b"")
    except struct.error:
        code = b""
    if len(code) >= 10:
        from_code(code[8], code[9], name)
    for word, transfer in (("PQ", 16), ("2084", 16), ("HLG", 18)):
        if re.search(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])", description):
            from_code(1, transfer, name)


def from_gamma(gamma: float | None, chromaticity: Sequence[float] | None) -> Space | None:
    """The space of PNG's gAMA and cHRM; None for sRGB, or where neither can be meant.

    Args:
        gamma: the power by which light was stored: 1 for linear, about 0.45 for usual pictures.
        chromaticity: x and y of white, red, green, blue.
    """
    matrix = None
    if chromaticity is not None and len(chromaticity) == 8:
        corners = (*chromaticity[2:], *chromaticity[:2])
        if max(abs(a - b) for a, b in zip(corners, _BT709, strict=True)) > 2e-3:
            matrix = _to_srgb_primaries(corners)
    low, high = _GAMMA_SRGB
    if gamma is None or not 0.01 <= gamma <= 100 or (matrix is None and low <= gamma <= high):
        return None if matrix is None else Space(_light_of_srgb, matrix)
    return Space(_power(1 / gamma), matrix)


def from_profile(profile: bytes) -> Space | None:
    """The space of an ICC profile of curves and a matrix, or of a grey curve; None for others."""
    try:
        tags = _tags(profile)
        if {b"A2B0", b"A2B1", b"D2B0", b"D2B1"} & tags.keys():
            return None
        if profile[16:20] == b"GRAY":
            return Space(_icc_curve(tags[b"kTRC"]))
        if profile[16:24] != b"RGB XYZ ":
            return None
        curves = [_icc_curve(tags[channel + b"TRC"]) for channel in (b"r", b"g", b"b")]
        columns = [struct.unpack(">3i", tags[c + b"XYZ"][8:20]) for c in (b"r", b"g", b"b")]
        matrix = np.linalg.inv(_rgb_to_xyz(_BT709)) @ (np.array(columns).T / 65536)
    except (KeyError, ValueError, IndexError, struct.error, np.linalg.LinAlgError):
        return None
    return Space(lambda v: np.stack([f(v[..., i]) for i, f in enumerate(curves)], -1), matrix)


def from_lab(stored: NDArray[Any], size: int) -> NDArray[np.float32]:
    """TIFF's CIELab as sRGB, its white made sRGB's.

    Args:
        stored: (H, W, 3) in [0, 1], as numbers without a sign: L, and a and b, which have one.
        size: bytes of a number.
    """
    matrix = np.linalg.inv(_rgb_to_xyz(_BT709)).T
    out = np.empty(stored.shape, np.float32)
    whole, half, unit = 256**size - 1, 256**size // 2, 256 ** (size - 1)
    for row in range(len(stored)):
        numbers = np.rint(stored[row].astype(np.float64) * whole)
        a, b = (((numbers[:, i] + half) % (whole + 1) - half) / unit for i in (1, 2))
        y = (stored[row, :, 0].astype(np.float64) * 100 + 16) / 116
        cubes = np.stack([y + a / 500, y, y - b / 200], -1)
        low = (cubes - 16 / 116) * 108 / 841
        xyz = np.where(cubes > 6 / 29, cubes**3, low) * _D50
        out[row] = _srgb_of(np.clip(xyz @ matrix, 0, 1))
    return out


def _tags(profile: bytes) -> Mapping[bytes, bytes]:
    (count,) = struct.unpack(">I", profile[128:132])
    found = {}
    for index in range(min(count, 100)):
        name, start, size = struct.unpack(">4sII", profile[132 + 12 * index : 144 + 12 * index])
        found[name] = profile[start : start + size]
    return found


def _icc_curve(tag: bytes) -> Curve:
    """A `curv` or a `para` of the ICC standard, 10.6 and 10.18."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack(">I", tag[8:12])
        table = np.frombuffer(tag[12 : 12 + 2 * count], ">u2").astype(np.float64)
        if len(table) != count:
            raise ValueError("a curve is cut short")
        if count < 2:
            return _power(1.0 if count == 0 else table[0] / 256)
        places = np.linspace(0, 1, count)
        return lambda v: np.interp(v, places, table / 65535)
    if tag[:4] != b"para":
        raise ValueError("an unknown curve")
    (kind,) = struct.unpack(">H", tag[8:10])
    count = (1, 3, 4, 5, 7)[kind]
    g, *rest = (value / 65536 for value in struct.unpack(f">{count}i", tag[12 : 12 + 4 * count]))
    a, b = rest[:2] if kind else (1.0, 0.0)
    if kind in (1, 2):
        floor = rest[2] if kind == 2 else 0.0
        return _pieces(g, a, b, 0.0, -b / a if a else 0.0, floor, floor)
    c, d = rest[2:4] if kind else (0.0, 0.0)
    e, f = rest[4:6] if kind == 4 else (0.0, 0.0)
    return _pieces(g, a, b, c, d, e, f)


def _pieces(g: float, a: float, b: float, c: float, d: float, e: float, f: float) -> Curve:
    """(a·v + b)^g + e from d on, c·v + f below."""
    return lambda v: np.where(v >= d, np.maximum(a * v + b, 0) ** g + e, c * v + f)


def _power(exponent: float) -> Curve:
    return lambda v: np.maximum(v, 0) ** exponent


_light_of_srgb = _pieces(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0)
_light_of_bt709 = _pieces(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081, 0, 0)
# H.273, table 3, from stored value to light; sRGB (13) and what is unspecified are not here. The
# curves of BT.709 and its kin are inverted as written, as libavif does.
_CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 14, 15), _light_of_bt709),
    4: _power(2.2),
    5: _power(2.8),
    7: _pieces(1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913, 0, 0),
    8: _power(1.0),
    17: lambda v: 52.37 / 48 * np.maximum(v, 0) ** 2.6,
}


def _srgb_of(light: Floats) -> Floats:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _rgb_to_xyz(corners: Sequence[float]) -> NDArray[np.float64]:
    """Light of these primaries to XYZ, its white made D50 (Bradford), as profiles have it."""
    points = np.array(corners, np.float64).reshape(4, 2)
    xyz = np.stack([points[:, 0], points[:, 1], 1 - points.sum(1)]) / points[:, 1].clip(1e-9)
    if (points[:, 1] == 0).any():  # H.273's code 10, where the primaries are X, Y and Z themselves
        xyz = np.stack([points[:, 0], points[:, 1], 1 - points.sum(1)])
        xyz[:, 3] /= points[3, 1]
    rgb, white = xyz[:, :3], xyz[:, 3]
    matrix = rgb * np.linalg.solve(rgb, white)
    cones = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ matrix
    return adapted


def _to_srgb_primaries(corners: Sequence[float]) -> NDArray[np.float64] | None:
    """None where they are sRGB's, or span no triangle."""
    if tuple(corners) == _BT709:
        return None
    try:
        with np.errstate(all="ignore"):
            matrix = np.linalg.inv(_rgb_to_xyz(_BT709)) @ _rgb_to_xyz(corners)
    except np.linalg.LinAlgError:
        return None
    return matrix if np.isfinite(matrix).all() and np.abs(matrix).max() < 1e3 else None


# What a camera means by the EXIF interoperability index R03 (DCF 2.0).
ADOBE_RGB = Space(
    _power(563 / 256),
    _to_srgb_primaries((0.640, 0.330, 0.210, 0.710, 0.150, 0.060, *_D65)),
)
