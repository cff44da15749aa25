"""TIFFs that Pillow does not read, or reads wrongly: deep, of floats, or in planes.

Pillow reads colour of 16 bits at 8, planes of 16 bits as noise, and refuses floats in colour. Here
the numbers are taken out as they stand.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from belamy.errors import ImageError
from belamy.pixels.formats.blocks import (
    CMYK,
    COLOURS,
    LAB,
    WHITE_IS_ZERO,
    YCBCR,
    Layout,
    read_samples,
)

__all__ = [
    "MAGIC",
    "DeepTiff",
    "explain",
    "is_misread",
    "is_preview",
    "mend_planes",
    "open_deep",
    "read_directory",
    "white_of",
]

MAGIC = (b"II", b"MM")

_PACKED = (5, 8, 32773, 32946, 34925, 50000)  # LZW, deflate, PackBits, deflate, LZMA, Zstd
_KINDS = {1: "u", 2: "i", 3: "f"}
_KIND_NAMES = {1: "whole numbers", 2: "signed numbers", 3: "floats"}
_SPACES = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "CIELab"}
_SPACES |= {9: "ICCLab", 10: "ITULab", 32803: "raw camera", 32844: "LogL", 32845: "LogLuv"}
_COMPRESSIONS = {34712: "JPEG 2000", 34887: "LERC", 34892: "DNG JPEG", 22610: "JPEG XR"}
_MOST_SAMPLES = 16
_ORIENTATION, _DESCRIPTION, _PROFILE = 274, 270, 34675
_SUBFILE, _SUB_PAGES, _DNG_VERSION = 254, 330, 50706


class DeepTiff(Image.Image):
    """A TIFF whose numbers are read by `values`; to Pillow it is a picture without pixels."""

    format = "TIFF"

    def __init__(self, stream: BinaryIO, directory: ImageFileDirectory_v2, layout: Layout) -> None:
        super().__init__()
        self.fp, self.layout, self._directory = stream, layout, directory
        self._size, self._mode = (layout.width, layout.height), "F"
        profile = directory.get(_PROFILE)
        if isinstance(profile, bytes):
            self.info["icc_profile"] = profile

    def getexif(self) -> Image.Exif:
        """The tags that say how the picture is held, and what is written on it."""
        block = Image.Exif()
        for tag in (_ORIENTATION, _DESCRIPTION):
            if tag in self._directory:
                block[tag] = self._directory[tag]
        return block

    def values(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
        """(H, W, C) in [0, 1] and alpha (H, W) or None; the colours not premultiplied.

        Raises:
            ImageError: there are values that have no white point, or are not numbers.
        """
        layout = self.layout
        stored = read_samples(self.fp, layout)
        colours = _scale(stored[:, :, : layout.colours], layout.kind, name)
        colours = 1 - colours if layout.space == WHITE_IS_ZERO else colours
        if not layout.extra:
            return colours, None
        opacity = _scale(stored[:, :, layout.colours], layout.kind, name)
        if layout.extra == 1:
            colours = np.clip(colours / np.maximum(opacity, 1e-6)[:, :, None], 0, 1)
        return colours, np.rint(opacity * 255).astype(np.uint8)


def open_deep(stream: BinaryIO) -> DeepTiff | None:
    """The TIFF, if it is of those that are read here; its pixels not yet read."""
    directory = read_directory(stream)
    layout = None if directory is None else _layout(directory)
    if directory is None or layout is None:
        return None
    return DeepTiff(stream, directory, layout)


def read_directory(stream: BinaryIO, start: int | None = None) -> ImageFileDirectory_v2 | None:
    """The tags of the first page, or of that at `start`; None where they are damaged."""
    try:
        stream.seek(0)
        head = stream.read(8)
        head += stream.read(8) if head[2:3] == b"\x2b" else b""
        directory = ImageFileDirectory_v2(head)
        stream.seek(directory.next if start is None else start)
        directory.load(stream)
    except Exception:  # damaged tags raise almost anything
        return None
    return directory


def is_misread(stream: BinaryIO) -> bool:
    """Whether Pillow takes the TIFF for another: YCbCr unpacked, in planes or of coarse colour."""
    directory = read_directory(stream)
    if directory is None or directory.get(262) != YCBCR or directory.get(259, 1) != 1:
        return False
    return directory.get(284) == 2 or directory.get(530, (2, 2)) != (1, 1)


def is_preview(stream: BinaryIO) -> bool:
    """Whether the first page is the small copy that a raw photo (DNG, NEF, ARW) begins with."""
    directory = read_directory(stream)
    if directory is None or not (_SUB_PAGES in directory or _DNG_VERSION in directory):
        return False
    return bool(_number(directory, _SUBFILE, 0) & 1)


def mend_planes(picture: Image.Image) -> None:
    """Let Pillow see that planes of one sample are none: it would forget that white is zero."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile) or not picture.tile:
        return
    tags = picture.tag_v2
    if tags.get(284) != 2 or tags.get(277, 1) != 1 or picture.tile[0][0] != "raw":
        return
    order, bits = tags.get(266, 1), _numbers(tags, 258, 1)
    key: Any = (tags.prefix, tags.get(262, 0), _numbers(tags, 339, 1)[:1], order, bits[:1], ())
    raw = TiffImagePlugin.OPEN_INFO.get(key, ("", ""))[1]
    if raw:
        picture.tile = [tile._replace(args=(raw, 0, 1)) for tile in picture.tile]


