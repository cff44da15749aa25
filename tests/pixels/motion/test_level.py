from __future__ import annotations

import pytest
import torch

from belamy.pixels.motion.level import _enlarge, hold_level, match_level
from belamy.pixels.motion.rendered import RenderedFilm

PICTURE = RenderedFilm(48, 80).frame(0) * 0.5 + 0.25
ALIKE, STILL = torch.ones(1, 1, 48, 80), torch.zeros(1, 3, 48, 80)


def test_a_level_that_changes_by_itself_is_taken_back() -> None:
    breath = torch.tensor([0.08, -0.05, 0.02]).view(1, 3, 1, 1)
    held = hold_level(PICTURE + breath, PICTURE, ALIKE, STILL)
    assert float((held - PICTURE).abs().max()) < 0.02 * 0.08


def test_what_came_to_light_has_the_level_of_what_is_beside_it() -> None:
    likeness = ALIKE.clone()
    likeness[..., 30:44, 20:50] = 0
    held = hold_level(PICTURE + 0.08, PICTURE, likeness, STILL)
    assert float((held - PICTURE).abs().max()) < 0.15 * 0.08


def test_a_film_whose_own_level_changes_lets_go() -> None:
    darker = hold_level(PICTURE - 0.08, PICTURE, ALIKE, STILL - 5 / 255)
    assert float((darker - (PICTURE - 0.08)).abs().max()) < 0.001


def test_detail_that_differs_stays() -> None:
    generator = torch.Generator().manual_seed(0)
    grain = 0.1 * torch.randn((1, 3, 48, 80), generator=generator)
    held = hold_level(PICTURE + grain, PICTURE, ALIKE, STILL)
    assert float((held - PICTURE - grain).square().mean()) < 0.02 * float(grain.square().mean())


def test_what_is_cut_off_beyond_white_leaves_the_level_as_it_was() -> None:
    light = PICTURE + 0.2
    glaring = light + 4 * (light - light.mean())
    matched = match_level(glaring, light)
    assert float(matched.max()) == 1
    cut = [255 * float((one - light).mean().abs()) for one in (glaring.clamp(0, 1), matched)]
    assert cut[0] > 10
    assert cut[1] < 1


def test_nothing_is_held_where_nothing_is_alike() -> None:
    assert torch.equal(hold_level(PICTURE + 0.1, PICTURE, 0 * ALIKE, STILL), PICTURE + 0.1)


@pytest.mark.parametrize("size", [(1, 90), (12, 12), (300, 20)])
def test_any_shape(size: tuple[int, int]) -> None:
    painted = torch.full((1, 3, *size), 0.6)
    held = hold_level(painted, painted - 0.1, torch.ones(1, 1, *size), 0 * painted)
    assert held.shape == painted.shape
    assert float((held - 0.5).abs().max()) < 0.002


@pytest.mark.parametrize("size", [(48, 80), (7, 61), (1, 5)])
def test_cells_are_enlarged_as_torch_does(size: tuple[int, int]) -> None:
    cells = torch.rand(1, 3, min(5, size[0]), 9, generator=torch.Generator().manual_seed(0))
    exact = torch.nn.functional.interpolate(cells, size, mode="bilinear")
    assert torch.allclose(_enlarge(cells, torch.empty(1, 3, *size)), exact, atol=1e-6)
