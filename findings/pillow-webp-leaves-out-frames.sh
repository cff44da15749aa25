#!/bin/sh
# Guess: an animated WEBP of 24 different pictures has 24 frames. Seen: where they change slowly, it
# has 12 at quality 90, each shown twice as long, so that slow movement stutters; kmin and kmax, which
# ask for whole frames, change nothing. What differs by two or three levels from the frame before
# counts as equal. Only lossless keeps them all.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import io

import numpy as np
import PIL
from PIL import Image

# smooth light that wanders by a pixel a frame
y, x = np.mgrid[0:192, 0:256]
films = []
for step in range(24):
    waves = [np.sin((x + step) / 30), np.sin(y / 25 + 1), np.sin((x + step + y) / 40 + 2)]
    films.append(Image.fromarray(np.rint(np.stack([127 + 90 * w for w in waves], -1)).astype("uint8")))
apart = [np.abs(np.asarray(a, int) - np.asarray(b)).max() for a, b in zip(films, films[1:])]


def durations(**options):
    buffer = io.BytesIO()
    films[0].save(buffer, "WEBP", save_all=True, append_images=films[1:], duration=40, **options)
    found = []
    with Image.open(buffer) as film:
        for index in range(film.n_frames):
            film.seek(index)
            film.load()
            found.append(film.info["duration"])
    return found


print("Pillow", PIL.__version__, "- neighbours differ by up to", max(apart), "levels")
usual, whole = durations(quality=90), durations(quality=90, kmin=0, kmax=1)
lossless = durations(lossless=True)
print("quality 90:", len(usual), usual)
print("kmax=1:    ", len(whole), whole)
print("lossless:  ", len(lossless))
assert min(apart) >= 3
assert len(usual) == len(whole) == 12 and sum(usual) == 24 * 40
assert len(lossless) == 24
PYTHON
