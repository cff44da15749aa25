"""A film's numbers become the colours that a browser shows: by matrix, range, curve, primaries."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pixels.film.films import IN_CONTAINERS, PATCHES, columns, read, write_patches

from belamy.errors import PictureWarning
from belamy.pixels.film import create_film
from belamy.pixels.formats.hdr import HLG, PQ, tone_mapped_space
from belamy.pixels.formats.spaces import from_film_code

av = pytest.importorskip("av")

X264, VP9, AV1 = "libx264", "libvpx-vp9", "libsvtav1"


def error(path: Path) -> float:
    return float(np.abs(columns(read(path)[0].image) - PATCHES).max())


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(
    ("tags", "matrix"),
    [((1, 1, 1), 1), ((1, 1, 13), 1), ((6, 6, 6), 6), ((6, 1, 1), 6), ((1, 6, 6), 1)],
)
@pytest.mark.parametrize("codec", [X264, VP9, AV1])
def test_what_is_tagged_is_followed(
    codec: str, tags: tuple[int, int, int], matrix: int, full: bool, tmp_path: Path
) -> None:
    path = tmp_path / ("a.webm" if codec == VP9 else "a.mp4")
    size = (64, 128)
    write_patches(path, tags, matrix=matrix, full=full, codec=codec, size=size)
    assert error(path) < 3


@pytest.mark.parametrize(
    ("codec", "tags", "height", "matrix"),
    [
        (X264, (None, None, None), 718, 6),
        (X264, (None, None, None), 720, 1),
        (X264, (1, None, None), 64, 6),  # half a tag is none
        (X264, (6, None, 1), 720, 1),
        (X264, (6, 1, 1), 720, 6),
        (VP9, (None, None, None), 64, 6),
        (VP9, (None, None, None), 720, 6),
        (VP9, (1, None, None), 64, 1),  # it has no more
        (AV1, (None, None, None), 720, 6),
        (AV1, (1, None, None), 720, 6),
        (AV1, (1, 1, 1), 64, 1),
    ],
)
def test_what_is_not_tagged_is_guessed_as_chromium_does(
    codec: str, tags: tuple[int | None, ...], height: int, matrix: int, tmp_path: Path
) -> None:
    path = tmp_path / ("a.webm" if codec == VP9 else "a.mp4")
    size = (height, 128)
    write_patches(path, (tags[0], tags[1], tags[2]), matrix=matrix, codec=codec, size=size)
    assert error(path) < 3


@pytest.mark.parametrize(("size", "matrix"), [((720, 128), 1), ((128, 720), 6)])
def test_the_height_that_is_stored_decides(
    size: tuple[int, int], matrix: int, tmp_path: Path
) -> None:
    """Not that of a film which is turned upright."""
    path = tmp_path / "a.mp4"
    write_patches(path, (None, None, None), matrix=matrix, size=size, rotation=90)
    image = read(path)[0].image.transpose(2, 3)
    found = columns(image)
    assert min(np.abs(found - right).max() for right in (PATCHES, PATCHES[::-1])) < 3


def test_full_range_without_a_tag_is_as_in_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_patches(path, (None, None, None), matrix=6, full=True, size=(720, 128))
    assert error(path) < 3


@pytest.mark.parametrize(
    ("tags", "matrix", "seen"),
    [
        ((9, 9, 14), 9, [[235, 105, 40], [0, 124, 206]]),
        ((1, 12, 13), 1, [[214, 115, 42], [27, 122, 206]]),
        ((6, 5, 6), 6, [[203, 119, 62], [54, 120, 198]]),
        ((1, 1, 8), 1, [[230, 183, 133], [132, 183, 229]]),
        ((1, 1, 5), 1, [[190, 98, 36], [35, 98, 189]]),
    ],
    ids=["BT.2020", "Display P3", "PAL", "linear", "gamma 2.8"],
)
def test_other_primaries_and_curves(
    tags: tuple[int, int, int], matrix: int, seen: list[list[int]], tmp_path: Path
) -> None:
    """The numbers of Chromium 150, for 200, 120, 60 and 60, 120, 200."""
    path = tmp_path / "a.mp4"
    write_patches(path, tags, matrix=matrix, full=True)
    assert np.abs(columns(read(path)[0].image)[6:] - seen).max() < 5


def test_curves_of_television_are_srgbs() -> None:
    assert all(from_film_code(1, curve) is None for curve in (1, 2, 6, 7, 13, 14, 15))


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_is_rolled_off_and_said(transfer: int, tmp_path: Path) -> None:
    """Grey steps stay apart up to the brightest, and none is darker than the one before."""
    levels = np.linspace(64, 940, 8).round().astype(np.uint16)  # limited range, ten bits
    luma = np.repeat(levels, 16)[None].repeat(64, 0)
    chroma = np.full((64 * 128 // 2,), 512, np.uint16)
    planes = np.concatenate([luma.ravel(), chroma]).reshape(96, 128)
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p10le")
    with av.open(str(tmp_path / "a.mp4"), "w") as film:
        stream = film.add_stream(AV1, rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = 9, 9, transfer
        context.color_range = 1
        for index in range(2):
            frame.pts, frame.time_base = index, Fraction(1, 10)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    with pytest.warns(PictureWarning, match="is HDR"):
        found = columns(read(tmp_path / "a.mp4")[0].image)
    assert np.ptp(found, axis=1).max() < 2  # grey stays grey
    steps = np.diff(found.mean(axis=1))
    assert (steps > -0.5).all()
    assert found[0].max() < 2
    assert found[-1].min() > 250


def pq(nits: float) -> float:
    """SMPTE ST 2084, from candelas a square metre."""
    power = (nits / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def test_tone_mapping_keeps_what_is_darker_than_white() -> None:
    space = tone_mapped_space(1, PQ)
    greys = [[[pq(nits)] * 3 for nits in (5, 26, 203, 1000, 4000)]]
    found = space.convert(np.array(greys))[0][:, 0]
    for level, nits in zip(found[:2], (5, 26), strict=True):
        assert level == pytest.approx(1.055 * (nits / 203) ** (1 / 2.4) - 0.055, abs=0.01)
    assert 0.8 < found[2] < 0.95
    assert found[3:] == pytest.approx([1, 1], abs=0.01)


@pytest.mark.parametrize("suffix", IN_CONTAINERS)
def test_the_colours_of_a_photo_come_back(suffix: str, tmp_path: Path) -> None:
    """Within two levels in the mean, without a shift, and the greys within one."""
    rng = np.random.default_rng(0)
    rough = torch.from_numpy(rng.random((1, 3, 9, 12), np.float32))
    photo = torch.nn.functional.interpolate(rough, (144, 192), mode="bicubic").clamp(0, 1)
    ramp = torch.linspace(0, 1, 192).expand(1, 3, 48, -1)
    image = torch.cat([photo, ramp], dim=2)
    path = tmp_path / f"a{suffix}"
    with create_film(path, size=(192, 192), frame_rate=Fraction(10)) as film:
        film.write(image, Fraction(0), Fraction(1, 10))
    difference = (read(path)[0].image - image) * 255
    assert difference.abs().mean() < 2
    assert difference.mean((0, 2, 3)).abs().max() < 0.5
    assert difference[..., 156:180, :].abs().mean() < 1


@pytest.mark.parametrize("codec", ["libvpx-vp9"])
def test_transparent_vp9_of_others(codec: str, tmp_path: Path) -> None:
    """FFmpeg's own decoder drops it."""
    pixels = np.zeros((64, 128, 4), np.uint8)
    pixels[..., :3], pixels[:, :64, 3], pixels[:, 64:, 3] = (200, 120, 60), 255, 100
    with av.open(str(tmp_path / "a.webm"), "w") as film:
        stream = film.add_stream(codec, rate=10, options={"crf": "4", "b": "0"})
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuva420p"
        for index in range(2):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    found = read(tmp_path / "a.webm")
    assert len(found) == 2
    assert found[1].alpha is not None
    levels = found[1].alpha[0, 0, 32, [20, 100]] * 255
    assert levels.tolist() == pytest.approx([255, 100], abs=3)
