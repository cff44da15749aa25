#!/bin/sh
# Guess: a duration that is no whole number of hundredths of a second, GIF's unit, is rounded to the
# nearest, or what was left over is carried to the next frame, so that a film of ten seconds at 30
# frames a second lasts ten seconds. Seen: each is cut, and the GIF lasts nine; with 15 ms a frame a
# third is lost, and 5 ms are none. Pillow's WEBP of the same frames lasts ten seconds, and so does the
# GIF that PyAV writes, whose frames take 3, 4, 3 hundredths in turn.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==13.0.0 av==18.1.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import io

import av
import numpy as np
import PIL
from PIL import Image

print("Pillow", PIL.__version__, "PyAV", av.__version__)
random = np.random.default_rng(0)
frames = [Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)) for _ in range(300)]


def lasts(file):
    """What the frames last together, in milliseconds."""
    total = 0
    with Image.open(file) as film:
        assert film.n_frames == len(frames)
        for index in range(film.n_frames):
            film.seek(index)
            film.load()
            total += film.info.get("duration", 0)
    return round(total)


def by_pillow(kind, duration):
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=duration)
    return lasts(file)


def by_pyav():
    file = io.BytesIO()
    with av.open(file, "w", format="gif") as film:
        stream = film.add_stream("gif", rate=30)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb8"
        for frame in [*map(av.VideoFrame.from_image, frames), None]:
            film.mux(stream.encode(frame))
    return lasts(file)


for duration, expected in ((1000 / 30, 9000), (1000 / 24, 12000), (66.7, 18000), (15, 3000), (5, 0)):
    found = by_pillow("GIF", duration)
    print(f"GIF by Pillow, {duration:.4g} ms a frame, {300 * duration:.0f} in all: {found} ms")
    assert found == expected
found = by_pillow("WEBP", 1000 / 30), by_pyav()
print(f"at 30 frames a second: WEBP by Pillow {found[0]} ms, GIF by PyAV {found[1]} ms")
assert found == (10000, 10000)
PYTHON
