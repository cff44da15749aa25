"""Files of every kind of colour, written here byte by byte: no library of ours stands between."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def tiff(
    values,
    *,
    order="<",
    space=2,
    planar=False,
    tile=0,
    rows=5,
    packing=1,
    predictor=1,
    extra=None,
    tags=None,
):
    """(H, W, C) as it stands in a TIFF; `packing` is 1 (none) or 8 (deflate)."""
    height, width, channels = values.shape
    kind = values.dtype.newbyteorder(order)
    planes = [values[:, :, c : c + 1] for c in range(channels)] if planar else [values]
    blocks = []
    for plane in planes:
        tall, wide = (tile, tile) if tile else (rows, width)
        for y in range(0, height, tall):
            for x in range(0, width, wide):
                block = plane[y : y + tall, x : x + wide]
                if tile:
                    spare = (tall - block.shape[0], wide - block.shape[1])
                    block = np.pad(block, ((0, spare[0]), (0, spare[1]), (0, 0)))
                data = predicted(block, predictor).astype(kind, copy=False)
                raw = data.tobytes() if predictor != 3 else predicted(block, 3).tobytes()
                blocks.append(zlib.compress(raw) if packing == 8 else raw)
    bits = values.dtype.itemsize * 8
    number = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    entries = {
        256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * channels), 259: (3, [packing]),
        262: (3, [space]), 277: (3, [channels]), 284: (3, [2 if planar else 1]),
        317: (3, [predictor]), 339: (3, [number] * channels),
    }  # fmt: skip
    if extra is not None:
        entries[338] = (3, [extra])
    entries |= {322: (4, [tile]), 323: (4, [tile])} if tile else {278: (4, [rows])}
    entries |= {tag: (7 if isinstance(v, bytes) else 3, v) for tag, v in (tags or {}).items()}
    return directory(entries, blocks, order, tiled=bool(tile))


def predicted(block, predictor):
    """Differences to the pixel before, as TIFF's predictors 2 and 3 have them."""
    if predictor == 2:
        whole = block.view(f"u{block.dtype.itemsize}")
        return np.diff(whole, axis=1, prepend=np.zeros_like(whole[:, :1]))
    if predictor == 3:
        size = block.dtype.itemsize
        high_first = np.ascontiguousarray(block.astype(block.dtype.newbyteorder(">")))
        ranks = high_first.view(np.uint8).reshape(block.shape[0], -1, size).swapaxes(1, 2)
        pixels = ranks.reshape(block.shape[0], -1, block.shape[2])
        return np.diff(pixels, axis=1, prepend=np.zeros_like(pixels[:, :1]))
    return block


def directory(entries, blocks, order, *, tiled):
    lengths = [len(block) for block in blocks]
    names = (324, 325) if tiled else (273, 279)
    entries = entries | {names[0]: (4, [0] * len(blocks)), names[1]: (4, lengths)}
    start = 8 + 2 + 12 * len(entries) + 4

    def lay_out(entries):
        table, heap = b"", b""
        for tag in sorted(entries):
            kind, values = entries[tag]
            letter = {3: "H", 4: "I"}.get(kind)
            data = values if letter is None else struct.pack(order + letter * len(values), *values)
            place = data.ljust(4, b"\0") if len(data) <= 4 else None
            if place is None:
                place = struct.pack(order + "I", start + len(heap))
                heap += data
            table += struct.pack(order + "HHI", tag, kind, len(values)) + place
        return table, heap

    at = start + len(lay_out(entries)[1])
    offsets = [at + sum(lengths[:index]) for index in range(len(blocks))]
    table, heap = lay_out(entries | {names[0]: (4, offsets)})
    head = b"II*\0" if order == "<" else b"MM\0*"
    head += struct.pack(order + "IH", 8, len(entries))
    return head + table + bytes(4) + heap + b"".join(blocks)


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(values, *chunks):
    """(H, W, C) uint8 or uint16, with chunks before its pixels."""
    height, width, channels = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    bits = values.dtype.itemsize * 8
    lines = values.astype(values.dtype.newbyteorder(">"))
    rows = b"".join(b"\0" + line.tobytes() for line in lines)
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    parts = [head, *(png_chunk(*chunk) for chunk in chunks)]
    parts += [png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


XYZ_OF_SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


def icc(gamma, columns=XYZ_OF_SRGB, *, grey=False, name="a test", code=None):
    """A profile of one power and three colorants, or of grey."""

    def curve():
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)

    def xyz(values):
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))

    text = name.encode() + b"\0"
    description = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {b"desc": description.ljust((len(description) + 3) // 4 * 4, b"\0")}
    tags[b"wtpt"] = xyz((0.9642, 1.0, 0.8249))
    if code is not None:
        tags[b"cicp"] = b"cicp" + bytes(4) + bytes((9, code, 0, 1))
    if grey:
        tags[b"kTRC"] = curve()
    else:
        tags |= {c + b"TRC": curve() for c in (b"r", b"g", b"b")}
        tags |= {c + b"XYZ": xyz(v) for c, v in zip((b"r", b"g", b"b"), columns, strict=True)}
    at = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += struct.pack(">4sII", tag, at + len(body), len(data))
        body += data
    space = b"GRAY" if grey else b"RGB "
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"lcms", 0x02100000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body
