"""What the machine chose, and what was asked for: every engine's recipe says which is which."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import belamy
from belamy.checks import option_types
from belamy.copying.works import work_of
from belamy.engines import ENGINES, engine
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.recipe import Recipe
from belamy.precision import MACHINE

ASKED = {"device": "cpu", "precision": "float32", "tile": "none"}
IRIS = {"model": "iris", "steps": 1}
WAY = {**IRIS, "octaves": 1, "seconds": 0.08}
SMALL: dict[str, dict[str, Any]] = {
    "anystyle": {"content": "a.png", "style": "b.png", "size": 64, "strokes": 0},
    "atlas": {"model": "iris", "layer": "mixed3a", "channels": 1, "size": 32, "steps": 1},
    "defog": {"image": "a.png"},
    "dream": {"image": "a.png", **IRIS, "octaves": 1},
    "dream-walk": {"image": "a.png", **WAY, "layers": ["mixed3a", "mixed3b"]},
    "dream-zoom": {"image": "a.png", **WAY},
    "explain": {"image": "a.png", "model": "iris"},
    "faststyle": {"image": "a.png", "network": "starry-night"},
    "film-anystyle": {"content": "a.mp4", "style": "b.png", "strokes": 0},
    "film-defog": {"image": "a.mp4"},
    "film-dream": {"image": "a.mp4", **IRIS, "octaves": 1},
    "film-faststyle": {"image": "a.mp4", "network": "starry-night"},
    "film-style": {"content": "a.mp4", "style": "b.png", "model": "iris", "iterations": 1},
    "film-translate": {"image": "a.mp4", "network": "impressionism"},
    "fog": {"image": "a.png"},
    "gan-edit": {"count": 1},
    "gan-evaluate": {"data": "folder", "count": 50},
    "gan-mix": {"count": 1},
    "gan-paint": {"count": 1},
    "gan-project": {"image": "a.png", "face": "none", "steps": 1},
    "gan-walk": {"stops": 2, "seconds": 0.08},
    "style": {"content": "a.png", "style": "b.png", "model": "iris", "iterations": 1, "size": 32},
    "translate": {"image": "a.png", "network": "impressionism"},
}


def machine_options(name: str) -> list[str]:
    form = getattr(engine(name), "__options__", None)
    return [] if form is None else [one for one in MACHINE if one in option_types(form)]


def made(name: str, **how: object) -> Recipe:
    last = None
    for step in engine(name)(**SMALL[name], **how):
        last = step.recipe
    assert last is not None
    return last


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    scene = RenderedFilm(64, 64)
    for index, name in enumerate("ab"):
        belamy.save_image(scene.frame(index), f"{name}.png")
    return tmp_path


@pytest.fixture
def film(place: Path) -> None:
    pytest.importorskip("av")
    pytest.importorskip("cv2")
    from belamy.pixels.film import create_film

    scene = RenderedFilm(64, 64)
    with create_film("a.mp4", size=(64, 64), frame_rate=Fraction(25)) as made:
        for index in range(2):
            made.write(scene.frame(index), Fraction(index, 25), Fraction(1, 25))


@pytest.fixture(params=[one for one in SMALL if one != "gan-evaluate"])
def name(request: pytest.FixtureRequest) -> str:
    """Each engine, with a film for those that take one."""
    engine = str(request.param)
    if engine.startswith("film-"):
        request.getfixturevalue("film")
    return engine


def test_every_engine_that_a_machine_decides_on_is_tried() -> None:
    assert {name for name in ENGINES if machine_options(name)} == SMALL.keys()


def test_the_recipe_says_what_the_machine_chose(name: str, place: Path) -> None:
    names = machine_options(name)
    left = made(name)
    assert left.auto == tuple(names)
    assert "auto" not in [left.options[one] for one in names]
    asked = made(name, **{one: ASKED[one] for one in names})
    assert asked.auto == ()
    assert [asked.options[one] for one in names] == [ASKED[one] for one in names]


def test_the_command_says_what_was_typed(name: str, place: Path) -> None:
    """And which network it was, since another one may be the usual one tomorrow."""
    recipe = made(name)
    typed = {*SMALL[name], "model", "network"}
    work = work_of(recipe)
    assert work.options.keys() <= typed, {n: work.options[n] for n in work.options.keys() - typed}
    again = made_again(name, recipe)
    assert again.options == recipe.options
    assert again.derived == recipe.derived


def made_again(name: str, recipe: Recipe) -> Recipe:
    """What the recipe's command makes."""
    files = work_of(recipe).files
    given = {role: names if len(names) > 1 else names[0] for role, names in files.items()}
    last = None
    for step in engine(name)(**given, **work_of(recipe).options):
        last = step.recipe
    assert last is not None
    return last
