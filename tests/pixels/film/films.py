"""Films for the tests: soft pictures that move, and films that PyAV writes as others would."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from belamy.devices import make_rng
from belamy.pixels.film import FILM_SUFFIXES, Frame, create_film, open_film

IN_CONTAINERS = (".mp4", ".mov", ".mkv", ".webm")
ANIMATED = (".gif", ".apng", ".webp", ".avif")

try:
    import av
except ImportError:
    av = None

needs_av = pytest.mark.skipif(av is None, reason="PyAV is not installed")
every_suffix = pytest.mark.parametrize(
    "suffix", [one for one in FILM_SUFFIXES if av is not None or one in ANIMATED]
)

# Luma's weights of red and blue: ITU-T H.273, table 4.
_WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}

PATCHES = np.array(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [128, 128, 128]]
    + [[200, 120, 60], [60, 120, 200]],
    np.float64,
)


def frames(count: int, height: int = 48, width: int = 64) -> list[Tensor]:
    """Soft colours that move to the right."""
    rough = torch.rand(1, 3, 4, 5, generator=make_rng(0, "film"))
    wide = torch.nn.functional.interpolate(rough, (height, width + count), mode="bicubic")
    return [wide.clamp(0, 1)[..., index : index + width] for index in range(count)]


def write(path: Path, made: Sequence[Tensor], times: Sequence[Fraction], **options: Any) -> None:
    """A film whose frames come at `times`; the last of them is its end."""
    height, width = made[0].shape[-2:]
    options = {"frame_rate": Fraction(25), **options}
    with create_film(path, size=(height, width), **options) as film:
        for image, (time, end) in zip(made, itertools.pairwise(times), strict=True):
            film.write(image, time, end - time)


def read(path: Path | str, **options: Any) -> list[Frame]:
    """All its frames."""
    with open_film(path, **options) as film:
        return list(film)


def error(found: Tensor, right: Tensor) -> float:
    """In levels of 255, of the mean colours of small blocks, so that dithering does not count."""
    return 255 * float(torch.nn.functional.avg_pool2d(found - right, 8).abs().mean())


def encode_patches(
    matrix: int, full: bool, height: int, width: int, colours: NDArray[np.float64] = PATCHES
) -> Any:
    """A yuv420p frame of PyAV with eight columns of plain colours, by the formulas of H.273."""
    red, blue = _WEIGHTS[matrix]
    r, g, b = (colours / 255).T
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))
    scale = (255, 255, 0) if full else (219, 224, 16)
    planes = (y * scale[0] + scale[2], u * scale[1] + 128, v * scale[1] + 128)
    rows = [np.rint(plane.clip(0, 255)).astype(np.uint8) for plane in planes]
    column = np.arange(width) * 8 // width
    luma = np.tile(rows[0][column], (height, 1))
    chroma = [np.tile(row[column[::2]], (height // 2, 1)) for row in rows[1:]]
    data = np.concatenate([luma.ravel(), *(plane.ravel() for plane in chroma)])
    return av.VideoFrame.from_ndarray(data.reshape(height * 3 // 2, width), format="yuv420p")


def write_patches(
    path: Path,
    tags: tuple[int | None, int | None, int | None],
    *,
    matrix: int,
    full: bool | None = False,
    codec: str = "libx264",
    size: tuple[int, int] = (32, 128),
    rotation: int = 0,
) -> None:
    """A film of plain columns, tagged as (matrix, primaries, transfer) say, or not."""
    frame = encode_patches(matrix, bool(full), *size)
    with av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=10, options={"crf": "4"})
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        context = stream.codec_context
        names = ("colorspace", "color_primaries", "color_trc")
        for name, value in zip(names, tags, strict=True):
            if value is not None:
                setattr(context, name, value)
        if full is not None:
            context.color_range = 2 if full else 1
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(2):
            frame.pts, frame.time_base = index, Fraction(1, 10)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def columns(image: Tensor) -> NDArray[np.float64]:
    """(8, 3) levels in the middle of eight columns."""
    height, width = image.shape[-2:]
    places = [(2 * index + 1) * width // 16 for index in range(8)]
    return np.asarray(image[0, :, height // 2, places].T * 255, np.float64)
