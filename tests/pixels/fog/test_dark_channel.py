"""The dark channel prior: against plain loops, and on fog whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from benchmarks.tools.plain_dark_channel import remove_plainly
from torch import Tensor

from belamy.devices import make_rng
from belamy.pixels.fog.dark_channel import (
    dark_channel,
    estimate_air_light,
    estimate_fog,
    raise_sky_transmission,
)
from belamy.pixels.fog.model import apply_fog, remove_fog
from belamy.pixels.rendering.collection import kind_of, render_scene
from belamy.pixels.rendering.materials import Library
from belamy.training.metrics import psnr


def textured(height: int = 120, width: int = 160) -> Tensor:
    """Leaves: in every neighbourhood something is nearly black."""
    leaves = torch.rand((1, 3, -(-height // 5), -(-width // 5)), generator=make_rng(0, "test")) ** 2
    return leaves.repeat_interleave(5, 2).repeat_interleave(5, 3)[..., :height, :width]


def test_dark_channel_by_hand() -> None:
    image = torch.rand((1, 3, 9, 11), generator=make_rng(0, "test"))
    wanted = torch.empty(1, 1, 9, 11)
    for y in range(9):
        for x in range(11):
            window = image[..., max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
            wanted[..., y, x] = window.min()
    assert torch.equal(dark_channel(image, 5), wanted)


def test_the_air_light_is_where_it_is_bright_and_even() -> None:
    image = textured() * 0.5
    image[..., :60, 80:] = torch.tensor([0.8, 0.85, 0.9]).view(1, 3, 1, 1)
    image[..., 100:, :20] = (torch.rand((1, 3, 20, 20), generator=make_rng(1, "t")) > 0.5).float()
    assert torch.allclose(
        estimate_air_light(image).flatten(), torch.tensor([0.8, 0.85, 0.9]), atol=1e-4
    )


def test_fog_on_leaves_is_seen_and_taken_out() -> None:
    image, air = textured(), torch.tensor([0.85, 0.87, 0.9]).view(1, 3, 1, 1)
    down = torch.linspace(0.1, 0.9, 120).view(1, 1, -1, 1).expand(1, 1, 120, 160)
    seen = apply_fog(image, down, air)
    found = estimate_fog(seen)
    assert float((found.transmission - down)[..., 30:, :].abs().mean()) < 0.12
    made = remove_fog(seen, found.transmission, found.air).clamp(0, 1)
    # above, where hardly anything comes through, all of it may be sky
    before, after = ((x - image)[..., 30:, :].abs().mean() for x in (seen, made))
    assert float(after) < 0.5 * float(before)


def test_the_sky_is_not_blown_up() -> None:
    image = textured()
    image[..., :50, :] = 0.9 + 0.01 * (image[..., :50, :] - 0.5)
    found = estimate_fog(image)
    assert float(found.transmission[..., :20, :].min()) > 0.7


def test_the_guard_raises_only_what_is_like_the_air() -> None:
    image = torch.tensor([0.8, 0.3]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    raised = raise_sky_transmission(
        image, torch.full((1, 1, 1, 2), 0.1), torch.full((1, 3, 1, 1), 0.8)
    )
    assert raised.flatten().tolist() == pytest.approx([1.0, 0.1])


def test_in_rendered_rooms_it_is_as_good_as_the_paper_s_own() -> None:
    photos = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
    library, plain, ours = Library(photos), [], []
    for number in (0, 1, 3, 5, 6, 7):
        assert kind_of(number) == "room"
        picture, depth = render_scene(library, number, side=240, seed=(0, 9))
        clear = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        far = torch.from_numpy(depth / depth.max()).float()[None, None]
        foggy = apply_fog(clear, torch.exp(-1.2 * far), torch.full((1, 3, 1, 1), 0.9))
        found = estimate_fog(foggy)
        made = remove_fog(foggy, found.transmission, found.air).clamp(0, 1)
        ours.append(psnr(made, clear))
        plain.append(psnr(remove_plainly(foggy), clear))
    assert sum(ours) > sum(plain)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (200, 1), (33, 65)])
def test_any_size(size: tuple[int, int]) -> None:
    found = estimate_fog(textured(*size))
    assert found.transmission.shape == (1, 1, *size)
    assert found.air.shape == (1, 3, 1, 1)


def test_a_black_picture_has_no_fog() -> None:
    black = torch.zeros(1, 3, 40, 40)
    found = estimate_fog(black)
    made = remove_fog(black, found.transmission, found.air).clamp(0, 1)
    assert float(made.max()) < 1e-3


def test_the_air_light_is_taken_where_it_is_bright_and_even() -> None:
    image = torch.full((1, 3, 128, 128), 0.3)
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2
    image[..., :64, :64] = 0.6 + 0.4 * board  # brighter, but 0.2 of it is spread
    image[..., :64, 64:] = torch.tensor([0.7, 0.75, 0.8]).view(3, 1, 1)
    air = estimate_air_light(image).flatten()
    torch.testing.assert_close(air, torch.tensor([0.7, 0.75, 0.8]))
