"""Films: what is written comes back, plays everywhere, and carries its recipe."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import BelamyError, ImageError, MissingExtra, OptionError, RecipeError
from belamy.pixels.images import save_image
from belamy.pixels.mp4 import comment_of, is_mp4
from belamy.pixels.recipe import Recipe, read_recipe
from belamy.pixels.video import check_video, is_animated, read_video, save_video

RECIPE = Recipe("gan-walk", {"fps": 12.5, "words": "é “x”"}, (), {}, 3, "0.1.0", "2.13")


def frames(count: int, height: int = 48, width: int = 64) -> list[Tensor]:
    """Soft colours that move to the right."""
    rough = torch.rand(1, 3, 4, 5, generator=make_rng(0, "film"))
    wide = torch.nn.functional.interpolate(rough, (height, width + count), mode="bicubic")
    return [wide.clamp(0, 1)[..., index : index + width] for index in range(count)]


def films(*suffixes: str) -> pytest.MarkDecorator:
    try:
        import av  # noqa: F401
    except ImportError:
        suffixes = tuple(suffix for suffix in suffixes if suffix != ".mp4")
    return pytest.mark.parametrize("suffix", suffixes)


def error(found: Tensor, wanted: Tensor) -> float:
    """Of the mean colours of small blocks, so that dithering does not count."""
    return float(torch.nn.functional.avg_pool2d(found - wanted, 8).abs().mean())


@films(".gif", ".mp4")
def test_what_is_written_comes_back(suffix: str, tmp_path: Path) -> None:
    made = frames(10)
    save_video(iter(made), tmp_path / f"film{suffix}", fps=12.5)
    with read_video(tmp_path / f"film{suffix}") as video:
        found = list(video.frames)
    assert video.fps == pytest.approx(12.5)
    assert len(found) == 10
    assert all(error(a, b) < 0.02 for a, b in zip(found, made, strict=True))


@films(".mp4")
def test_colours_are_not_shifted(suffix: str, tmp_path: Path) -> None:
    colours = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.2, 0.8], [0.9, 0.9, 0.9]])
    made = [colour.reshape(1, 3, 1, 1).expand(1, 3, 32, 32) for colour in colours]
    save_video(made, tmp_path / "film.mp4", fps=1)
    with read_video(tmp_path / "film.mp4") as video:
        for found, wanted in zip(video.frames, made, strict=True):
            assert error(found, wanted) < 0.015


@films(".mp4")
def test_an_mp4_is_one_that_every_player_takes(suffix: str, tmp_path: Path) -> None:
    import av

    path = tmp_path / "film.mp4"
    save_video(frames(3, 47, 61), path)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.width, context.height) == (62, 48)
        assert (context.colorspace, context.color_range) == (1, 1)  # BT.709, limited
        frame = next(film.decode(stream)).to_ndarray(format="rgb24")
    wanted = frames(3, 47, 61)[0]
    assert abs(float(frame[:, -1].mean()) / 255 - float(wanted[..., -1].mean())) < 0.02
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_gif_plays_round_and_round_and_keeps_time(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    save_video(frames(30), path, fps=30)
    with Image.open(path) as film:
        assert film.info["loop"] == 0
        delays = []
        for index in range(film.n_frames):
            film.seek(index)
            delays.append(film.info["duration"])
    assert set(delays) == {30, 40}
    assert sum(delays) == 1000


def test_a_frame_that_stands_still_is_held(tmp_path: Path) -> None:
    first, second = frames(2)
    save_video([first, first, second], tmp_path / "film.gif", fps=10)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 2
        assert film.info["duration"] == 200


@films(".gif", ".mp4")
def test_the_recipe_travels_in_the_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"film{suffix}"
    save_video(frames(3), path, recipe=RECIPE)
    assert read_recipe(path) == RECIPE
    save_video(frames(3), path)
    with pytest.raises(RecipeError, match="carries no recipe"):
        read_recipe(path)


@films(".mp4")
def test_a_damaged_mp4_has_no_recipe_and_no_frames(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    save_video(frames(3), path, recipe=RECIPE)
    data = path.read_bytes()
    assert is_mp4(path)
    for length in (20, 60, 400, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(BelamyError), read_video(path) as video:
            list(video.frames)
    path.write_bytes(data[:20])
    assert comment_of(path) is None
    with pytest.raises(RecipeError):
        read_recipe(path)


@films(".gif", ".mp4")
def test_the_same_frames_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_video(frames(4), tmp_path / f"{name}{suffix}", recipe=RECIPE)
    first, second = (tmp_path / f"{name}{suffix}" for name in "ab")
    assert first.read_bytes() == second.read_bytes()


@films(".gif", ".mp4")
def test_what_fails_leaves_what_was_there(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"film{suffix}"
    path.write_bytes(b"before")
    for bad, cause in (
        ([], "no frames"),
        ([*frames(2), *frames(1, 20, 20)], "take one size"),
        ([frames(1)[0] * float("nan")], "not numbers"),
    ):
        with pytest.raises(ImageError, match=cause):
            save_video(bad, path)
        assert path.read_bytes() == b"before"
        assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_misuse_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"'.avi'; use .gif .mp4"):
        check_video("film.avi")
    for fps in (0.0, -1.0, 60.0, float("nan")):
        with pytest.raises(OptionError, match="fps"):
            check_video("film.gif", fps)
    with pytest.raises(ImageError, match="no such"), read_video(tmp_path / "none.mp4"):
        pass


def test_without_pyav_a_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"pip install 'belamy\[video\]'"):
        check_video("film.mp4")
    save_video(frames(2), tmp_path / "film.gif")  # needs none


def test_what_moves_is_known(tmp_path: Path) -> None:
    save_video(frames(2), tmp_path / "film.gif")
    save_image(frames(1)[0], tmp_path / "still.gif")
    assert is_animated(tmp_path / "film.gif")
    assert not is_animated(tmp_path / "still.gif")
    with pytest.raises(ImageError, match="does not move"), read_video(tmp_path / "still.gif"):
        pass


@pytest.mark.parametrize("delay", [0, None])
def test_a_gif_without_delays_plays_as_browsers_play_it(delay: int | None, tmp_path: Path) -> None:
    first, *rest = (Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 80, 160, 240))
    asked = {} if delay is None else {"duration": delay}
    first.save(tmp_path / "film.gif", save_all=True, append_images=rest, **asked)
    with read_video(tmp_path / "film.gif") as video:
        assert video.fps == pytest.approx(10)
        assert len(list(video.frames)) == 4


def test_the_fps_of_a_gif_is_that_of_its_delays(tmp_path: Path) -> None:
    first, *rest = (Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 80, 160, 240))
    first.save(tmp_path / "a.gif", save_all=True, append_images=rest, duration=[40, 0, 60, 200])
    with read_video(tmp_path / "a.gif") as video:
        assert video.fps == pytest.approx(4 / (0.04 + 0.1 + 0.06 + 0.2))
