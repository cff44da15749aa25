"""TIFFs that Pillow does not read, or reads wrongly: deep, of floats, or in planes.

Pillow reads colour of 16 bits at 8, planes of 16 bits as noise, and refuses floats in colour. Here
the numbers are taken out as they stand. What is packed is unpacked by libtiff all the same: it is
handed to Pillow as grey of 8 bits, as many bytes wide as a row has.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from belamy.errors import ImageError

__all__ = [
    "CMYK",
    "GREY",
    "MAGIC",
    "RGB",
    "WHITE_IS_ZERO",
    "DeepTiff",
    "Layout",
    "explain",
    "open_deep",
    "read_directory",
    "white_of",
]

MAGIC = (b"II", b"MM")
WHITE_IS_ZERO, GREY, RGB, CMYK = 0, 1, 2, 5

_PACKED = {
    5: "LZW",
    8: "deflate",
    32773: "PackBits",
    32946: "deflate",
    34925: "LZMA",
    50000: "Zstd",
}
_KINDS = {1: "u", 2: "i", 3: "f"}
_KIND_NAMES = {1: "whole numbers", 2: "signed numbers", 3: "floats"}
_SPACES = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "CIELab"}
_SPACES |= {9: "ICCLab", 10: "ITULab", 32803: "raw camera", 32844: "LogL", 32845: "LogLuv"}
_COMPRESSIONS = {34712: "JPEG 2000", 34887: "LERC", 34892: "DNG JPEG", 22610: "JPEG XR"}
_MOST_SAMPLES = 16
_USUAL_WASTE = 4_000_000  # pixels of tiles that reach beyond the picture
_ORIENTATION, _DESCRIPTION, _PROFILE = 274, 270, 34675


@dataclass(frozen=True)
class Layout:
    """How a TIFF stores its numbers.

    Args:
        width, height: of the picture.
        samples: numbers of a pixel.
        kind: of a number, with its byte order.
        space: one of `WHITE_IS_ZERO`, `GREY`, `RGB`, `CMYK`.
        extra: what the first sample behind the colours is: 1 premultiplied alpha, 2 alpha, 0 none.
        planar: whether each sample has a plane of its own.
        compression, predictor: TIFF's numbers for them.
        block: (width, height) of a strip or of a tile.
        tiled: whether they are tiles.
        places: (offset, length) of each block.
    """

    width: int
    height: int
    samples: int
    kind: np.dtype[Any]
    space: int
    extra: int
    planar: bool
    compression: int
    predictor: int
    block: tuple[int, int]
    tiled: bool
    places: tuple[tuple[int, int], ...]

    @property
    def across(self) -> int:
        """Blocks side by side."""
        return math.ceil(self.width / self.block[0])

    @property
    def down(self) -> int:
        """Blocks below each other."""
        return math.ceil(self.height / self.block[1])

    @property
    def colours(self) -> int:
        """Samples that are colour."""
        return {RGB: 3, CMYK: 4}.get(self.space, 1)

    @property
    def largest(self) -> tuple[int, int]:
        """(width, height) of what is decoded: tiles may be much larger than the picture."""
        tile = self.block if self.tiled else (0, 0)
        whole = (self.across * self.block[0], self.down * self.block[1])
        spare = 4 * max(self.width * self.height, _USUAL_WASTE)
        sizes = [(self.width, self.height), tile, whole if math.prod(whole) > spare else (0, 0)]
        return max(sizes, key=math.prod)


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
        stored = _samples(self.fp, layout)
        colours = _scaled(stored[:, :, : layout.colours], layout.kind, name)
        colours = 1 - colours if layout.space == WHITE_IS_ZERO else colours
        if not layout.extra:
            return colours, None
        opacity = _scaled(stored[:, :, layout.colours], layout.kind, name)
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
    colours = {RGB: 3, CMYK: 4}.get(space, 1)
    tiled = 324 in directory
    block = (_number(directory, 322, 0), _number(directory, 323, 0))
    block = block if tiled else (width, min(height, _number(directory, 278, height)))
    sound = kind is not None and min(width, height, *block) > 0
    if kind is None or not sound or not colours <= samples <= _MOST_SAMPLES:
        return None
    compression, predictor = _number(directory, 259, 1), _number(directory, 317, 1)
    known = (
        space in (WHITE_IS_ZERO, GREY, RGB, CMYK)
        and (compression == 1 or compression in _PACKED)
        and _number(directory, 266, 1) == 1  # the order of bits
        and (predictor in (1, 2) or (predictor == 3 and kind.kind == "f"))
    )
    if not known or (kind == np.uint8 and not planar):
        return None
    extras = _numbers(directory, 338, 2)  # Pillow, too, takes a sample of no stated use for alpha
    extra = extras[0] if samples > colours and space != CMYK and extras[0] in (1, 2) else 0
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


def _samples(stream: BinaryIO, layout: Layout) -> NDArray[Any]:
    """(H, W, samples) as stored, in the byte order of this machine."""
    if not layout.planar:
        return _plane(stream, layout, layout.places, layout.samples)
    count = layout.across * layout.down
    wanted = layout.colours + (1 if layout.extra else 0)
    parts = [layout.places[count * n : count * (n + 1)] for n in range(wanted)]
    return np.concatenate([_plane(stream, layout, part, 1) for part in parts], axis=2)


def _plane(
    stream: BinaryIO, layout: Layout, places: Sequence[tuple[int, int]], samples: int
) -> NDArray[Any]:
    """The samples of one plane, (H, W, samples)."""
    width, height = layout.block
    row = width * samples * layout.kind.itemsize  # bytes of a row of a block
    places = places[: layout.across * layout.down]
    rows = layout.down * height if layout.tiled else layout.height
    if layout.compression == 1:
        packed = _raw(stream, layout, places, row)
    else:
        packed = _unpacked(stream, layout, places, row, rows)
    blocks = packed.reshape(rows, layout.across, row)
    numbers = _undo_predictor(blocks, layout, samples)  # (rows, across, width, samples)
    whole = numbers.reshape(rows, layout.across * width, samples)
    return whole[: layout.height, : layout.width]


def _raw(
    stream: BinaryIO, layout: Layout, places: Sequence[tuple[int, int]], row: int
) -> NDArray[np.uint8]:
    """The bytes of blocks that are not packed, (rows, across · row)."""
    height = layout.block[1]
    heights = [height] * layout.down
    if not layout.tiled:
        heights[-1] = layout.height - height * (layout.down - 1)
    bands = []
    for index, tall in enumerate(heights):
        band = []
        for start, _ in places[index * layout.across : (index + 1) * layout.across]:
            stream.seek(start)
            data = stream.read(row * tall)
            if len(data) < row * tall:
                raise EOFError("its pixels end early")
            band.append(np.frombuffer(data, np.uint8).reshape(tall, row))
        bands.append(np.concatenate(band, axis=1))
    return np.concatenate(bands)


def _unpacked(
    stream: BinaryIO, layout: Layout, places: Sequence[tuple[int, int]], row: int, rows: int
) -> NDArray[np.uint8]:
    """The bytes of packed blocks, (rows, across · row): by libtiff, as if they were grey."""
    data = []
    for start, length in places:
        stream.seek(start)
        data.append(stream.read(length))
    block = {322: row, 323: layout.block[1]} if layout.tiled else {278: layout.block[1]}
    tags = {256: row * layout.across, 257: rows, 258: 8, 259: layout.compression, 262: 1, 277: 1}
    file = _file(tags | block, data, layout.tiled)
    ceiling = Image.MAX_IMAGE_PIXELS
    try:  # the caller has checked the size
        Image.MAX_IMAGE_PIXELS = None
        with Image.open(io.BytesIO(file), formats=["TIFF"]) as picture:
            return np.asarray(picture)
    finally:
        Image.MAX_IMAGE_PIXELS = ceiling


def _file(tags: dict[int, int], blocks: Sequence[bytes], tiled: bool) -> bytes:
    """A TIFF of these tags and blocks."""
    count = len(blocks)
    start = 8 + 2 + 12 * (len(tags) + 2) + 4  # where the lists of places begin
    lengths = [len(block) for block in blocks]
    data = start + 8 * count
    offsets = [data]
    for length in lengths[:-1]:
        offsets.append(offsets[-1] + length)
    single = count == 1  # a list of one stands in the tag itself
    entries = {tag: (1, value) for tag, value in tags.items()}
    entries[324 if tiled else 273] = (count, offsets[0] if single else start)
    entries[325 if tiled else 279] = (count, lengths[0] if single else start + 4 * count)
    table = b"".join(struct.pack("<HHII", tag, 4, *entries[tag]) for tag in sorted(entries))
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)
    return head + struct.pack(f"<{2 * count}I", *offsets, *lengths) + b"".join(blocks)


def _undo_predictor(blocks: NDArray[np.uint8], layout: Layout, samples: int) -> NDArray[Any]:
    """(rows, across, bytes) as numbers (rows, across, width, samples), differences summed up."""
    rows, across, _ = blocks.shape
    width, kind = layout.block[0], layout.kind
    shape = (rows, across, width, samples)
    blocks = np.ascontiguousarray(blocks)
    if layout.predictor == 3:  # bytes of one rank together, each the difference to the last pixel
        steps = blocks.reshape(rows, across, -1, samples)
        summed = np.cumsum(steps, axis=2, dtype=np.uint8)
        ranks = summed.reshape(rows, across, kind.itemsize, width * samples)
        floats = np.ascontiguousarray(ranks.swapaxes(2, 3)).view(kind.newbyteorder(">"))
        return floats.reshape(shape).astype(kind.newbyteorder("="))
    if layout.predictor == 2:
        whole = np.dtype(f"{kind.byteorder}u{kind.itemsize}") if kind.itemsize > 1 else kind
        steps = blocks.view(whole).reshape(shape)
        native = np.dtype(f"u{kind.itemsize}")
        summed = np.cumsum(steps.astype(native), axis=2, dtype=native)
        return summed.view(kind.newbyteorder("="))
    return blocks.view(kind).reshape(shape)


def _scaled(stored: NDArray[Any], kind: np.dtype[Any], name: str) -> NDArray[np.float32]:
    """Numbers as stored, in [0, 1]."""
    low, high = float(stored.min()), float(stored.max())
    white = white_of(low, high, kind, name)
    scaled = np.divide(stored, white, dtype=np.float64 if kind.itemsize > 4 else np.float32)
    clipped: NDArray[np.float32] = np.clip(scaled, 0, 1).astype(np.float32, copy=False)
    return clipped


def white_of(low: float, high: float, kind: np.dtype[Any], name: str) -> float:
    """The number that stands for white, which files of 32 bits, signed or of floats do not say.

    It is 1 for floats (up to 2 is a highlight, which is clipped), otherwise the smallest of the
    customary 255, 65535 and the largest of its kind that holds them all.

    Raises:
        ImageError: there are negative numbers, or some that are none.
    """
    if kind.kind == "u" and kind.itemsize < 4:
        return float(np.iinfo(kind).max)
    if kind.kind == "f":
        if low >= -1e-3 and high < 2:
            return 1.0
        customary = [255.0, 65535.0]
    else:
        top = float(np.iinfo(kind).max)
        customary = [white for white in (255.0, 65535.0) if white < top] + [top]
    for white in customary:
        if low >= 0 and high <= white:
            return white
    raise ImageError(f"{name} has values from {low:g} to {high:g}; scale them to [0, 1]")
