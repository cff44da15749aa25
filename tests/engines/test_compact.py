"""Large pictures wait as bytes where these hold them exactly, and what is made stays the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines import compact
from belamy.engines.compact import CompactPicture
from belamy.engines.dream.api import dream
from belamy.pixels.images import resize


def photograph(height: int, width: int) -> Tensor:
    """Of 8 bits."""
    levels = torch.randint(256, (1, 3, height, width), generator=make_rng(0, "levels"))
    return levels.float().div_(255)


@pytest.fixture
def _all_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact, "PICTURE", 0)


@pytest.mark.usefixtures("_all_large")
def test_eight_bits_take_a_quarter_and_nothing_is_lost() -> None:
    image = photograph(48, 64)
    held = CompactPicture.of(image)
    assert held.numbers.nbytes * 4 == image.nbytes
    assert torch.equal(held.floats(), image)
    assert torch.equal(held.resize((20, 30)), resize(image, (20, 30)))


@pytest.mark.usefixtures("_all_large")
def test_finer_pictures_are_held_as_they_are() -> None:
    image = photograph(48, 64)
    image[0, 2, 5, 7] += 1e-6
    assert CompactPicture.of(image).numbers is image


def test_small_pictures_are_held_as_they_are() -> None:
    image = photograph(48, 64)
    assert CompactPicture.of(image).numbers is image


def test_a_dream_on_bytes_is_the_dream_on_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    image = photograph(80, 96)
    usual = dream(image, model="iris", layer="conv2b", octaves=3, steps=2, strength=0.7).image
    monkeypatch.setattr(compact, "PICTURE", 0)
    again = dream(image, model="iris", layer="conv2b", octaves=3, steps=2, strength=0.7).image
    assert torch.equal(again, usual)
