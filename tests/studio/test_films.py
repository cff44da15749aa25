"""Films go in and come out: first frames, what is refused, stops."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.studio.serving import Served, studio

from belamy.pixels.film.reader import open_film
from belamy.pixels.film.save import save_video
from belamy.pixels.recipe import read_recipe

pytest.importorskip("av", reason="needs PyAV")


def ramp(path: Path, frames: int = 8, size: tuple[int, int] = (64, 96)) -> bytes:
    """A few frames of a light that moves."""
    height, width = size
    across = torch.linspace(0, 1, width)
    images = [
        torch.stack([(across + n / frames) % 1, across, 1 - across])[None, :, None].expand(
            1, 3, height, width
        )
        for n in range(frames)
    ]
    save_video(images, path, fps=8)
    return path.read_bytes()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with studio(tmp_path_factory.mktemp("studio")) as found:
        yield found


def film_of(served: Served, tmp_path: Path, frames: int = 8) -> dict[str, object]:
    answer = served.upload(ramp(tmp_path / "in.mp4", frames), "light.mp4", "video/mp4")
    assert answer.status == 201, answer.body
    found: dict[str, object] = answer.json
    return found


def test_a_film_shows_its_first_frame(served: Served, tmp_path: Path) -> None:
    data = ramp(tmp_path / "in.mp4")
    picture = served.upload(data, "light.mp4", "video/mp4").json
    assert (picture["width"], picture["height"]) == (96, 64)
    assert picture["film"]["frames"] == 8
    assert picture["film"]["seconds"] == pytest.approx(1, abs=0.2)
    first = served.call("GET", picture["url"])
    assert first.headers["content-type"] == "image/png"
    whole = served.call("GET", picture["film"]["url"])
    assert (whole.headers["content-type"], whole.body) == ("video/mp4", data)
    refused = served.upload(b"no film at all" * 50, "light.mp4", "video/mp4")
    assert refused.status == 415
    assert "no film" in refused.json["error"]


def test_a_film_is_cleared_frame_by_frame(served: Served, tmp_path: Path) -> None:
    picture = film_of(served, tmp_path)
    job = served.job("defog_film", inputs={"picture": picture["id"]}, every=2)
    done = served.wait(job["id"])
    result = served.call("GET", f"/api/results/{done['result']}/info").json
    assert result["name"].endswith(".mp4")
    made = served.home / "results" / result["name"]
    with open_film(made) as film:
        assert sum(1 for _ in film) == 4
    assert read_recipe(made).engine == "film-defog"
    assert served.call("GET", result["thumb"]).headers["content-type"] == "image/webp"
    assert served.call("GET", result["url"]).headers["content-type"] == "video/mp4"


def test_a_picture_is_no_film(served: Served) -> None:
    sample = served.call("GET", "/api/samples").json[0]["id"]
    answer = served.call(
        "POST", "/api/jobs", {"engine": "defog_film", "inputs": {"picture": sample}, "options": {}}
    )
    assert answer.status == 404


def test_there_is_a_film_for_those_with_none(served: Served) -> None:
    (sample,) = [one for one in served.call("GET", "/api/samples").json if one["film"]]
    whole = served.call("GET", sample["film"]["url"])
    assert whole.headers["content-type"] == "video/mp4"
    assert len(whole.body) < 300_000
    assert served.call("GET", sample["url"]).headers["content-type"] == "image/jpeg"
    inputs = {"picture": sample["id"]}
    job = served.job("defog_film", inputs=inputs, end=0.3)
    done = served.wait(job["id"])
    result = served.call("GET", f"/api/results/{done['result']}/info").json
    made = served.home / "results" / result["name"]
    with open_film(made) as film:
        assert sum(1 for _ in film) == 4
    again = served.upload(made.read_bytes(), "again.mp4", "video/mp4").json["recipe"]
    assert (again["engine"], again["inputs"]) == ("defog_film", inputs)
    body = {"engine": "defog_film", "inputs": inputs, "options": {}}
    assert "valley.mp4" in served.call("POST", "/api/copy", body).json["command"]


def test_a_stopped_film_is_as_long_as_it_got(served: Served) -> None:
    job = served.job("dream_zoom", model="iris", size=96, seconds=60.0, fps=10.0, steps=1)
    served.follow(job["id"], lambda one: one["step"] >= 2)
    served.call("POST", f"/api/jobs/{job['id']}/stop")
    stopped = served.wait(job["id"], "stopped")
    result = served.call("GET", f"/api/results/{stopped['result']}/info").json
    with open_film(served.home / "results" / result["name"]) as film:
        assert 2 <= sum(1 for _ in film) < 600
