"""Pictures edited along directions, and found among those that could be painted."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.cli.options import arguments_of
from belamy.engines.gan.sample_api import (
    gan_edit,
    gan_edit_steps,
    gan_paint,
    gan_paint_steps,
    gan_project,
    gan_project_steps,
)
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.gan.latents import principal_directions
from belamy.networks.load import load_network
from belamy.pixels.images import save_image
from belamy.steps import Step

Painters = Callable[..., Path]


@pytest.fixture
def painter(painters: Painters) -> str:
    return str(painters())


def edited(painter: str, picture: str = "2", **options: Any) -> list[Step]:
    return list(gan_edit_steps(picture, network=painter, **options))


def test_nothing_moved_is_the_picture_itself(painter: str) -> None:
    own = list(gan_paint_steps(painter, count=2, sheet=False))[1].image
    (step,) = edited(painter, direction=3, amount=0.0)
    assert torch.allclose(step.image, own, atol=1e-5)


def test_it_moves_along_the_direction_and_no_other(painter: str) -> None:
    generator = load_network(painter, "generator").network
    directions = principal_directions(generator, 3)
    base = edited(painter, direction=1, amount=0.0)[0].latents
    for number in (1, 3):
        moved = edited(painter, direction=number, amount=1.5)[0].latents
        assert base is not None
        assert moved is not None
        wanted = (1.5 * directions[number - 1]).expand_as(base)
        assert torch.allclose(moved - base, wanted, atol=1e-4)


def test_further_changes_more(painter: str) -> None:
    still = edited(painter, direction=1, amount=0.0)[0].image
    changes = [
        float((edited(painter, direction=1, amount=amount)[0].image - still).abs().mean())
        for amount in (0.5, 1.0, 2.0)
    ]
    assert 0 < changes[0] < changes[1] < changes[2]


def test_a_row_goes_from_minus_to_plus(painter: str) -> None:
    (step,) = edited(painter, direction=1, count=3)
    assert step.image.shape[-1] == 3 * 18 + 2
    assert step.latents is not None
    low, middle, high = step.latents
    assert torch.allclose(low + high, 2 * middle, atol=1e-4)
    (end,) = edited(painter, direction=1)
    assert end.latents is not None
    assert torch.allclose(end.latents[0], high, atol=1e-5)
    (other,) = edited(painter, direction=1, amount=-2.0)
    assert other.latents is not None
    assert torch.allclose(other.latents[0], low, atol=1e-5)


def test_without_a_direction_six_are_shown(painter: str) -> None:
    steps = edited(painter)
    assert len(steps) == 6
    assert steps[-1].latents is not None
    assert len(steps[-1].latents) == 30
    assert steps[-1].image.shape[-2] > 6 * 16
    assert gan_edit("2", network=painter).image.shape == steps[-1].image.shape


def test_coarse_and_fine_levels_move_apart(painter: str) -> None:
    still = edited(painter, direction=1, amount=0.0)[0].latents
    assert still is not None
    for where, moved in (("coarse", [0, 1]), ("fine", [2]), ("all", [0, 1, 2])):
        (step,) = edited(painter, direction=1, where=where)
        assert step.latents is not None
        change = (step.latents - still)[0].abs().amax(1)
        assert change.nonzero().flatten().tolist() == moved


def test_classic_painters_are_edited_too(painters: Painters) -> None:
    painter = str(painters("dcgan"))
    still = edited(painter, direction=1, amount=0.0)[0].image
    assert not torch.equal(edited(painter, direction=1)[0].image, still)
    with pytest.raises(OptionError, match="no levels; where can only be all"):
        edited(painter, direction=1, where="fine")


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"direction": 0}, "direction is 0"),
        ({"direction": 9999}, "direction 9999 is none of this generator's"),
        ({"amount": math.nan}, "amount is nan"),
        ({"amount": 21.0}, "amount is 21"),
        ({"count": -1}, "count is -1"),
        ({"label": "cat"}, "unknown label"),
    ],
)
def test_misuse_of_edit(options: dict[str, Any], cause: str, painter: str) -> None:
    with pytest.raises((OptionError, UnknownName), match=cause):
        edited(painter, **options)


@pytest.fixture
def sought(painters: Painters, tmp_path: Path) -> tuple[str, Path]:
    """A painter, and a picture that it could paint: the 500th, which no search begins with."""
    painter = str(painters(size=32))
    steps = gan_paint_steps(painter, count=500, sheet=False, truncation=0.9)
    last = next(step for step in steps if step.index == 500)
    path = tmp_path / "sought.png"
    save_image(last.image, path)
    return painter, path


def distance(image: Tensor, path: Path) -> float:
    from belamy.pixels.images import load_image

    return float((image - load_image(path)).square().mean().sqrt())


def test_a_picture_of_the_painter_is_found_again(sought: tuple[str, Path], eye: Path) -> None:
    painter, path = sought
    steps = list(gan_project_steps(path, network=painter, steps=60, freedom=3.0, model=str(eye)))
    assert len(steps) == 15
    far = [distance(step.image, path) for step in steps]
    assert far[-1] < 0.7 * far[0]
    assert steps[-1].losses["unlike"] < 0.5 * steps[0].losses["unlike"]


def test_less_freedom_stays_nearer_to_the_usual(sought: tuple[str, Path], eye: Path) -> None:
    painter, _ = sought
    target = torch.rand(1, 3, 40, 32, generator=torch.Generator().manual_seed(0))
    centre = load_network(painter, "generator").network.mean_style()
    spreads = []
    for freedom in (0.05, 20.0):
        steps = gan_project_steps(
            target, network=painter, steps=30, freedom=freedom, model=str(eye)
        )
        *_, last = steps
        assert last.latents is not None
        spreads.append(float((last.latents - centre).square().mean()))
    assert spreads[0] < spreads[1]


def test_the_latents_draw_what_was_found(
    sought: tuple[str, Path], eye: Path, tmp_path: Path
) -> None:
    from belamy.networks.gan.latents import save_styles

    painter, path = sought
    *_, last = gan_project_steps(path, network=painter, steps=5, model=str(eye))
    assert last.latents is not None
    save_styles(tmp_path / "me.safetensors", last.latents, network="x", sha256="0" * 64)
    again = gan_paint(painter, latents=str(tmp_path / "me.safetensors"))
    assert torch.allclose(again.image, last.image, atol=1e-5)


def test_project_is_seeded_and_its_recipe_makes_it_again(
    sought: tuple[str, Path], eye: Path
) -> None:
    painter, path = sought
    made = gan_project(path, network=painter, steps=6, model=str(eye), upscale=2)
    assert made.image.shape == (1, 3, 64, 64)
    recipe = made.recipe
    assert recipe is not None
    assert recipe.options.keys() == arguments_of(gan_project_steps).keys() - {"image", "seed"}
    assert [item.path for item in recipe.inputs] == [str(path)]
    assert len(recipe.weights) == 2
    again = gan_project(path, **recipe.options, seed=recipe.seed)  # type: ignore[arg-type]
    assert torch.equal(again.image, made.image)


def test_misuse_of_project(painter: str, photo: Tensor, eye: Path) -> None:
    for options, cause in (
        ({"steps": 0}, "steps is 0"),
        ({"freedom": 0.0}, "freedom is 0"),
        ({"freedom": math.inf}, "freedom is inf"),
        ({"network": str(eye)}, "not a generator of pictures"),
        ({"model": "nobody"}, "nobody"),
    ):
        arguments: dict[str, Any] = {"network": painter, **options}
        with pytest.raises((OptionError, WeightsError, UnknownName), match=cause):
            list(gan_project_steps(photo, **arguments))
