"""Films of more than eight bits, of full range, of luma alone, and the studio's look at them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.pixels.film.films import columns, read, write_patches

from belamy.studio.worker.first_frame import read_first_frame

av = pytest.importorskip("av")

FULL, LIMITED = 2, 1


def planes_of(pix: str, bits: int, full: bool) -> list[NDArray[np.uint16]]:
    """A ramp of eight greys from black to white, chroma at rest, alpha opaque."""
    top = (1 << bits) - 1
    low, high = (0, top) if full else (16 << bits - 8, 235 << bits - 8)
    luma = np.rint(np.linspace(low, high, 8)).repeat(16)[None].repeat(64, 0)
    chroma = [] if pix.startswith("gray") else [np.full((64, 128), 1 << bits - 1)] * 2
    alpha = [np.full((64, 128), top)] if "a4" in pix else []
    return [one.astype(np.uint16) for one in (luma, *chroma, *alpha)]


def write_ramp(path: Path, pix: str, bits: int, full: bool, **tags: int) -> None:
    frame = av.VideoFrame(128, 64, pix)
    kind = np.uint16 if bits > 8 else np.uint8
    for plane, values in zip(frame.planes, planes_of(pix, bits, full), strict=True):
        rows = np.zeros((plane.height, plane.line_size // kind().itemsize), kind)
        rows[:, :128] = values
        plane.update(rows.tobytes())
    with av.open(str(path), "w") as film:
        stream = film.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 64, pix
        stream.codec_context.color_range = FULL if full else LIMITED
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


RAMP = np.linspace(0, 255, 8)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(
    ("pix", "bits"),
    [
        *(("yuv444p", 8), ("yuv444p10le", 10), ("yuv444p12le", 12), ("yuva444p10le", 10)),
        *(("gray", 8), ("gray10le", 10), ("gray12le", 12)),
    ],
)
def test_black_is_black_and_white_is_white(pix: str, bits: int, full: bool, tmp_path: Path) -> None:
    """FFmpeg's scaler makes 65283 of 65535 of the white of ten bits, and stretches no luma that
    is alone: a deep film was darker by a level, and a grey one of limited range pale."""
    path = tmp_path / "a.mkv"
    write_ramp(path, pix, bits, full)
    found = read(path)[0]
    assert np.abs(columns(found.image) - RAMP[:, None]).max() < (1.01 if bits == 8 else 0.6)
    assert float(found.image.max()) * 255 > 254.9
    assert found.alpha is None or float(found.alpha.min()) > 0.9999


def test_a_deep_curve_of_eight_bits_reaches_white(tmp_path: Path) -> None:
    """A film of linear light is read at 16 bits, whatever its own are."""
    path = tmp_path / "a.mkv"
    write_ramp(path, "yuva444p", 8, False, color_trc=8, color_primaries=1, colorspace=1)
    found = read(path)[0]
    assert columns(found.image)[[0, -1]].round(1).tolist() == [[0] * 3, [255] * 3]
    assert found.alpha is None or float(found.alpha.min()) > 0.9999


@pytest.mark.parametrize("name", ["limited", "full"])
def test_grey_av1(name: str, tmp_path: Path) -> None:
    """As libavif writes it: luma alone."""
    ramp = np.rint(RAMP).astype(np.uint8).repeat(16)[None].repeat(64, 0)
    frames = [Image.fromarray(one).convert("RGB") for one in (ramp, ramp[::-1, ::-1])]
    data = io.BytesIO()
    options = {"subsampling": "4:0:0", "range": name, "quality": 100}
    frames[0].save(data, "AVIF", save_all=True, append_images=frames[1:], **options)
    path = tmp_path / "a.mp4"  # an AVIF is a film of AV1 under another name
    path.write_bytes(data.getvalue().replace(b"ftypavis", b"ftypisom", 1))
    assert np.abs(columns(read(path)[0].image) - RAMP[:, None]).max() < 3


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("tags", [(1, 1, 1), (None, None, None), (9, 9, 14)])
def test_the_studio_shows_the_first_frame_as_it_is_read(
    tags: tuple[int | None, int | None, int | None], rotation: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    write_patches(path, tags, matrix=tags[0] or 6, rotation=rotation)
    seen, _ = read_first_frame(path, "a", 1)
    right = read(path)[0].image[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(np.asarray(seen) - right).max() <= 0.51
