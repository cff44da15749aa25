#!/bin/sh
# Guess: a grey PNG of 2 bits whose tRNS chunk names the grey 1 (of 0 to 3) is transparent in the
# pixels that hold 1. Seen: Pillow stretches the pixels to 0, 85, 170, 255, and leaves the
# transparent grey at 1, which no pixel has any more: all stay opaque. Likewise at 4 bits.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==13.0.0

"$folder/venv/bin/python" - <<'PYTHON'
import io
import struct
import zlib

import PIL
from PIL import Image


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def grey(bits, transparent, row, width):
    header = struct.pack(">IIBBBBB", width, 1, bits, 0, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"tRNS", struct.pack(">H", transparent)),
        (b"IDAT", zlib.compress(b"\0" + row)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


print("Pillow", PIL.__version__)
for bits, transparent, row, width in ((2, 1, bytes([0b00011011]), 4), (4, 5, bytes([0x05, 0xAF]), 4)):
    picture = Image.open(io.BytesIO(grey(bits, transparent, row, width)))
    alpha = list(picture.convert("RGBA").tobytes()[3::4])
    print(f"{bits} bits, grey {transparent} is transparent: alpha {alpha}")
    assert alpha == [255] * width
PYTHON
