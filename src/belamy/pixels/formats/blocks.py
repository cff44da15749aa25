"""The numbers of a TIFF, out of its strips or tiles.

What is packed is unpacked by libtiff: it is handed to Pillow as grey of 8 bits, as many bytes wide
as a row has.
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
from PIL import Image

__all__ = [
    "CMYK",
    "COLOURS",
    "GREY",
    "LAB",
    "RGB",
    "WHITE_IS_ZERO",
    "YCBCR",
    "Layout",
    "read_samples",
]

WHITE_IS_ZERO, GREY, RGB, CMYK, YCBCR, LAB = 0, 1, 2, 5, 6, 8
COLOURS = {WHITE_IS_ZERO: 1, GREY: 1, RGB: 3, CMYK: 4, LAB: 3}
"""Kind of colour → the samples that are colour."""

_USUAL_WASTE = 4_000_000  # pixels of tiles that reach beyond the picture


@dataclass(frozen=True)
class Layout:
    """How a TIFF stores its numbers.

    Args:
        width, height: of the picture.
        samples: numbers of a pixel.
        kind: of a number, with its byte order.
        space: one of `WHITE_IS_ZERO`, `GREY`, `RGB`, `CMYK`, `LAB`.
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
        return COLOURS[self.space]

    @property
    def largest(self) -> tuple[int, int]:
        """(width, height) of what is decoded: tiles may be much larger than the picture."""
        tile = self.block if self.tiled else (0, 0)
        whole = (self.across * self.block[0], self.down * self.block[1])
        spare = 4 * max(self.width * self.height, _USUAL_WASTE)
        sizes = [(self.width, self.height), tile, whole if math.prod(whole) > spare else (0, 0)]
        return max(sizes, key=math.prod)


def read_samples(stream: BinaryIO, layout: Layout) -> NDArray[Any]:
    """(H, W, samples) as stored, in the byte order of this machine."""
    if not layout.planar:
        return _plane(stream, layout, layout.places, layout.samples)
    count = layout.across * layout.down
    channels = layout.colours + (1 if layout.extra else 0)
    parts = [layout.places[count * n : count * (n + 1)] for n in range(channels)]
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
        packed = _unpack(stream, layout, places, row, rows)
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


def _unpack(
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
