"""What reading and writing films costs, and how far colours are off: for docs/film.md.

    python benchmarks/film_files.py [--height 360] [--frames 40]

Each row: bytes of the film, milliseconds of processor time a frame to write and to read it, and the
mean difference in levels of 255 between what went in and what comes out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import torch

from belamy.pixels.film import create_film, open_film
from belamy.pixels.scenes import clouds

KINDS = (
    (".mp4", "h264"),
    (".mp4", "av1"),
    (".webm", "vp9"),
    (".webm", "av1"),
    (".gif", None),
    (".webp", None),
    (".apng", None),
    (".avif", None),
)


def main() -> None:
    """Print a row for each kind of film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--frames", type=int, default=40)
    given = parser.parse_args()
    height, width = given.height, given.height * 16 // 9
    wide = clouds(height, width + 2 * given.frames)
    pictures = [wide[..., 2 * at : 2 * at + width].contiguous() for at in range(given.frames)]
    print(f"{width} × {height}, {given.frames} frames, {torch.get_num_threads()} threads of torch")
    for suffix, codec in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"film{suffix}"
            began = time.process_time()
            size, rate = (height, width), Fraction(25)
            with create_film(path, size=size, frame_rate=rate, codec=codec) as film:
                for index, picture in enumerate(pictures):
                    film.write(picture, index / rate, 1 / rate)
            written = time.process_time()
            with open_film(path) as film:
                found = [frame.image for frame in film]
            read = time.process_time()
            errors = [
                float((a - b).abs().mean()) * 255 for a, b in zip(found, pictures, strict=True)
            ]
            print(
                f"{suffix:6}{codec or '':5} {path.stat().st_size:>10,} bytes"
                f"  write {1000 * (written - began) / given.frames:6.1f} ms"
                f"  read {1000 * (read - written) / given.frames:5.1f} ms"
                f"  {sum(errors) / len(errors):.2f} levels"
            )


if __name__ == "__main__":
    main()
