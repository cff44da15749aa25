"""Films: what is written comes back, plays everywhere, and carries its recipe."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.pixels.film.films import ANIMATED, error, every_suffix, frames, needs_av, read, write

from belamy.errors import BelamyError, ImageError, MissingExtra, OptionError, RecipeError
from belamy.pixels.film import create_film, is_film
from belamy.pixels.film.save import check_video, save_video
from belamy.pixels.formats.mp4 import comment_of, is_mp4
from belamy.pixels.images import save_image
from belamy.pixels.recipe import Recipe, read_recipe

RECIPE = Recipe("gan-walk", {"fps": 12.5, "words": "é “x”"}, (), {}, 3, "0.1.0", "2.13")
LONG = Recipe("gan-walk", {"words": "é" * 30_000}, (), {}, 3, "0.1.0", "2.13")


@every_suffix
def test_what_is_written_comes_back(suffix: str, tmp_path: Path) -> None:
    made = frames(10, 96, 128)
    save_video(iter(made), tmp_path / f"film{suffix}", fps=12.5)
    found = read(tmp_path / f"film{suffix}")
    assert [one.time for one in found] == [Fraction(index * 2, 25) for index in range(10)]
    assert {one.duration for one in found} == {Fraction(2, 25)}
    assert all(error(a.image, b) < 2 for a, b in zip(found, made, strict=True))


def test_a_folder_of_pngs_loses_nothing(tmp_path: Path) -> None:
    made = frames(3, 33, 45)
    times = [Fraction(0), Fraction(1, 30), Fraction(7, 10), Fraction(71, 100)]
    write(tmp_path / "film", made, times, recipe=RECIPE)
    found = read(tmp_path / "film")
    assert [(one.time, one.duration) for one in found] == [
        (a, b - a) for a, b in itertools.pairwise(times)
    ]
    assert all((a.image - b).abs().max() <= 0.5 / 255 for a, b in zip(found, made, strict=True))
    assert read_recipe(tmp_path / "film").options == RECIPE.options
    write(tmp_path / "film", made[:2], times[:3])  # its own are replaced
    assert len(read(tmp_path / "film")) == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear", "utf-8")
    with pytest.raises(BelamyError, match="there already"):
        write(tmp_path / "mine", made[:2], times[:3])
    assert (tmp_path / "mine" / "diary.txt").exists()


@needs_av
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "av1"), (".mp4", "vp9"), (".mkv", "vp9"), (".webm", "av1")]
)
def test_other_codecs(suffix: str, codec: str, tmp_path: Path) -> None:
    import av

    made = frames(4, 96, 128)
    save_video(made, tmp_path / f"film{suffix}", codec=codec, recipe=RECIPE)  # type: ignore[arg-type]
    with av.open(str(tmp_path / f"film{suffix}")) as film:
        assert codec in film.streams.video[0].codec_context.codec.canonical_name
    found = read(tmp_path / f"film{suffix}")
    assert all(error(a.image, b) < 2 for a, b in zip(found, made, strict=True))
    assert read_recipe(tmp_path / f"film{suffix}").film["codec"] == codec


@needs_av
def test_svt_writes_nothing_to_the_terminal(tmp_path: Path) -> None:
    program = (
        "import torch\nfrom belamy.pixels.film.save import save_video\n"
        f"save_video([torch.zeros(1, 3, 64, 64)] * 3, {str(tmp_path / 'a.webm')!r}, codec='av1')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr == done.stdout == b""


@needs_av
def test_an_mp4_is_one_that_every_player_takes(tmp_path: Path) -> None:
    import av

    path = tmp_path / "film.mp4"
    save_video(frames(3, 47, 61), path)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.width, context.height) == (62, 48)
        assert (context.colorspace, context.color_range) == (1, 1)  # BT.709, limited
        assert (context.color_primaries, context.color_trc) == (1, 13)
        frame = next(film.decode(stream)).to_ndarray(format="rgb24")
    first = frames(3, 47, 61)[0]
    assert abs(float(frame[:, -1].mean()) / 255 - float(first[..., -1].mean())) < 0.02
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


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp", ".avif"])
def test_a_frame_that_stands_still_is_held(suffix: str, tmp_path: Path) -> None:
    first, second = frames(2)
    path = tmp_path / f"film{suffix}"
    save_video([first, first, second, second, second], path, fps=10)
    assert [one.duration for one in read(path)] == [Fraction(2, 10), Fraction(3, 10)]


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp", ".avif"])
def test_what_no_browser_plays_so_fast_is_left_out(suffix: str, tmp_path: Path) -> None:
    """They hold a frame of a hundredth of a second for a tenth."""
    times = [Fraction(index, 120) for index in range(25)]
    write(tmp_path / f"film{suffix}", frames(24), times)
    found = read(tmp_path / f"film{suffix}")
    assert len(found) >= 8
    assert min(one.duration for one in found) > Fraction(1, 100)
    assert sum(one.duration for one in found) == pytest.approx(0.2)


def test_only_what_changes_is_written_into_a_gif(tmp_path: Path) -> None:
    ground = frames(1, 96, 128)[0]
    made = []
    for index in range(6):
        image = ground.clone()
        image[..., 40:50, 10 * index : 10 * index + 10] = 1 - image[..., 40:50, 20:30]
        made.append(image)
    save_video(made, tmp_path / "film.gif")
    save_video(made[:1], tmp_path / "one.gif")
    found = read(tmp_path / "film.gif")
    assert all(error(a.image, b) < 2 for a, b in zip(found, made, strict=True))
    one, all_ = ((tmp_path / name).stat().st_size for name in ("one.gif", "film.gif"))
    assert all_ < 2 * one + 5 * 800


@pytest.mark.parametrize("suffix", ANIMATED)
def test_slow_changes_are_frames_of_their_own(suffix: str, tmp_path: Path) -> None:
    """Pillow's own writer of WEBP leaves out every second one of these."""
    rows = torch.arange(64)[:, None] / 25
    made = []
    for step in range(12):
        wave = 0.5 + 0.35 * torch.sin((torch.arange(96)[None] + step) / 30 + rows)
        made.append(wave.expand(1, 3, -1, -1))
    save_video(made, tmp_path / f"film{suffix}")
    found = read(tmp_path / f"film{suffix}")
    assert len(found) == 12
    errors = [float((a.image - b).abs().mean()) for a, b in zip(found, made, strict=True)]
    assert max(errors) < 1.5 * min(errors) + 0.5 / 255


