"""The frame: all of the picture is there, gold is around it, light comes from the upper left."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from belamy.pixels.decor.frame import _room, add_frame, frame_width


def grey(height: int, width: int, level: float = 0.5) -> Tensor:
    return torch.full((1, 3, height, width), level)


def sides(whole: Tensor, width: int) -> dict[str, Tensor]:
    """The middle of each side, without the corners."""
    image = whole[0]
    return {
        "top": image[:, :width, width:-width],
        "left": image[:, width:-width, :width],
        "bottom": image[:, -width:, width:-width],
        "right": image[:, width:-width, -width:],
    }


def test_the_picture_is_all_there_in_some_shadow() -> None:
    image = torch.rand(2, 3, 40, 61, generator=torch.Generator().manual_seed(0))
    whole = add_frame(image)
    width = frame_width(40, 61)
    assert whole.shape == (2, 3, 40 + 2 * width, 61 + 2 * width)
    inside = whole[:, :, width:-width, width:-width]
    assert bool((inside <= image + 1e-6).all())
    middle = (..., slice(10, -5), slice(10, -5))
    assert torch.allclose(inside[middle], image[middle], atol=0.02)
    assert float(inside[..., 0, :].mean()) < 0.65 * float(image[..., 0, :].mean())
    assert float(inside[..., -1, :].mean()) > 0.75 * float(image[..., -1, :].mean())


def test_it_is_golden_and_lit_from_the_upper_left() -> None:
    width = frame_width(128, 128)
    whole = add_frame(grey(128, 128))
    assert float(whole.min()) >= 0
    assert float(whole.max()) <= 1
    found = {name: part.mean(dim=(1, 2)) for name, part in sides(whole, width).items()}
    for red, green, blue in found.values():
        assert red > green > blue
        assert red - blue > 0.12
    # the hollow of the moulding faces the light at the lower right
    hollow = slice(round(0.3 * width), round(0.6 * width))
    parts = sides(whole, width)
    lower = parts["bottom"].flip(1)[:, hollow].mean()
    assert float(lower) > 1.2 * float(parts["top"][:, hollow].mean())


def test_corners_are_mitred() -> None:
    """Along the joint the frame is its own mirror image but for light and wear."""
    width = frame_width(128, 128)
    corner = add_frame(grey(128, 128))[0, :, :width, :width]
    apart = (corner - corner.transpose(1, 2)).abs().mean()
    profile = (corner - corner.flip(2)).abs().mean()
    assert float(apart) < 0.65 * float(profile)


def test_it_is_seeded_and_the_same_for_a_batch() -> None:
    first, second = add_frame(grey(64, 48)), add_frame(grey(64, 48), seed=1)
    assert torch.equal(first, add_frame(grey(64, 48)))
    assert not torch.equal(first, second)
    both = add_frame(grey(64, 48).expand(2, -1, -1, -1))
    assert torch.equal(both[0], both[1])


def test_small_pictures_have_a_frame_too() -> None:
    whole = add_frame(grey(16, 16))
    assert whole.shape[-1] == 16 + 2 * frame_width(16, 16)
    assert bool(whole.isfinite().all())


def test_gold_that_mirrors_the_floor_is_a_number() -> None:
    """Of normals half-way down, some are so by a rounding too much: there was a black hole."""
    down = torch.linspace(0.9, 1.1, 200_001)[:, None]
    normal = functional.normalize(
        torch.stack([torch.zeros_like(down), down, torch.ones_like(down)]), dim=0
    )
    assert bool((2 * normal[1] * normal[2] > 1).any())
    ones = torch.ones_like(down)
    assert bool(_room(normal, ones, ones).isfinite().all())
    assert bool(add_frame(grey(512, 512), seed=3).isfinite().all())  # where it was found
