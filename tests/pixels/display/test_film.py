"""A film shows itself as a player, and saves itself."""

from __future__ import annotations

import base64
import importlib.util
import io
import re
from dataclasses import replace

import pytest
import torch
from PIL import Image

from belamy.errors import ImageError
from belamy.pixels.display.film import Film
from belamy.pixels.film.reader import open_film
from belamy.pixels.recipe import Recipe, read_recipe

RECIPE = Recipe("gan-walk", {}, (), {}, 7, "0.1.0", "2.10", step=3)


def film(height=20, width=30, fps=25.0):
    frames = [torch.full((1, 3, height, width), value) for value in (0.0, 0.5, 1.0)]
    return Film(frames, fps, RECIPE)


def player(one):
    found = re.fullmatch(
        r'<img alt="([^"]*)" src="data:image/gif;base64,([^"]*)">', one._repr_html_()
    )
    assert found is not None
    with Image.open(io.BytesIO(base64.b64decode(found[2]))) as opened:
        return found[1], opened.size, opened.n_frames


@pytest.fixture
def without_pyav(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_where_films_can_be_written_it_is_a_player_that_can_be_stopped(tmp_path):
    pytest.importorskip("av")
    found = re.fullmatch(
        r'<video controls loop muted width="(.*)" title=".*" '
        r'src="data:video/mp4;base64,([^"]*)"></video>',
        film(21, 31)._repr_html_(),
    )
    assert found is not None
    assert int(found[1]) >= 200  # a browser's buttons have no room on less
    (tmp_path / "film.mp4").write_bytes(base64.b64decode(found[2]))
    with open_film(tmp_path / "film.mp4") as opened:
        assert len(list(opened)) == 3


@pytest.mark.usefixtures("without_pyav")
@pytest.mark.parametrize("fps", [1.0, 25.0, 240.0])
def test_notebooks_show_a_player(fps):
    text, size, frames = player(film(fps=fps))
    assert text == f"Film(3 frames, 30 × 20, {fps:g} frames a second)"
    assert (size, frames) == ((30, 20), 3)


@pytest.mark.usefixtures("without_pyav")
def test_a_player_fits_into_a_cell():
    assert player(film(600, 1200))[1] == (512, 256)


def test_a_film_is_saved_with_its_recipe(tmp_path):
    film().save(tmp_path / "film.gif")
    assert replace(read_recipe(tmp_path / "film.gif"), film={}) == RECIPE


def test_a_film_of_nothing_is_refused():
    with pytest.raises(ImageError, match="at least one frame"):
        Film([])
