#!/bin/sh
# Guess: OpenCV's search for flow takes its third argument for a place to put the flow in, or at the most
# for a beginning of this one search. Seen: it is a beginning, and stays one: asked again without it, the
# same object still begins there, and finds another flow than a new one does, or than it found before.
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
rough = np.random.default_rng(0).random((120, 160)).astype(np.float32)
soft = cv2.GaussianBlur(rough, (0, 0), 3)
first = np.rint(255 * (soft - soft.min()) / (soft.max() - soft.min())).astype(np.uint8)
second = np.roll(first, 3, axis=1)


def search():
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


usual = search().calc(first, second, None)
one = search()
found = {
    "without": one.calc(first, second, None),
    "again": one.calc(first, second, None),
    "begun with that flow": one.calc(first, second, usual.copy()),
    "without, after that": one.calc(first, second, None),
    "a new one, without": search().calc(first, second, None),
}
off = {name: float(np.abs(flow - usual).max()) for name, flow in found.items()}
for name, pixels in off.items():
    print(f"{name}: differs by {pixels:.2g} pixels")
assert off["without"] == off["again"] == off["a new one, without"] == 0
assert off["begun with that flow"] == off["without, after that"] > 0.01
PYTHON
