#!/bin/sh
# Guess: the same frames saved twice as animated AVIF give the same bytes, as a single AVIF does, and
# as GIF, WEBP and APNG do. Seen: libavif writes the second of the clock into the headers of the film
# and of its track, six times, and Pillow has no option that says otherwise: a second later it is
# another file.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==13.0.0

"$folder/venv/bin/python" - <<'PYTHON'
import io
import time

import PIL
from PIL import Image, features

FRAMES = [Image.new("RGB", (32, 24), (40 * number, 80, 120)) for number in range(4)]


def save(kind, count):
    buffer = io.BytesIO()
    options = {"save_all": True, "append_images": FRAMES[1:count]} if count > 1 else {}
    FRAMES[0].save(buffer, kind, **options)
    return buffer.getvalue()


def differing(kind, count):
    first = save(kind, count)
    time.sleep(1.2)
    second = save(kind, count)
    assert len(first) == len(second)
    return sum(a != b for a, b in zip(first, second))


print(f"Pillow {PIL.__version__}, libavif {features.version('avif')}")
found = {}
for kind, count in (("AVIF", 1), ("AVIF", 4), ("GIF", 4), ("WEBP", 4), ("PNG", 4)):
    found[kind, count] = differing(kind, count)
    print(f"{kind}, {count} frames, saved twice a second apart: {found[kind, count]} bytes differ")
assert found.pop(("AVIF", 4)) >= 6, "an animated AVIF does not hold the clock any more"
assert not any(found.values()), "another format holds the clock now"
PYTHON
