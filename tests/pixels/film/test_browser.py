"""What belamy reads and writes is what Chromium shows, where there is one (apt, playwright)."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.pixels.film.films import ANIMATED, columns, frames, read, write, write_patches

from belamy.pixels.film import create_film
from belamy.pixels.film.save import save_video
from belamy.pixels.scenes import clouds

av = pytest.importorskip("av")
playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

MIME = {".mp4": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm", ".mkv": "video/x-matroska"}
IMAGES = {".gif": "image/gif", ".webp": "image/webp", ".apng": "image/png", ".avif": "image/avif"}

PLAY = """async ([data, type, time]) => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], {type}));
  await new Promise((done, failed) => {
    video.onloadeddata = done;
    video.onerror = () => failed(new Error(video.error.message));
  });
  await new Promise(done => { video.onseeked = done; video.currentTime = time; });
  await new Promise(done => setTimeout(done, 150));
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let text = '';
  for (let at = 0; at < pixels.length; at += 32768)
    text += String.fromCharCode.apply(null, pixels.subarray(at, at + 32768));
  return {width: canvas.width, height: canvas.height, seconds: video.duration, data: btoa(text)};
}"""

DELAYS = """async ([data, type]) => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const decoder = new ImageDecoder({data: bytes, type});
  await decoder.tracks.ready;
  await decoder.completed;
  const found = [];
  for (let index = 0; index < decoder.tracks.selectedTrack.frameCount; index++)
    found.push((await decoder.decode({frameIndex: index})).image.duration / 1000);
  return found;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.route("https://film.test/", lambda route: route.fulfill(body="<html></html>"))
        page.goto("https://film.test/")  # ImageDecoder wants a secure page
        yield page
        browser.close()


def play(page: Any, path: Path, time: float = 0.001) -> tuple[NDArray[np.float64], float]:
    """(H, W, 4) levels of a canvas at that time, and how long the film is."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    found = page.evaluate(PLAY, [data, MIME[path.suffix], time])
    pixels = np.frombuffer(base64.b64decode(found["data"]), np.uint8)
    return pixels.reshape(found["height"], found["width"], 4).astype(np.float64), found["seconds"]


def levels(image: torch.Tensor) -> NDArray[np.float64]:
    return np.asarray(image[0].permute(1, 2, 0) * 255, np.float64)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "h264"), (".mp4", "av1"), (".webm", "vp9"), (".webm", "av1")]
)
@pytest.mark.parametrize("picture", ["patches", "clouds"])
def test_what_is_written(suffix: str, codec: str, picture: str, page: Any, tmp_path: Path) -> None:
    """Within two levels in the mean, 15 at most, as belamy itself reads it."""
    image = clouds(240, 320)
    if picture == "patches":
        colours = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0.5] * 3])
        image = colours.T.repeat_interleave(64, dim=1)[None, :, None].expand(1, 3, 240, -1)
    path = tmp_path / f"a{suffix}"
    save_video([image] * 3, path, fps=10, codec=codec)  # type: ignore[arg-type]
    shown, seconds = play(page, path)
    ours = levels(read(path)[0].image)
    difference = np.abs(shown[..., :3] - ours)
    if picture == "patches":  # their middles; at their edges chroma is spread in other ways
        difference = difference[:, [index * 64 + 32 for index in range(6)]]
    assert difference.mean() < 2
    assert difference.max() <= 15
    assert np.abs(shown[..., :3] - levels(image)).mean() < 3
    assert seconds == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("codec", "tags", "height", "matrix", "full"),
    [
        ("libx264", (None, None, None), 718, 6, False),
        ("libx264", (None, None, None), 720, 1, False),
        ("libx264", (1, None, None), 64, 6, False),
        ("libx264", (None, None, None), 720, 6, True),
        ("libx264", (1, 1, 1), 64, 1, True),
        ("libx264", (6, 6, 6), 720, 6, False),
        ("libx264", (9, 9, 14), 64, 9, False),
        ("libx264", (1, 12, 13), 64, 1, False),
        ("libx264", (6, 5, 6), 64, 6, False),
        ("libvpx-vp9", (None, None, None), 720, 6, False),
        ("libvpx-vp9", (1, None, None), 64, 1, True),
        ("libsvtav1", (1, None, None), 720, 6, False),
        ("libsvtav1", (1, 1, 1), 64, 1, True),
    ],
)
def test_what_is_read(
    codec: str,
    tags: tuple[int | None, int | None, int | None],
    height: int,
    matrix: int,
    full: bool,
    page: Any,
    tmp_path: Path,
) -> None:
    """Tags as others write them, or do not."""
    path = tmp_path / ("a.webm" if codec == "libvpx-vp9" else "a.mp4")
    write_patches(path, tags, matrix=matrix, full=full, codec=codec, size=(height, 256))
    shown, _ = play(page, path)
    picture = torch.from_numpy(shown[..., :3]).permute(2, 0, 1)[None] / 255
    difference = np.abs(columns(picture) - columns(read(path)[0].image))
    assert difference.mean() < 2
    assert difference.max() <= 15


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_films_that_are_turned(rotation: int, page: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_patches(path, (1, 1, 1), matrix=1, size=(64, 128), rotation=rotation)
    shown, _ = play(page, path)
    ours = levels(read(path)[0].image)
    assert shown.shape[:2] == ours.shape[:2]
    assert np.abs(shown[..., :3] - ours).mean() < 8  # other edges of chroma; a wrong turn is 100


def test_transparent_films(page: Any, tmp_path: Path) -> None:
    alpha = torch.ones(1, 1, 64, 128)
    alpha[..., 64:] = 0.4
    with create_film(tmp_path / "a.webm", size=(64, 128), frame_rate=Fraction(10)) as film:
        for index in range(3):
            film.write(
                torch.full((1, 3, 64, 128), 0.6), Fraction(index, 10), Fraction(1, 10), alpha
            )
    shown, _ = play(page, tmp_path / "a.webm")
    assert shown[32, 20].tolist() == pytest.approx([153, 153, 153, 255], abs=3)
    assert shown[32, 100].tolist() == pytest.approx([153, 153, 153, 102], abs=4)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_uneven_times(suffix: str, page: Any, tmp_path: Path) -> None:
    """A slow second stays one: the frame that stands is the one that is seen."""
    made = [torch.full((1, 3, 64, 64), level) for level in (0.1, 0.3, 0.5, 0.7, 0.9)]
    times = [Fraction(text) for text in ("0", "1/10", "13/10", "27/20", "2", "21/10")]
    write(tmp_path / f"a{suffix}", made, times)
    for time, level in ((0.05, 0.1), (1.2, 0.3), (1.32, 0.5), (1.6, 0.7), (2.05, 0.9)):
        shown, seconds = play(page, tmp_path / f"a{suffix}", time)
        assert shown[32, 32, 0] / 255 == pytest.approx(level, abs=0.02)
        assert seconds == pytest.approx(2.1, abs=0.01)


@pytest.mark.parametrize("suffix", ANIMATED)
def test_pictures_that_move_keep_their_pauses(suffix: str, page: Any, tmp_path: Path) -> None:
    times = [Fraction(ms, 1000) for ms in (0, 20, 60, 560, 600, 2000)]
    path = tmp_path / f"a{suffix}"
    write(path, frames(5), times)
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    shown = page.evaluate(DELAYS, [data, IMAGES[suffix]])
    assert shown == pytest.approx([20, 40, 500, 40, 1400])
    assert [float(one.duration) * 1000 for one in read(path)] == pytest.approx(shown)
