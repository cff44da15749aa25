from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from belamy.cli import app
from belamy.cli.film.live_page import LivePage
from belamy.engines.film.live import Live, frames_of_film, newest
from belamy.errors import ImageError
from belamy.pixels.film.reader import open_film
from belamy.pixels.motion.rendered import RenderedFilm


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "film.gif"
    pixels = [RenderedFilm(40, 64).frame(index) for index in range(5)]
    pictures = [Image.fromarray((one[0].permute(1, 2, 0) * 255).byte().numpy()) for one in pixels]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=40, loop=0)
    return path


@pytest.fixture(scope="module")
def show(film: Path) -> Iterator[Live]:
    pytest.importorskip("cv2")
    made = Live(["starry-night", "starry-night"], steady=0.5)
    with newest(frames_of_film(film, 64)) as coming:
        made.run(islice(coming, 3))
    return made


def ask(address: str, **more: str) -> bytes:
    request = urllib.request.Request(address, headers=more)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def test_a_film_plays_at_its_own_pace_over_and_over(film: Path) -> None:
    began = time.monotonic()
    frames = list(islice(frames_of_film(film, 32), 8))
    assert {tuple(frame.shape) for frame in frames} == {(1, 3, 20, 32)}
    assert time.monotonic() - began > 0.2


def test_a_film_that_is_read_too_slowly_plays_slowly(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(path: Path, size: int) -> Any:
        class Slow:
            def __enter__(self) -> Iterator[Any]:
                for frame in open_film(path, size=size):
                    time.sleep(0.1)  # which last 0.04 seconds
                    yield frame

            def __exit__(self, *reason: object) -> None:
                pass

        return Slow()

    monkeypatch.setattr("belamy.engines.film.live.open_film", slowly)
    scene = list(islice(frames_of_film(film, 32), 5))
    assert all(not torch.equal(a, b) for a, b in pairwise(scene))


def test_the_newest_frame_is_what_is_painted_and_others_are_dropped() -> None:
    def count() -> Iterator[int]:
        for number in range(100):
            time.sleep(0.005)
            yield number

    with newest(count()) as coming:  # type: ignore[arg-type]
        seen = []
        for number in islice(coming, 4):
            time.sleep(0.06)
            seen.append(number)
    assert seen == sorted(seen)
    assert seen[-1] > 4  # type: ignore[operator]


def test_a_source_that_fails_says_so(tmp_path: Path) -> None:
    with newest(frames_of_film(tmp_path / "no.mp4", 32)) as coming, pytest.raises(ImageError):
        next(coming)


def test_the_page_shows_what_is_painted_and_switches_styles(show: Live) -> None:
    with LivePage(show) as page:
        assert b"belamy live" in ask(page.address)
        state = json.loads(ask(page.address + "state"))
        assert state["styles"] == ["starry-night", "starry-night"]
        assert state["frames"] == 3
        assert state["rate"] > 0
        for number, chosen in (("1", 1), ("next", 0), ("9", 0), ("x", 0)):
            request = urllib.request.Request(f"{page.address}style?number={number}", method="POST")
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert json.loads(answer.read())["style"] == chosen
        with urllib.request.urlopen(page.address + "film", timeout=10) as stream:
            head = [stream.readline() for _ in range(4)]
            length = int(head[2].split()[-1])
            with Image.open(io.BytesIO(stream.read(length))) as picture:
                assert picture.size == (64, 40)


def test_nobody_else_is_let_in(show: Live) -> None:
    with LivePage(show) as page:
        assert page.address.startswith("http://127.0.0.1:")
        root = page.address.rsplit("/", 2)[0]
        for address, host in (
            (root + "/", ""),
            (root + "/wrong/film", ""),
            (page.address, "evil.example:80"),
        ):
            more = {"Host": host} if host else {}
            with pytest.raises(urllib.error.HTTPError, match="404"):
                ask(address, **more)


def test_styles_change_while_it_runs(show: Live, film: Path) -> None:
    show.choose(1)
    with newest(frames_of_film(film, 64)) as coming:
        worker = threading.Thread(target=show.run, args=(islice(coming, 2),))
        worker.start()
        worker.join(60)
    assert show.view.style == 1


def test_what_is_no_film_is_said_at_once() -> None:
    done = CliRunner().invoke(app, ["live", "no-such.mp4", "--no-browser"])
    assert done.exit_code == 2
    assert "no film and no camera" in done.output


def test_without_a_camera_one_line_names_a_film_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2")
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    done = CliRunner().invoke(app, ["live", "97", "starry-night"])
    assert done.exit_code == 1
    assert "camera 97 gives no picture; name another one, or a film" in done.output
    assert "http" not in done.output
    assert not opened


def test_ctrl_c_ends_it(film: Path) -> None:
    pytest.importorskip("cv2")
    words = [sys.executable, "-m", "belamy", "live", str(film), "starry-night", "the-scream"]
    with subprocess.Popen(
        [*words, "--no-browser", "--size", "64"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as going:
        assert going.stdout is not None
        assert going.stdout.readline().startswith("http://127.0.0.1:")
        assert going.stderr is not None
        hint = going.stderr.readline()
        assert hint.endswith("1 to 2 choose a style, n takes the next; Ctrl-C ends\n")
        going.send_signal(signal.SIGINT)
        _, said = going.communicate(timeout=60)
    assert going.returncode == 130
    assert said == "belamy: stopped\n"
