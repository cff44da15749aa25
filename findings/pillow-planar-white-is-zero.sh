#!/bin/sh
# Guess: with one sample a pixel, planes and pixels are the same thing, so a TIFF reads alike under
# either PlanarConfiguration. Seen: with PhotometricInterpretation 0 (white is zero) and
# configuration 2 Pillow does not turn the greys round: a negative, and no word.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==13.0.0

"$folder/venv/bin/python" - <<'PYTHON'
import io
import struct

import PIL
from PIL import Image

STORED = bytes([0, 85, 170, 255])  # where white is zero: from white to black


def tiff(planar):
    rows = [(256, 4), (257, 1), (258, 8), (259, 1), (262, 0), (273, None), (277, 1), (278, 1)]
    rows += [(279, 4), (284, planar)]
    place = 8 + 2 + 12 * len(rows) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, place if x is None else x) for tag, x in rows)
    return b"II*\0" + struct.pack("<IH", 8, len(rows)) + entries + bytes(4) + STORED


print("Pillow", PIL.__version__)
greys = {planar: list(Image.open(io.BytesIO(tiff(planar))).tobytes()) for planar in (1, 2)}
print("configuration 1:", greys[1], " configuration 2:", greys[2])
assert greys[1] == [255, 170, 85, 0]
assert greys[2] == [0, 85, 170, 255]
PYTHON