def explain(stream: BinaryIO) -> str | None:
    """Why Pillow does not read the TIFF, from its tags; None where they do not tell."""
    directory = read_directory(stream)
    if directory is None or 256 not in directory:
        return None
    bits, kinds = _numbers(directory, 258, 1), _numbers(directory, 339, 1)
    compression = directory.get(259, 1)
    words = [
        "planar" if directory.get(284) == 2 else "",
        "/".join(str(number) for number in sorted(set(bits[:_MOST_SAMPLES]))) + "-bit",
        _SPACES.get(directory.get(262, 0), f"colour kind {directory.get(262)!r:.20}"),
        "of " + _KIND_NAMES.get(kinds[0], f"number kind {kinds[0]}"),
        f"with {len(bits)} channels",
    ]
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        packing = _COMPRESSIONS.get(compression, f"number {compression!r:.20}")
        words.append(f"in compression {packing}")
    kind = " ".join(word for word in words if word)
    return f"it is a TIFF, {kind}, which is not read; save it as RGB of 8 or 16 bits"


def _layout(directory: ImageFileDirectory_v2) -> Layout | None:
    """How the numbers are stored; None where Pillow is better at them, or nobody reads them."""
    width, height = _number(directory, 256, 0), _number(directory, 257, 0)
    samples, space = _number(directory, 277, 1), _number(directory, 262, 0)
    planar = _number(directory, 284, 1) == 2
    kind = _kind(directory)
    colours = COLOURS.get(space, 1)
    tiled = 324 in directory
    block = (_number(directory, 322, 0), _number(directory, 323, 0))
    block = block if tiled else (width, min(height, _number(directory, 278, height)))
    sound = space in COLOURS and min(width, height, *block) > 0
    if kind is None or not sound or not colours <= samples <= _MOST_SAMPLES:
        return None
    compression, predictor = _number(directory, 259, 1), _number(directory, 317, 1)
    known = (
        (space != LAB or kind.str[1:] in ("u1", "u2"))
        and (compression == 1 or compression in _PACKED)
        and _number(directory, 266, 1) == 1  # the order of bits
        and (predictor in (1, 2) or (predictor == 3 and kind.kind == "f"))
    )
    if not known or (kind == np.uint8 and not planar):
        return None
    # Pillow, too, takes one sample of no stated use for alpha; several are of other light.
    extras = _numbers(directory, 338, 2 if samples == colours + 1 else 0)
    extra = (
        extras[0] if samples > colours and space not in (CMYK, LAB) and extras[0] in (1, 2) else 0
    )
    places = _places(directory, tiled)
    layout = Layout(
        width, height, samples, kind, space, extra, planar, compression, predictor, block, tiled,
        places,
    )  # fmt: skip
    count = layout.across * layout.down * (samples if planar else 1)
    return layout if len(places) >= count else None


def _kind(directory: ImageFileDirectory_v2) -> np.dtype[Any] | None:
    """What numpy calls the numbers; None where it has no such kind."""
    bits, kinds = set(_numbers(directory, 258, 1)), set(_numbers(directory, 339, 1))
    if len(bits) != 1 or len(kinds) != 1:
        return None
    size, kind = bits.pop(), kinds.pop()
    if kind not in _KINDS or size not in ((16, 32, 64) if kind == 3 else (8, 16, 32, 64)):
        return None
    return np.dtype(f"{'<' if directory.prefix == b'II' else '>'}{_KINDS[kind]}{size // 8}")


def _number(directory: ImageFileDirectory_v2, tag: int, default: int) -> int:
    """The one whole number of a tag; 0 where it is something else."""
    value = directory.get(tag, default)
    return value if isinstance(value, int) else 0


def _numbers(directory: ImageFileDirectory_v2, tag: int, default: int) -> tuple[int, ...]:
    value = directory.get(tag, default)
    numbers = value if isinstance(value, tuple) else (value,)
    return numbers if numbers and all(isinstance(n, int) for n in numbers) else (default,)


def _places(directory: ImageFileDirectory_v2, tiled: bool) -> tuple[tuple[int, int], ...]:
    offsets = _numbers(directory, 324 if tiled else 273, -1)
    lengths = _numbers(directory, 325 if tiled else 279, 1 << 40)
    lengths = lengths if len(lengths) == len(offsets) else (1 << 40,) * len(offsets)
    if min(offsets) < 0 or min(lengths) < 0:
        return ()
    return tuple(zip(offsets, lengths, strict=True))


def _scale(stored: NDArray[Any], kind: np.dtype[Any], name: str) -> NDArray[np.float32]:
    """Numbers as stored, in [0, 1]."""
    low, high = float(stored.min()), float(stored.max())
    white = white_of(low, high, kind, name)
    scaled = np.divide(stored, white, dtype=np.float64 if kind.itemsize > 4 else np.float32)
    clipped: NDArray[np.float32] = np.clip(scaled, 0, 1).astype(np.float32, copy=False)
    return clipped


def white_of(low: float, high: float, kind: np.dtype[Any], name: str) -> float:
    """The number that stands for white, which files of 32 bits, signed or of floats do not say.

    It is 1 for floats (up to 2 is a highlight, which is clipped), otherwise the smallest of the
    customary 255, 65535 and the largest of its kind that holds them all, if they reach a quarter
    of it: what is darker may as well be of another scale.

    Raises:
        ImageError: there are negative numbers, some that are none, or none near any white.
    """
    if kind.kind == "u" and kind.itemsize < 4:
        return float(np.iinfo(kind).max)
    if kind.kind == "f":
        if low >= -1e-3 and high < 2:
            return 1.0
        customary = [255.0, 65535.0]
    else:
        if low >= 0 and high <= 255:
            return min(255.0, float(np.iinfo(kind).max))
        top = float(np.iinfo(kind).max)
        customary = [white for white in (255.0, 65535.0) if white < top] + [top]
    for white in customary:
        if low >= 0 and white / 4 <= high <= white:
            return white
    raise ImageError(f"{name} has values from {low:g} to {high:g}; scale them to [0, 1]")
