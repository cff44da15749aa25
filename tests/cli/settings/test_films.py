"""The settings of a film, on other films and on pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.pixels.film import create_film
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.recipe import read_recipe

pytest.importorskip("av")
pytest.importorskip("cv2")


@pytest.fixture(autouse=True)
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two films, a photograph, and a film that was made out of the first."""
    monkeypatch.chdir(tmp_path)
    scene = RenderedFilm(48, 64)
    for name in ("a.mp4", "b.mp4"):
        with create_film(name, size=(48, 64), frame_rate=Fraction(10)) as writer:
            for index in range(4):
                writer.write(scene.frame(index), Fraction(index, 10), Fraction(1, 10))
    Image.new("RGB", (40, 30), (90, 120, 150)).save("photo.png")


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result


def test_settings_of_films_go_to_films() -> None:
    cut = ("--every", "2", "--steady", "0.5", "--end", "0.3")
    run("defog", "a.mp4", "--method", "dcp", *cut, "-o", "made.mp4")
    assert "left out" not in run("defog", "b.mp4", "--like", "made.mp4", "-o", "new.mp4").output
    made, new = (dict(read_recipe(one).options) for one in ("made.mp4", "new.mp4"))
    assert (new["every"], new["steady"], new["end"]) == (2, 0.5, 0.3)
    assert new == made
    run("defog", "b.mp4", "--like", "made.mp4", "--every", "1", "-o", "typed.mp4")
    assert read_recipe("typed.mp4").options["every"] == 1


def test_a_picture_takes_the_rest_and_a_line_says_so() -> None:
    run("defog", "a.mp4", "--method", "dcp", "--steady", "0.5", "-o", "made.mp4")
    result = run("defog", "photo.png", "--like", "made.mp4", "-o", "new.png")
    assert "--steady of made.mp4 is left out; it is for films" in result.output
    assert read_recipe("new.png").options["method"] == "dcp"
    run("defog", "a.mp4", "--method", "dcp", "-o", "usual.mp4")
    result = run("defog", "photo.png", "--like", "usual.mp4", "-o", "other.png")
    assert "left out" not in result.output
