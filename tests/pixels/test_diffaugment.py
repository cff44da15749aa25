from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.pixels.diffaugment import AUGMENTATIONS, diff_augment


def chance(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 6, height: int = 16, width: int = 24) -> Tensor:
    return torch.rand(count, 3, height, width, generator=chance(8), dtype=torch.float64)


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_each_kind_changes_each_picture_in_its_own_way(kind: str) -> None:
    same = pictures(1).expand(6, -1, -1, -1)
    changed = diff_augment(same, chance(), policy=[kind])
    assert changed.shape == same.shape
    assert len({tuple(one.flatten().tolist()) for one in changed}) == 6


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_the_same_generator_gives_the_same_changes(kind: str) -> None:
    once, again = (diff_augment(pictures(), chance(), policy=[kind]) for _ in "12")
    assert torch.equal(once, again)
    assert not torch.equal(once, diff_augment(pictures(), chance(4), policy=[kind]))


def test_none_and_some_and_all() -> None:
    many = pictures(400, 8, 8)
    assert torch.equal(diff_augment(many, chance(), probability=0.0), many)
    touched = (diff_augment(many, chance(), probability=0.3, policy=["color"]) != many).flatten(1)
    assert 0.2 < touched.any(dim=1).double().mean() < 0.4
    touched = (diff_augment(many, chance(), probability=1.0, policy=["color"]) != many).flatten(1)
    assert touched.any(dim=1).all()


def test_a_picture_is_moved_by_an_eighth_at_most_over_grey() -> None:
    point = torch.full((200, 3, 16, 24), 0.5)
    point[:, :, 8, 12] = 1.0
    moved = diff_augment(point, chance(), policy=["translation"])
    places = (moved[:, 0] == 1).nonzero()
    assert len(places) == 200  # none was lost
    assert [int(places[:, 1].min()), int(places[:, 1].max())] == [6, 10]
    assert [int(places[:, 2].min()), int(places[:, 2].max())] == [9, 15]
    assert (moved == 0.5).sum() == moved.numel() - 600


def test_a_hole_is_half_as_wide_as_the_picture() -> None:
    holed = diff_augment(torch.zeros(200, 3, 16, 24), chance(), policy=["cutout"]) == 0.5
    sizes = holed[:, 0].flatten(1).sum(1)
    assert sizes.max() == 8 * 12
    assert sizes.min() >= 4 * 6  # its centre lies inside


def test_grey_stays_grey_but_for_brightness() -> None:
    grey = torch.full((50, 3, 8, 8), 0.4)
    changed = diff_augment(grey, chance(), policy=["color"])
    levels = changed.flatten(1)
    torch.testing.assert_close(levels.amax(1), levels.amin(1))
    assert 0.15 <= levels.min() < 0.2
    assert 0.6 < levels.max() <= 0.65


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_generators_learn_through_it(kind: str) -> None:
    small = pictures(2, 5, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: diff_augment(x, chance(), policy=[kind]), small)
