"""Depths made up: every kind in range, on odd sizes, and as it is described."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import UnknownName
from belamy.pixels.fog.depth import (
    DEPTHS,
    SCENE,
    depth_of,
    mixed_depth,
    random_occluders,
    smooth_noise,
)


def pictures(count: int = 3, height: int = 37, width: int = 52) -> Tensor:
    rough = torch.rand((count, 3, 5, 6), generator=make_rng(0, "test"))
    return F.interpolate(rough, (height, width), mode="bicubic").clamp(0, 1)


def landscape() -> Tensor:
    """Light above, dark below."""
    image = torch.full((1, 3, 60, 80), 0.85)
    image[..., 25:, :] = 0.2
    return image


@pytest.mark.parametrize("kind", [SCENE, *DEPTHS])
@pytest.mark.parametrize("size", [(37, 52), (1, 1), (1, 40), (90, 2), (70, 150)])
def test_every_kind_at_every_size(kind: str, size: tuple[int, int]) -> None:
    depth = depth_of(pictures(2, *size), kind, make_rng(1, "depth"))
    assert depth.shape == (2, 1, *size)
    assert 0 <= float(depth.min()) <= float(depth.max()) <= 1


@pytest.mark.parametrize("kind", [SCENE, *DEPTHS])
def test_the_same_chance_gives_the_same_depth(kind: str) -> None:
    one, two = (depth_of(pictures(), kind, make_rng(1, "depth")) for _ in range(2))
    assert torch.equal(one, two)


@pytest.mark.parametrize("kind", [SCENE, "ramp", "ground", "skies"])
def test_what_is_above_is_farther(kind: str) -> None:
    depth = depth_of(landscape(), kind, make_rng(1, "depth"))
    assert float(depth[..., :15, :].mean()) > float(depth[..., 45:, :].mean()) + 0.2


def test_a_room_is_deepest_at_its_end_and_nearest_at_its_borders() -> None:
    depth = DEPTHS["room"](pictures(1, 60, 60), make_rng(1, "depth"))
    assert float(depth.max()) == pytest.approx(1)
    border = torch.cat([depth[..., 0, :], depth[..., -1, :]], dim=-1)
    assert float(border.max()) < 0.8


def test_regions_follow_the_picture() -> None:
    depth = depth_of(landscape(), "regions", make_rng(1, "depth"))
    across = depth.diff(dim=-2).abs().mean(dim=-1)[0, 0]  # by row: how much changes there
    assert int(across.argmax()) in (23, 24, 25)


def test_an_unknown_kind_is_said() -> None:
    with pytest.raises(UnknownName, match="did you mean 'skies'"):
        depth_of(pictures(), "skis", make_rng(0, "depth"))


def test_noise_fills_its_range_and_differs_between_pictures() -> None:
    noise = smooth_noise(pictures(), make_rng(0, "noise"))
    assert float(noise.amin((1, 2, 3)).max()) < 0.1
    assert float(noise.amax((1, 2, 3)).min()) > 0.9
    assert float((noise[0] - noise[1]).abs().mean()) > 0.05


def test_blobs_are_all_or_nothing_and_lie_below() -> None:
    masks = random_occluders(pictures(200, 40, 40), make_rng(0, "blobs"))
    assert bool(((masks == 0) | (masks == 1)).all())
    assert 0.02 < float(masks.mean()) < 0.35
    assert float(masks[..., 30:, :].mean()) > 2 * float(masks[..., :10, :].mean())


def test_mixed_depths_are_of_many_kinds() -> None:
    depth = mixed_depth(pictures(40, 48, 48), make_rng(0, "depth"))
    assert depth.shape == (40, 1, 48, 48)
    assert 0 <= float(depth.min()) <= float(depth.max()) <= 1
    spread = depth.flatten(1).std(dim=1)
    assert float(spread.max()) > 0.2
    assert float(spread.min()) < 0.1
