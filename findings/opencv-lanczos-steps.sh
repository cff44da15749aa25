#!/bin/sh
# Guess: of OpenCV's ways to look between pixels, Lanczos' is the finest, at every place. Seen: `remap`
# and `warpAffine` round places to a thirty-second of a pixel for it alone: moved by a sixtieth, a picture
# does not move, and a hundred such moves are none. Bilinear and bicubic interpolation are exact.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("OpenCV", cv2.__version__)
picture = np.random.default_rng(0).random((30, 30)).astype(np.float32)
x, y = np.meshgrid(*[np.arange(30, dtype=np.float32)] * 2)
ways = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "Lanczos": cv2.INTER_LANCZOS4}
steps = np.arange(0, 1, 1 / 256, dtype=np.float32)
found = {}
for name, way in ways.items():
    mapped = {float(cv2.remap(picture, x + step, y, way)[15, 15]) for step in steps}
    moves = [np.float32([[1, 0, step], [0, 1, 0]]) for step in steps]
    flags = way | cv2.WARP_INVERSE_MAP
    warped = {float(cv2.warpAffine(picture, move, (30, 30), flags=flags)[15, 15]) for move in moves}
    moved = cv2.remap(picture, x + np.float32(1 / 65), y, way)
    inner = np.s_[5:-5, 5:-5]
    found[name] = len(mapped), len(warped), bool((moved == picture)[inner].all())
    print(f"{name}: of 256 places along a pixel remap knows {len(mapped)}, warpAffine {len(warped)}")
assert found["bilinear"][:2] == found["bicubic"][:2] == (256, 256)
assert found["Lanczos"] == (33, 33, True)
assert not found["bilinear"][2] and not found["bicubic"][2]
PYTHON
