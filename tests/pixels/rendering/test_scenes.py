"""Rooms, streets and valleys: plausible, each its own, and the same again from the cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from belamy.files import cache_folder
from belamy.pixels.rendering import collection
from belamy.pixels.rendering.boxes import Boxes
from belamy.pixels.rendering.collection import KINDS, kind_of, render_scene, render_scenes
from belamy.pixels.rendering.light import Surfaces, light_on
from belamy.pixels.rendering.materials import PATTERNS, SIDE, Library
from belamy.pixels.rendering.scene import Lamp

PHOTOS = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(PHOTOS)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(collection, "_BLOCK", 3)
    return cache_folder() / "scenes"


@pytest.mark.parametrize("kind", KINDS)
def test_scenes_have_depth_and_light(kind: str, library: Library) -> None:
    numbers = [number for number in range(40) if kind_of(number) == kind][:4]
    seen = [render_scene(library, number, side=48, seed=(0, 0)) for number in numbers]
    for picture, depth in seen:
        assert picture.shape == (48, 48, 3)
        assert np.isfinite(depth).all()
        assert depth.min() > 0
        assert depth.max() > 1.3 * depth.min()
        assert picture.std() > 8  # levels
    assert len({picture.tobytes() for picture, _ in seen}) == 4


def test_most_scenes_are_rooms() -> None:
    kinds = [kind_of(number) for number in range(70)]
    assert [kinds.count(kind) for kind in KINDS] == [50, 10, 10]


def test_scenes_are_rendered_once_and_read_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = render_scenes(PHOTOS, 4, side=24, seed=(0, 0))
    assert first.images.shape == (4, 24, 24, 3)
    assert first.outdoors.tolist() == [kind_of(number) != "room" for number in range(4)]
    monkeypatch.setattr(collection, "render_scene", None)  # not even asked for
    again = render_scenes(PHOTOS, 4, side=24, seed=(0, 0))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.depths, again.depths)


def test_what_is_read_again_is_what_was_drawn() -> None:
    library = Library(PHOTOS, 0)
    kept = render_scenes(PHOTOS, 3, side=24, seed=(0, 5))
    picture, depth = render_scene(library, 1, side=24, seed=(0, 5))
    assert np.array_equal(kept.images[1].numpy(), picture)
    assert np.allclose(kept.depths[1].numpy(), depth, rtol=1e-3)


def test_a_damaged_file_of_the_cache_is_drawn_again(cache: Path) -> None:
    first = render_scenes(PHOTOS, 2, side=24, seed=(0, 0))
    (path,) = cache.glob("*/*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    again = render_scenes(PHOTOS, 2, side=24, seed=(0, 0))
    assert torch.equal(first.images, again.images)


def test_other_seeds_and_other_photos_are_other_scenes() -> None:
    usual = render_scenes(PHOTOS, 1, side=24, seed=(0, 0))
    assert not torch.equal(usual.depths, render_scenes(PHOTOS, 1, side=24, seed=(0, 1)).depths)
    other = render_scenes(PHOTOS[::-1], 1, side=24, seed=(0, 0))
    assert torch.equal(usual.depths, other.depths)


def test_patterns_are_grey_around_a_half(library: Library) -> None:
    drawn = library.levels[0][: -len(PHOTOS)]
    assert len(drawn) % len(PATTERNS) == 0
    assert 0.35 < float(drawn.mean()) < 0.6
    assert float(np.ptp(drawn, axis=-1).max()) == 0


def test_a_texture_far_away_is_its_mean(library: Library) -> None:
    texture = np.full((4, 4), len(library.levels[0]) - 1)
    at = np.random.default_rng(1).random((4, 4)).astype(np.float32)
    near = library.sample(texture, at, at, np.zeros((4, 4), np.float32))
    far = library.sample(texture, at, at, np.full((4, 4), 9.0, np.float32))
    assert near.std() > 2 * far.std()
    pixel = library.levels[0][-1][int(at[0, 0] * SIDE), int(at[0, 0] * SIDE)]
    assert near[0, 0].tolist() == pixel.tolist()


def test_photos_that_are_too_small_are_said() -> None:
    with pytest.raises(ValueError, match="64 pixels"):
        Library(PHOTOS[:, :32])


def solid(centre: tuple[float, ...], size: tuple[float, ...]) -> Boxes:
    halves = np.float32([size]) / 2
    return Boxes(np.float32([centre]), halves, np.zeros(1, np.float32), np.array([False]))


def floor(side: int = 128) -> Surfaces:
    """A floor of 4 m, seen from above."""
    at = np.linspace(-2, 2, side, dtype=np.float32)
    x, z = np.meshgrid(at, at)
    normals = np.zeros((3, side, side), np.float32)
    normals[1] = 1
    return Surfaces(np.stack([x, 0 * x, z]), normals, np.zeros((side, side), np.int64))


def test_a_lamp_lights_what_it_sees_and_a_box_casts_a_shadow() -> None:
    lamp = Lamp(np.float32([0, 3, 0]), np.full(3, 4.0, np.float32), 0.01)
    rng = np.random.default_rng(0)
    board = solid((-1, 1.5, 0), (1, 0.04, 2))
    light = light_on(floor(), board, [lamp], np.zeros(3, np.float32), rng)[0]
    assert light[64, 8] < 0.1 * light[64, 120]


def test_where_things_are_close_there_is_less_light() -> None:
    wall = solid((-2.5, 1, 0), (1, 4, 8))
    light = light_on(floor(), wall, [], np.ones(3, np.float32), np.random.default_rng(0))[0]
    assert light[:, :12].mean() < 0.9 * light[:, 80:].mean()
