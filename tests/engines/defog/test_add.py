"""Fog put in: as much as was asked for, of its colour, where things are far."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.engines.defog.fog_api import fog, fog_steps
from belamy.errors import OptionError, UnknownName
from belamy.pixels.fog.model import remove_fog
from belamy.pixels.images import save_image


@pytest.mark.parametrize("amount", [0.1, 0.5, 0.9])
def test_as_much_as_was_asked_for(amount: float, photo: Tensor) -> None:
    through, made = fog_steps(photo, amount=amount)
    assert 1 - float(through.image.mean()) == pytest.approx(amount, abs=0.01)
    assert made.image.shape == photo.shape


def test_none_changes_nothing(photo: Tensor) -> None:
    assert torch.equal(fog(photo, amount=0).image, photo)


def test_the_physics_can_be_taken_back(photo: Tensor) -> None:
    through, made = fog_steps(photo, amount=0.4, color="#c0c8d0")
    air = torch.tensor([0xC0, 0xC8, 0xD0]).view(1, 3, 1, 1) / 255
    back = remove_fog(made.image, through.image[:, :1], air)
    assert torch.allclose(back, photo, atol=1e-4)


def test_the_colour_is_the_fogs(photo: Tensor) -> None:
    thick = fog(photo, amount=0.99, color="orange").image.mean((0, 2, 3))
    assert torch.allclose(thick, torch.tensor([1.0, 165 / 255, 0.0]), atol=0.03)


def test_depth_patches_and_seed_have_an_effect(photo: Tensor) -> None:
    usual = fog(photo).image
    for other in ({"depth": "room"}, {"patches": 0.9}, {"seed": 1}):
        assert float((fog(photo, **other).image - usual).abs().mean()) > 0.005
    assert torch.equal(fog(photo).image, usual)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (300, 2)])
def test_any_size(size: tuple[int, int]) -> None:
    assert fog(torch.full((1, 3, *size), 0.3)).image.shape == (1, 3, *size)


def test_transparency_and_recipe(photo: Tensor, tmp_path: Path) -> None:
    alpha = torch.zeros(1, 1, *photo.shape[-2:])
    alpha[..., 40:] = 1
    save_image(photo, tmp_path / "cut.png", alpha=alpha)
    made = fog(tmp_path / "cut.png", amount=0.3, seed=5)
    assert made.alpha is not None
    assert torch.equal(made.alpha, alpha)
    assert made.recipe is not None
    assert made.recipe.seed == 5
    again = fog(tmp_path / "cut.png", seed=5, **made.recipe.options)  # type: ignore[arg-type]
    assert torch.equal(again.image, made.image)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"amount": 1.0}, OptionError, "amount is 1.0"),
        ({"amount": -0.1}, OptionError, "amount is -0.1"),
        ({"patches": 2.0}, OptionError, "patches is 2.0"),
        ({"color": "fogg"}, OptionError, "'fogg' is not a colour"),
        ({"color": "#11223344"}, OptionError, "transparent"),
        ({"depth": "rooms"}, UnknownName, "did you mean 'room'"),
    ],
)
def test_bad_options_are_said(
    options: dict[str, object], error: type, said: str, photo: Tensor
) -> None:
    with pytest.raises(error, match=said):
        fog(photo, **options)  # type: ignore[arg-type]
