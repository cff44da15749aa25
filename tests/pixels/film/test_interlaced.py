"""Films of television: the fields of two moments are not seen in one frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.pixels.film.films import read

from belamy.pixels.film import open_film

av = pytest.importorskip("av")

COUNT, HEIGHT, WIDTH = 10, 96, 128


@pytest.fixture(scope="module")
def interlaced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bar that moves by 4 pixels in each field."""
    path = tmp_path_factory.mktemp("film") / "field.mp4"
    with av.open(str(path), "w") as film:
        options = {"x264-params": "tff=1:crf=18:bframes=0"}
        stream = film.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(COUNT):
            pixels = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
            for line in range(HEIGHT):
                left = 10 + 4 * (2 * index + line % 2)
                pixels[line, left : left + 12] = 220
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def test_fields_of_two_moments_are_taken_apart(interlaced: Path) -> None:
    frames = read(interlaced)
    assert [frame.time for frame in frames] == [Fraction(index, 25) for index in range(COUNT)]
    assert {frame.duration for frame in frames} == {Fraction(1, 25)}
    for index, frame in enumerate(frames[1:-1], start=1):
        grey = frame.image[0].mean(0)
        assert float(grey.diff(dim=0).abs().mean()) < 1 / 255  # woven, it is 11
        bar = np.flatnonzero(grey[HEIGHT // 2].numpy() > 0.5)
        assert round(float(bar.mean()) - (10 + 8 * index + 5.5)) in (0, 4)  # either field's moment


def test_a_part_of_such_a_film_is_that_part(interlaced: Path) -> None:
    with open_film(interlaced, start=0.2, end=0.32) as film:
        part = list(film)
    whole = read(interlaced)[5:8]
    assert [frame.time for frame in part] == [frame.time for frame in whole]
    for one, other in zip(part[1:], whole[1:], strict=True):
        assert float((one.image - other.image).abs().max()) < 2 / 255
