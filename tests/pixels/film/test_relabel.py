"""A film gets another recipe, and its frames stay as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from belamy.errors import ImageError
from belamy.pixels.film.reader import open_film
from belamy.pixels.film.relabel import replace_recipe
from belamy.pixels.film.save import save_video
from belamy.pixels.recipe import Recipe, read_recipe

RECIPE = Recipe("dream-zoom", {"name": "x" * 600}, (), {}, seed=0, belamy="1", torch="2", step=9)


def frames(path: Path) -> list[tuple[object, object, bytes]]:
    with open_film(path) as film:
        return [(one.time, one.duration, one.image.numpy().tobytes()) for one in film]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".gif"])
def test_the_recipe_of_a_film_is_replaced(suffix: str, tmp_path: Path) -> None:
    if suffix != ".gif":
        pytest.importorskip("av", reason="needs PyAV")
    rng = torch.Generator().manual_seed(0)
    path = tmp_path / f"film{suffix}"
    save_video(
        (torch.rand(1, 3, 32, 48, generator=rng) for _ in range(4)), path, fps=6, recipe=RECIPE
    )
    before = frames(path)
    changed = replace(read_recipe(path), step=4)
    replace_recipe(path, changed)
    assert read_recipe(path) == changed
    assert frames(path) == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_other_films_keep_theirs(tmp_path: Path) -> None:
    path = tmp_path / "film.webp"
    save_video([torch.zeros(1, 3, 16, 16)] * 2, path, fps=6, recipe=RECIPE)
    with pytest.raises(ImageError, match="cannot be replaced"):
        replace_recipe(path, RECIPE)
    assert read_recipe(path).step == 9
