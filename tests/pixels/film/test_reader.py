"""Films in containers are read as they play: each frame in time, upright, of square pixels."""

from __future__ import annotations

import gc
import os
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pixels.film.films import IN_CONTAINERS, error, frames, read, write

from belamy.errors import ImageError, OptionError, PictureWarning
from belamy.pixels.film import container, create_film, is_film, open_film

av = pytest.importorskip("av")

RATES = (Fraction(24_000, 1001), Fraction(25), Fraction(30_000, 1001), Fraction(60))
UNEVEN = [Fraction(ms, 1000) for ms in (0, 7, 19, 20, 41, 70, 171, 200)]


def encode(path: Path, pixels: list[np.ndarray], **settings: object) -> None:
    """A film of 8-bit RGB frames, ten a second, as PyAV writes it."""
    rotation, shape = settings.get("rotation"), settings.get("shape")
    with av.open(str(path), "w") as film:
        stream = film.add_stream(str(settings.get("codec", "libx264")), rate=10)
        stream.height, stream.width = pixels[0].shape[:2]
        stream.pix_fmt = str(settings.get("form", "yuv420p"))
        stream.codec_context.options = {"crf": "10"}
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        for index, one in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(one, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def quarters(height: int = 64, width: int = 96) -> np.ndarray:
    """Red, green, blue and white, clockwise from the upper left."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2, 0] = 255
    pixels[: height // 2, width // 2 :, 1] = 255
    pixels[height // 2 :, width // 2 :, 2] = 255
    pixels[height // 2 :, : width // 2] = 255
    return pixels


def corners(image: torch.Tensor) -> str:
    """Their colours, clockwise from the upper left."""
    height, width = image.shape[-2:]
    points = [(8, 8), (8, width - 8), (height - 8, width - 8), (height - 8, 8)]
    names = {(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 1): "w"}
    return "".join(names[tuple(image[0, :, y, x].round().int().tolist())] for y, x in points)


@pytest.mark.parametrize("suffix", IN_CONTAINERS)
@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.2f}")
def test_rates(suffix: str, rate: Fraction, tmp_path: Path) -> None:
    times = [index / rate for index in range(9)]
    write(tmp_path / f"a{suffix}", frames(8), times, frame_rate=rate)
    with open_film(tmp_path / f"a{suffix}") as film:
        assert film.expected_frames == 8
        assert float(film.frame_rate) == pytest.approx(float(rate), rel=1e-3)
        found = list(film)
    exact = suffix in (".mp4", ".mov")  # others count milliseconds
    slack = 0 if exact else 0.000_51
    assert [float(one.time) for one in found] == pytest.approx(
        list(map(float, times[:-1])), abs=slack
    )
    assert float(found[-1].time + found[-1].duration) == pytest.approx(float(times[-1]), abs=0.001)


@pytest.mark.parametrize("suffix", IN_CONTAINERS)
@pytest.mark.parametrize("codec", ["h264", "vp9", "av1"])
def test_uneven_times(suffix: str, codec: str, tmp_path: Path) -> None:
    if codec not in {".mov": "h264", ".webm": "vp9 av1"}.get(suffix, "h264 vp9 av1").split():
        return
    path = tmp_path / f"a{suffix}"
    write(path, frames(7, 64, 64), UNEVEN, codec=codec)
    for target in (path, tmp_path / "again.mp4"):  # read and written again, they stay
        found = read(target if target == path else path)
        spans = [*(one.time for one in found), found[-1].time + found[-1].duration]
        assert [float(one) for one in spans] == pytest.approx(list(map(float, UNEVEN)), abs=0.0006)
        with create_film(tmp_path / "again.mp4", size=(64, 64), frame_rate=Fraction(25)) as film:
            for one in found:
                film.write(one.image, one.time, one.duration)


@pytest.mark.parametrize(
    ("rotation", "seen"), [(0, "rgbw"), (90, "gbwr"), (180, "bwrg"), (270, "wrgb"), (-90, "wrgb")]
)
def test_rotation(rotation: int, seen: str, tmp_path: Path) -> None:
    """Counter-clockwise, as FFmpeg counts."""
    encode(tmp_path / "a.mp4", [quarters()] * 2, rotation=rotation)
    with open_film(tmp_path / "a.mp4") as film:
        assert film.size == ((64, 96) if rotation % 180 == 0 else (96, 64))
        assert {corners(one.image) for one in film} == {seen}


@pytest.mark.parametrize(
    ("matrix", "seen"),
    [((-1, 0, 0, 1), "grwb"), ((1, 0, 0, -1), "wbgr"), ((0, 1, 1, 0), "rwbg")],
    ids=["left-right", "up-down", "along the diagonal"],
)
def test_a_mirrored_film(matrix: tuple[int, ...], seen: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    encode(path, [quarters()] * 2)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # where a track's matrix stands
    for place, value in zip((0, 1, 3, 4), matrix, strict=True):
        data[at + 4 * place : at + 4 * place + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    assert {corners(one.image) for one in read(path)} == {seen}


@pytest.mark.parametrize(
    ("shape", "size"),
    [(Fraction(4, 3), (64, 128)), (Fraction(3, 4), (85, 96)), (Fraction(1), (64, 96))],
)
def test_pixels_become_square(shape: Fraction, size: tuple[int, int], tmp_path: Path) -> None:
    encode(tmp_path / "a.mp4", [quarters()] * 2, shape=shape)
    with open_film(tmp_path / "a.mp4") as film:
        assert film.size == size
        assert {tuple(one.image.shape[-2:]) for one in film} == {size}
    encode(tmp_path / "b.mp4", [quarters()] * 2, shape=shape, rotation=90)
    with open_film(tmp_path / "b.mp4") as film:
        assert film.size == size[::-1]


@pytest.mark.parametrize("suffix", [".webm", ".mkv", ".mp4"])
def test_odd_sizes(suffix: str, tmp_path: Path) -> None:
    made = frames(2, 47, 61)
    write(tmp_path / f"a{suffix}", made, [Fraction(0), Fraction(1, 10), Fraction(2, 10)])
    found = read(tmp_path / f"a{suffix}")[0].image
    assert found.shape[-2:] == ((47, 61) if suffix == ".webm" else (48, 62))
    assert error(found[..., :47, :61], made[0]) < 3


def test_other_peoples_containers(tmp_path: Path) -> None:
    for name, codec in (
        ("a.avi", "mpeg4"),
        ("a.mkv", "ffv1"),
        ("a.mov", "mjpeg"),
        ("a.ts", "mpeg2video"),
    ):
        form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "mpeg2video":  # which knows few rates
            continue
        encode(tmp_path / name, [quarters()] * 3, codec=codec, form=form)
        found = read(tmp_path / name)
        assert [float(one.time) for one in found] == pytest.approx([0, 0.1, 0.2], abs=0.001), name
        assert {corners(one.image) for one in found} == {"rgbw"}
        assert is_film(tmp_path / name)


def test_a_film_that_does_not_begin_at_zero(tmp_path: Path) -> None:
    """As recordings of television do."""
    with av.open(str(tmp_path / "a.ts"), "w", format="mpegts") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index in range(5):
            frame = av.VideoFrame.from_ndarray(quarters(), format="rgb24")
            frame.pts, frame.time_base = 3000 + index, Fraction(1, 10)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    assert [float(one.time) for one in read(tmp_path / "a.ts")] == pytest.approx(
        [0, 0.1, 0.2, 0.3, 0.4]
    )


def test_a_part_at_another_size(tmp_path: Path) -> None:
    made = frames(30, 64, 96)
    write(tmp_path / "a.mp4", made, [Fraction(index, 10) for index in range(31)])
    with open_film(tmp_path / "a.mp4", start=1.05, end=2.0, size=48) as film:
        assert (film.size, film.expected_frames) == ((32, 48), 10)
        found = list(film)
    assert [float(one.time) for one in found] == pytest.approx(
        [1.05, *(1.1 + i / 10 for i in range(9))]
    )
    assert float(found[-1].time + found[-1].duration) == pytest.approx(2)
    small = torch.nn.functional.interpolate(made[10], (32, 48), mode="area")
    assert error(found[0].image, small) < 3


def test_other_rates_keep_the_length(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", frames(24), [Fraction(index, 24) for index in range(25)])
    for options, count in (({"fps": 12.0}, 12), ({"fps": 30.0}, 30), ({"every": 5}, 5)):
        with open_film(tmp_path / "a.mp4", **options) as film:
            assert film.expected_frames == count
            found = list(film)
        assert len(found) == count
        assert sum(one.duration for one in found) == pytest.approx(1)


@pytest.mark.parametrize(
    "options",
    [{"fps": 0}, {"start": -1}, {"start": 2, "end": 1}, {"every": 0}, {"size": 2}, {"end": 0}],
    ids=str,
)
def test_what_cannot_be_taken(options: dict[str, float], tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        open_film(tmp_path / "a.mp4", **options)


def test_a_start_behind_the_end(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", frames(2), [Fraction(0), Fraction(1), Fraction(2)])
    write(tmp_path / "a.gif", frames(2), [Fraction(0), Fraction(1), Fraction(2)])
    with pytest.raises(OptionError, match="start is 5; the film is 2 seconds long"):
        open_film(tmp_path / "a.mp4", start=5)
    with pytest.raises(OptionError, match="start is 5; the film has ended before it"):
        read(tmp_path / "a.gif", start=5)


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    import tracemalloc

    peaks = []
    for count in (10, 60):
        write(
            tmp_path / "a.mp4", frames(count), [Fraction(index, 10) for index in range(count + 1)]
        )
        tracemalloc.start()
        with open_film(tmp_path / "a.mp4") as film:
            assert sum(1 for _ in film) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def open_files() -> set[str]:
    folder = Path("/proc/self/fd")
    return {str(one.readlink()) for one in folder.iterdir() if one.exists()}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc")
def test_files_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write(path, frames(6), [Fraction(index, 10) for index in range(7)])
    (tmp_path / "bad.mp4").write_bytes(path.read_bytes()[:700])
    with open_film(path) as film:
        next(iter(film))
    with pytest.raises(ImageError):
        open_film(tmp_path / "bad.mp4")
    two_sizes = [*frames(2), frames(1, 32, 32)[0]]
    with pytest.raises(ImageError, match="take one size"):
        write(tmp_path / "b.mp4", two_sizes, list(map(Fraction, range(4))), sound_from=path)
    gc.collect()
    assert not [name for name in open_files() if str(tmp_path) in name]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.mp4", "bad.mp4"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_of_a_film_that_is_cut_off_what_is_whole_is_kept(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    made = frames(40, 64, 96)
    write(path, made, [Fraction(index, 10) for index in range(41)])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    with pytest.warns(PictureWarning, match=r"ends at [123]\.\d of 4.0 seconds: it is cut off"):
        found = read(path)
    assert 15 < len(found) < 40
    assert all(error(a.image, b) < 4 for a, b in zip(found, made, strict=False))


def test_a_cut_off_film_without_its_index(tmp_path: Path) -> None:
    encode(tmp_path / "a.mp4", [quarters()] * 20)  # whose index comes last
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(
        ImageError, match=r"cannot read .*a.mp4: it is damaged, cut off, or no film"
    ):
        open_film(tmp_path / "a.mp4")


def test_a_whole_film_is_not_called_cut_off(tmp_path: Path) -> None:
    for suffix in IN_CONTAINERS:
        write(tmp_path / f"a{suffix}", frames(3), [Fraction(i) for i in range(4)])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(read(tmp_path / f"a{suffix}")) == 3


def test_damage_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    write(path, [torch.rand(1, 3, 64, 64) for _ in range(30)], [Fraction(i, 10) for i in range(31)])
    data = bytearray(path.read_bytes())
    at = len(data) // 2
    data[at : at + 3000] = os.urandom(3000)
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert 5 < len(read(path)) <= 30


def test_what_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no such file"):
        open_film(tmp_path / "none.mp4")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("once upon a time " * 100, "utf-8")
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'a.mp4'}\n", "utf-8")
    (tmp_path / "list.txt").write_text(
        f"ffconcat version 1.0\nfile '{tmp_path / 'a.mp4'}'\n", "utf-8"
    )
    write(tmp_path / "a.mp4", frames(2), [Fraction(0), Fraction(1), Fraction(2)])
    for name in ("empty.mp4", "text.mp4", "list.m3u8", "list.txt"):
        assert not is_film(tmp_path / name)
        with pytest.raises(ImageError, match="damaged, cut off, or no film") as caught:
            open_film(tmp_path / name)
        assert "\n" not in str(caught.value)
    for name in ("concat:a.mp4", "http://localhost/a.mp4", "a\0b.mp4", "pipe:0"):
        with pytest.raises(ImageError):
            open_film(name)


def test_sound_alone_and_a_cover(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as film:
        audio = film.add_stream("aac", rate=44_100)
        audio.layout = "mono"
        block = av.AudioFrame.from_ndarray(
            np.zeros((1, 44_100), np.float32), format="fltp", layout="mono"
        )
        block.sample_rate, block.pts = 44_100, 0
        film.mux(audio.encode(block))
        film.mux(audio.encode(None))
    with pytest.raises(ImageError, match="no moving picture"):
        open_film(tmp_path / "a.m4a")


def test_texts_that_are_not_utf8(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", frames(2), [Fraction(0), Fraction(1), Fraction(2)])
    with (
        av.open(str(tmp_path / "a.mkv")) as source,
        av.open(str(tmp_path / "b.mkv"), "w") as target,
    ):
        target.metadata["title"] = "ZZZZ"
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = (tmp_path / "b.mkv").read_bytes()
    (tmp_path / "b.mkv").write_bytes(data.replace(b"ZZZZ", b"\xe9\xff\xfe\xe4"))
    assert len(read(tmp_path / "b.mkv")) == 2


def test_frames_have_a_largest_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", frames(2), [Fraction(0), Fraction(1), Fraction(2)])
    monkeypatch.setattr(container, "MOST_MEGAPIXELS", 0.003)
    with pytest.raises(ImageError, match=r"has 0.0 megapixels \(64 × 48\), the limit is 0.003"):
        open_film(tmp_path / "a.mp4")


def test_a_film_that_was_drained(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", frames(2), [Fraction(0), Fraction(1), Fraction(2)])
    with open_film(tmp_path / "a.mp4") as film:
        assert len(list(film)) == 2
        assert len(list(film)) == 2  # from the beginning again
