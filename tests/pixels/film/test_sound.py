"""Sound stays in step with the picture: a beep comes with a flash, whatever was cut or copied."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.pixels.film.films import IN_CONTAINERS, frames

from belamy.pixels.film import create_film, open_film
from belamy.pixels.film.sound import open_sound

av = pytest.importorskip("av")

FLASHES = (0.4, 1.0, 1.6)
_STEP = 0.02  # seconds by which sound and picture may differ


def write_flashes(
    path: Path,
    *,
    seconds: float = 2.0,
    sound: float | None = None,
    codec: str = "aac",
    rate: int = 44_100,
    layout: str = "stereo",
    flashes: tuple[float, ...] = FLASHES,
    fps: int = 20,
) -> None:
    """A dark film that flashes for .1 s, and beeps then."""
    with av.open(str(path), "w") as film:
        picture = film.add_stream("libx264", rate=fps, options={"crf": "30", "bf": "0"})
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        audio = film.add_stream(codec, rate=rate)
        audio.layout = layout
        for index in range(round(seconds * fps)):
            lit = any(0 <= index / fps - start < 0.099 for start in flashes)
            pixels = np.full((32, 32, 3), 230 if lit else 20, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        time = np.arange(round((sound or seconds) * rate)) / rate
        loud = sum(((time >= start) & (time < start + 0.1)) for start in flashes)
        wave = (0.5 * np.sin(2 * np.pi * 880 * time) * loud).astype(np.float32)
        samples = np.tile(wave, (audio.codec_context.channels, 1))
        block = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        block.sample_rate, block.pts, block.time_base = rate, 0, Fraction(1, rate)
        film.mux(audio.encode(block))
        film.mux(audio.encode(None))


def flashes_of(path: Path) -> list[float]:
    """When the picture turns bright."""
    with open_film(path) as film:
        found = [(float(frame.time), float(frame.image.mean())) for frame in film]
    levels = [0.0, *(level for _, level in found)]
    return [
        time for (time, level), before in zip(found, levels, strict=False) if level > 0.5 > before
    ]


def wave_of(path: Path) -> tuple[NDArray[np.float32], int, float]:
    """The sound of a film as one wave, its rate, and when it begins."""
    with av.open(str(path)) as film:
        stream = film.streams.audio[0]
        resampler = av.AudioResampler("flt", "mono", stream.rate)
        parts, begin = [], None
        for frame in film.decode(stream):
            begin = frame.time if begin is None else begin
            parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
        return np.concatenate(parts), stream.rate, float(begin or 0)


def beeps_of(path: Path) -> list[float]:
    """When it turns loud."""
    wave, rate, begin = wave_of(path)
    loud = np.abs(wave) > 0.1
    places = np.flatnonzero(loud)
    first = [place for place in places if not loud[max(0, place - rate // 20) : place].any()]
    return [place / rate + begin for place in first]


def copy_film(source: Path, target: Path, **cut: float) -> None:
    with (
        open_film(source, **cut) as film,
        create_film(
            target,
            size=film.size,
            frame_rate=film.frame_rate,
            sound_from=source,
            start=cut.get("start"),
            end=cut.get("end"),
        ) as output,
    ):
        for frame in film:
            output.write(frame.image, frame.time, frame.duration)


def assert_in_step(path: Path, *expected: float) -> None:
    flashes, beeps = flashes_of(path), beeps_of(path)
    assert flashes == pytest.approx(list(expected), abs=0.03)
    assert beeps == pytest.approx(flashes, abs=_STEP)


@pytest.mark.parametrize("target", IN_CONTAINERS)
@pytest.mark.parametrize(
    ("source", "codec"), [(".mp4", "aac"), (".mkv", "libopus"), (".mov", "pcm_s16le")]
)
def test_sound_is_taken_along(target: str, source: str, codec: str, tmp_path: Path) -> None:
    rate = 48_000 if codec == "libopus" else 44_100
    write_flashes(tmp_path / f"in{source}", codec=codec, rate=rate)
    copy_film(tmp_path / f"in{source}", tmp_path / f"out{target}")
    assert_in_step(tmp_path / f"out{target}", *FLASHES)


@pytest.mark.parametrize(
    ("codec", "suffix", "copied"),
    [("aac", ".mp4", True), ("libopus", ".webm", True), ("aac", ".webm", False)],
)
def test_what_the_container_takes_is_copied(
    codec: str, suffix: str, copied: bool, tmp_path: Path
) -> None:
    write_flashes(tmp_path / "in.mkv", codec=codec, rate=48_000)
    copy_film(tmp_path / "in.mkv", tmp_path / f"out{suffix}")
    packets = []
    for name in ("in.mkv", f"out{suffix}"):
        with av.open(str(tmp_path / name)) as film:
            stream = film.streams.audio[0]
            packets.append([bytes(packet) for packet in film.demux(stream) if packet.size])
    assert (packets[0] == packets[1]) == copied


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_part_of_a_film_has_that_part_of_its_sound(suffix: str, tmp_path: Path) -> None:
    write_flashes(tmp_path / "in.mp4")
    copy_film(tmp_path / "in.mp4", tmp_path / f"out{suffix}", start=0.73, end=1.85)
    assert_in_step(tmp_path / f"out{suffix}", 0.27, 0.87)
    wave, rate, _ = wave_of(tmp_path / f"out{suffix}")
    assert len(wave) / rate == pytest.approx(1.12, abs=0.03)


@pytest.mark.parametrize("sound", [1.2, 3.0])
@pytest.mark.parametrize("cut", [{}, {"start": 0.2}])
def test_sound_that_is_longer_or_shorter(
    sound: float, cut: dict[str, float], tmp_path: Path
) -> None:
    write_flashes(tmp_path / "in.mp4", sound=sound)
    copy_film(tmp_path / "in.mp4", tmp_path / "out.mp4", **cut)
    begin = cut.get("start", 0.0)
    heard = [one - begin for one in FLASHES if one < sound]
    assert flashes_of(tmp_path / "out.mp4") == pytest.approx([x - begin for x in FLASHES], abs=0.03)
    assert beeps_of(tmp_path / "out.mp4") == pytest.approx(heard, abs=_STEP)
    wave, rate, _ = wave_of(tmp_path / "out.mp4")
    assert len(wave) / rate == pytest.approx(sound - begin, abs=0.06)


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_channels(layout: str, tmp_path: Path) -> None:
    write_flashes(tmp_path / "in.mkv", layout=layout, rate=48_000)
    copy_film(tmp_path / "in.mkv", tmp_path / "out.webm")
    assert_in_step(tmp_path / "out.webm", *FLASHES)
    with av.open(str(tmp_path / "out.webm")) as film:
        assert film.streams.audio[0].codec_context.channels == (1 if layout == "mono" else 2)


@pytest.mark.parametrize(
    ("target", "rate", "start"),
    [
        (".mp4", 11_025, 0.0),  # copied
        pytest.param(".mp4", 11_025, 0.5, marks=pytest.mark.slow),  # encoded anew
        pytest.param(".webm", 44_100, 0.0, marks=pytest.mark.slow),
    ],
)
def test_ten_minutes_stay_in_step(target: str, rate: int, start: float, tmp_path: Path) -> None:
    """The sound of such a film, beside few pictures."""
    flashes = (1.0, 300.0, 599.0)
    source, size = tmp_path / "in.mp4", (32, 32)
    write_flashes(source, seconds=600, fps=1, flashes=flashes, layout="mono", rate=rate)
    with create_film(
        tmp_path / f"out{target}",
        size=size,
        frame_rate=Fraction(1),
        sound_from=source,
        start=start,
    ) as film:
        for second in range(1, 600, 20):
            film.write(torch.zeros(1, 3, *size), Fraction(second), Fraction(20))
    heard = [one - start for one in flashes]
    assert beeps_of(tmp_path / f"out{target}") == pytest.approx(heard, abs=_STEP)


def test_a_hole_in_the_sound_stays_one(tmp_path: Path) -> None:
    """Where packets were lost, what follows comes when it came."""
    write_flashes(tmp_path / "in.mkv", codec="pcm_s16le")
    with (
        av.open(str(tmp_path / "in.mkv")) as source,
        av.open(str(tmp_path / "hole.mkv"), "w") as target,
    ):
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            lost = packet.stream.type == "audio" and 0.6 < float(packet.pts or 0) / 1000 < 0.9
            if packet.dts is not None and not lost:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    copy_film(tmp_path / "hole.mkv", tmp_path / "out.mp4", end=1.9)
    assert_in_step(tmp_path / "out.mp4", *FLASHES)


def test_picture_that_begins_after_its_sound(tmp_path: Path) -> None:
    write_flashes(tmp_path / "in.mp4")
    with (
        av.open(str(tmp_path / "in.mp4")) as source,
        av.open(str(tmp_path / "late.mkv"), "w") as target,
    ):
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "video":
                shift = round(Fraction(3, 10) / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = streams[packet.stream.index]
            target.mux(packet)
    copy_film(tmp_path / "late.mkv", tmp_path / "out.mp4")
    assert flashes_of(tmp_path / "out.mp4") == pytest.approx([t + 0.3 for t in FLASHES], abs=0.03)
    assert beeps_of(tmp_path / "out.mp4") == pytest.approx(list(FLASHES), abs=0.04)


def test_what_has_no_sound_is_silent(tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    with create_film(silent, size=(48, 64), frame_rate=Fraction(10)) as film:
        film.write(frames(1)[0], Fraction(0), Fraction(1, 10))
    assert open_sound(silent, "aac", ("aac",), Fraction(0), None) is None
    write_flashes(tmp_path / "in.mp4")
    copy_film(tmp_path / "in.mp4", tmp_path / "out.gif")
    copy_film(silent, tmp_path / "out.webm")
    with av.open(str(tmp_path / "out.webm")) as film:
        assert not film.streams.audio
