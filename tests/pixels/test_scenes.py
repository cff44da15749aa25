from __future__ import annotations

import math

import pytest
import torch

from belamy.errors import OptionError
from belamy.pixels.images import resize
from belamy.pixels.scenes import SCENES
from belamy.pixels.scenes.frame import Frame, smoothstep
from belamy.pixels.scenes.fruit import SKINS, lay_out
from belamy.pixels.scenes.mountains import _SUN, survey
from belamy.pixels.scenes.noise import Field

scenes = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)


@scenes
@pytest.mark.parametrize("size", [(48, 72), (37, 53), (61, 40), (16, 16), (16, 90)])
def test_sizes_and_range(scene, size):
    image = scene(*size)
    assert image.shape == (1, 3, *size)
    assert image.dtype == torch.float32
    assert image.isfinite().all()
    assert 0 <= image.min() < 0.35
    assert 0.6 < image.max() <= 1


@scenes
def test_the_seed_alone_decides(scene):
    torch.manual_seed(1)
    first = scene(40, 60, seed=7)
    torch.manual_seed(2)
    assert torch.equal(scene(40, 60, 7), first)
    assert (scene(40, 60, seed=8) - first).abs().mean() > 0.02


@scenes
def test_the_composition_is_the_same_at_every_size(scene):
    small, large = scene(48, 72), scene(96, 144)
    coarse = [resize(image, (12, 18)) for image in (small, large)]
    assert (coarse[0] - coarse[1]).abs().mean() < 0.04


@scenes
def test_there_is_detail_at_every_scale(scene):
    image = scene(128, 192)
    for scale in (1, 2, 4, 8):
        level = resize(image, (128 // scale, 192 // scale))
        blurred = resize(resize(level, (64 // scale, 96 // scale)), tuple(level.shape[-2:]))
        assert (level - blurred).std() > 0.008


@scenes
@pytest.mark.parametrize("size", [(15, 100), (100, 0)])
def test_too_small(scene, size):
    with pytest.raises(OptionError, match="too small; 16 px at least"):
        scene(*size)


def test_noise_is_zero_on_the_lattice_bounded_and_smooth():
    field = Field.from_seed(0, "test", 0.01)
    whole = torch.arange(-5.0, 300.0)
    assert field.noise(whole, whole.flip(0)).abs().max() < 1e-6
    x = torch.linspace(-3, 3, 4001)
    values = field.noise(x, 0.37 + 0.1 * x)
    assert 0.2 < values.abs().max() < 0.75
    assert values.diff().abs().max() < 0.01


@pytest.mark.parametrize("name", ["fractal", "billows", "ridges"])
def test_fractals_keep_to_their_range(name):
    frame = Frame.of(200, 200)
    values = getattr(Field.from_seed(3, "test", frame.pixel), name)(frame.x * 9, frame.y * 9, 1)
    assert values.min() > (-1.3 if name == "fractal" else -1e-6)
    assert 0.5 < values.max() < 1.5


def test_octaves_stop_where_pixels_do():
    field = Field.from_seed(0, "test", pixel=1 / 64)
    assert field.octaves(1) == 6  # the sixth has a period of two pixels
    assert field.octaves(1, most=3) == 3
    assert field.octaves(1000) == 1
    assert field.at_resolution(1 / 128).octaves(1) == 7


def test_smoothstep_goes_either_way():
    value = torch.tensor([0.0, 1.0, 2.0, 3.0])
    assert smoothstep(1, 2, value).tolist() == [0, 0, 1, 1]
    assert smoothstep(2, 1, value).tolist() == [1, 1, 0, 0]


def test_fruit_lie_on_the_table_and_not_within_each_other():
    fruit = lay_out(Field.from_seed(0, "still life", 0.01))
    assert set(fruit.skins.tolist()) == set(range(len(SKINS)))
    assert (fruit.centres[:, 1] >= fruit.radii - 1e-6).all()
    apart = torch.cdist(fruit.centres, fruit.centres) + torch.eye(len(fruit.radii)) * 9
    assert (apart > 0.97 * (fruit.radii[:, None] + fruit.radii) - 1e-6).all()


def test_the_skyline_only_rises_and_shadows_are_no_light():
    frame = Frame.of(40, 60)
    ground = survey(frame, Field.from_seed(0, "relief", frame.pixel))
    assert (ground.skyline.diff(dim=0) <= 0).all()
    assert ground.height.shape == ground.sunlit.shape == (52, 60)
    assert 0 <= ground.sunlit.min() < 0.1 < 0.9 < ground.sunlit.max() <= 1
    assert math.isclose(float(_SUN.norm()), 1, rel_tol=1e-6)