@every_suffix
@pytest.mark.parametrize("recipe", [RECIPE, LONG], ids=["short", "long"])
def test_the_recipe_travels_in_the_file(suffix: str, recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / f"film{suffix}"
    save_video(frames(3), path, recipe=recipe, quality=71)
    found = read_recipe(path)
    assert (found.engine, found.options, found.seed) == ("gan-walk", recipe.options, 3)
    assert (found.film["quality"], found.film["threads"]) == (71, 4)
    save_video(frames(3), path)
    with pytest.raises(RecipeError, match="carries no recipe"):
        read_recipe(path)


@needs_av
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_a_damaged_film_has_no_recipe_and_no_frames(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"film{suffix}"
    save_video(frames(3), path, recipe=RECIPE)
    data = path.read_bytes()
    for length in (20, 60, 400):
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match=r"cannot read .*film"):
            read(path)
        with pytest.raises(RecipeError):
            read_recipe(path)


def test_a_damaged_mp4_has_no_comment(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x14ftypisom\0\0\0\0isom")
    assert is_mp4(path)
    assert comment_of(path) is None


@every_suffix
@pytest.mark.filterwarnings("ignore")
def test_the_same_frames_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_video(frames(4), tmp_path / f"{name}{suffix}", recipe=RECIPE)
        second_of_the_clock = int(time.time())
        while int(time.time()) == second_of_the_clock and suffix == ".avif":
            time.sleep(0.05)  # libavif writes it down
    first, second = (tmp_path / f"{name}{suffix}" for name in "ab")
    assert first.read_bytes() == second.read_bytes()


@every_suffix
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


@pytest.mark.parametrize(
    "suffix", [".gif", ".apng", ".webp", pytest.param(".webm", marks=needs_av)]
)
def test_transparency_stays(suffix: str, tmp_path: Path) -> None:
    made, alpha = frames(3), torch.ones(1, 1, 48, 64)
    alpha[..., 32:] = 0
    with create_film(tmp_path / f"film{suffix}", size=(48, 64), frame_rate=Fraction(10)) as film:
        for index, image in enumerate(made):
            film.write(image, Fraction(index, 10), Fraction(1, 10), alpha)
    for one, image in zip(read(tmp_path / f"film{suffix}"), made, strict=True):
        assert one.alpha is not None
        assert (one.alpha - alpha).abs().mean() < 0.01
        assert error(one.image[..., :24], image[..., :24]) < 3


@needs_av
def test_what_keeps_no_transparency_shows_white(tmp_path: Path) -> None:
    with create_film(tmp_path / "a.mp4", size=(48, 64), frame_rate=Fraction(10)) as film:
        film.write(frames(1)[0], Fraction(0), Fraction(1, 10), torch.zeros(1, 1, 48, 64))
    assert read(tmp_path / "a.mp4")[0].image.min() > 0.98


@needs_av
def test_a_higher_quality_is_nearer(tmp_path: Path) -> None:
    made = frames(3)
    errors = []
    for quality in (30, 100):
        path = tmp_path / f"{quality}.mp4"
        save_video(made, path, quality=quality)
        errors.append(float((read(path)[0].image - made[0]).abs().mean()))
    assert errors[1] < errors[0] / 2


@needs_av
def test_x264_is_held_to_its_threads(tmp_path: Path) -> None:
    """Its bytes depend on them: a recipe says how many there were."""
    made = [torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(i)) for i in range(8)]
    for threads in (1, 4):
        save_video(made, tmp_path / f"{threads}.mp4", threads=threads)
    save_video(made, tmp_path / "usual.mp4")
    one, four, usual = ((tmp_path / f"{name}.mp4").read_bytes() for name in (1, 4, "usual"))
    assert four == usual != one


def test_misuse_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"'.avi'; use .mp4 .mov .mkv .webm .gif"):
        check_video("film.avi")
    for fps in (0.0, -1.0, 60.0, float("nan")):
        with pytest.raises(OptionError, match="fps"):
            check_video("film.gif", fps)
    for options in ({"quality": 0}, {"threads": 0}, {"codec": "vp9"}, {"codec": "av1"}):
        with pytest.raises(OptionError):
            create_film(tmp_path / "a.gif", size=(8, 8), frame_rate=Fraction(25), **options)
    with pytest.raises(OptionError, match="sides are from 1"):
        create_film(tmp_path / "a.gif", size=(8, 0), frame_rate=Fraction(25))


@needs_av
def test_a_container_says_which_codecs_it_takes() -> None:
    with pytest.raises(OptionError, match=r"codec is h264; a .webm takes vp9, av1"):
        check_video("film.webm", codec="h264")


def test_without_pyav_a_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    for suffix in (".mp4", ".mov", ".mkv", ".webm"):
        with pytest.raises(MissingExtra, match=r"pip install 'belamy\[video\]'"):
            check_video(f"film{suffix}")
    (tmp_path / "film.mkv").write_bytes(b"\x1aE\xdf\xa3")
    with pytest.raises(MissingExtra, match=r"pip install 'belamy\[video\]'"):
        read(tmp_path / "film.mkv")
    save_video(frames(2), tmp_path / "film.gif")  # needs none
    assert len(read(tmp_path / "film.gif")) == 2


def test_what_moves_is_known(tmp_path: Path) -> None:
    save_video(frames(2), tmp_path / "film.gif")
    save_image(frames(1)[0], tmp_path / "still.gif")
    assert is_film(tmp_path / "film.gif")
    assert not is_film(tmp_path / "still.gif")
    with pytest.raises(ImageError, match="does not move"):
        read(tmp_path / "still.gif")
