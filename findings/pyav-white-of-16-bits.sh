#!/bin/sh
# Guess: asked for colours of 16 bits, FFmpeg's scaler makes 65535 of a film's white, as it makes 255 of
# it at 8 bits. Seen: 65283 in limited range, of films of any depth, and in full range 65280, 65472,
# 65520 for 8, 10 and 12 bits: numbers are moved up by whole bits and not stretched. A film of ten bits
# that is divided by 65535 is darker by one level of 255. RGB is stretched, and comes out white.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import av
import numpy as np

LIMITED, FULL = 1, 2
EXACT = 0x2 | 0x40000 | 0x2000  # bilinear, accurate rounding, full chroma
print("PyAV", av.__version__)


def white(pix, bits, span, target="rgb48le"):
    """What becomes of a frame that is all white."""
    frame = av.VideoFrame(64, 48, pix)
    kind = np.uint16 if bits > 8 else np.uint8
    top = (1 << bits) - 1 if span == FULL else 235 << bits - 8
    for index, plane in enumerate(frame.planes):
        value = 1 << bits - 1 if index and pix.startswith("yuv") else top
        plane.update(np.full(plane.buffer_size // kind().itemsize, value, kind).tobytes())
    plain = frame.reformat(
        format=target,
        src_colorspace=1,
        src_color_range=span,
        dst_color_range=FULL,
        interpolation=EXACT,
    )
    return int(plain.to_ndarray()[24, 32].min())


films = (("yuv444p", 8), ("yuv420p10le", 10), ("yuv444p12le", 12))
found = {(pix, span): white(pix, bits, span) for pix, bits in films for span in (LIMITED, FULL)}
for (pix, span), level in found.items():
    print(f"{pix}, {'full' if span == FULL else 'limited'} range: {level} of 65535")
eight = [white(pix, bits, LIMITED, "rgb24") for pix, bits in films]
print("at 8 bits:", *eight, "of 255; RGB of ten bits:", white("gbrp10le", 10, FULL), "of 65535")
assert list(found.values()) == [65283, 65280, 65283, 65472, 65283, 65520]
assert eight == [255, 255, 255]
assert white("gbrp10le", 10, FULL) == 65535
PYTHON
