"""The work behind `belamy.engines.defog.fog_api.fog_steps`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from PIL import ImageColor
from torch import Tensor

import belamy
from belamy.devices import choose_device, make_rng
from belamy.errors import OptionError
from belamy.pixels.fog.depth import depth_of, smooth_noise
from belamy.pixels.fog.model import apply_fog, density_for
from belamy.pixels.images import Source, input_of, load_picture
from belamy.pixels.recipe import Recipe
from belamy.steps import Step

__all__ = ["run"]

_MOST = 0.99  # of the light; more is a wall of paint
_NEAREST = 0.05  # nothing is so near that no fog is before it


def run(
    image: Source,
    *,
    amount: float,
    depth: str,
    color: str,
    patches: float,
    seed: int,
    device: str,
) -> Iterator[Step]:
    """See `belamy.engines.defog.fog_api.fog_steps`; takes every one of its arguments."""
    if not 0 <= amount <= _MOST:
        raise OptionError(f"amount is {amount}; it must be from 0 to {_MOST}")
    if not 0 <= patches <= 1:
        raise OptionError(f"patches is {patches}; it must be from 0 to 1")
    air, place = _color(color), choose_device(device)
    picture = load_picture(image)
    thickness = _thickness(picture.image, depth, patches, seed)
    density = density_for(thickness, amount)
    transmission = torch.exp(-density * thickness)
    options = {
        "amount": amount,
        "depth": depth,
        "color": color,
        "patches": patches,
        "device": str(place),
    }
    base = picture.image.to(place)
    recipes = [_recipe(options, image, seed, step) for step in (1, 2)]
    yield Step(1, 2, transmission.expand(-1, 3, -1, -1), {}, picture.alpha, recipes[0])
    made = apply_fog(base, transmission.to(place), air.to(place))
    yield Step(2, 2, made.clamp(0, 1), {}, picture.alpha, recipes[1], f"density {density:.3g}")


def _thickness(image: Tensor, kind: str, patches: float, seed: int) -> Tensor:
    """What fog lies before each pixel, (1, 1, H, W), up to a factor."""
    far = depth_of(image, kind, make_rng(seed, "depth"))
    uneven = smooth_noise(image, make_rng(seed, "patches"), cells=2, octaves=4) - 0.5
    return (_NEAREST + (1 - _NEAREST) * far) * (1 + patches * uneven)


def _color(text: str) -> Tensor:
    """(1, 3, 1, 1) in [0, 1]."""
    try:
        channels = ImageColor.getrgb(text)
    except ValueError as error:
        raise OptionError(
            f"color {text!r} is not a colour; use a name such as white, or #rrggbb"
        ) from error
    if len(channels) != 3:
        raise OptionError(f"color {text!r} is transparent; use #rrggbb")
    return torch.tensor(channels).reshape(1, 3, 1, 1) / 255


def _recipe(options: dict[str, Any], image: Source, seed: int, step: int) -> Recipe:
    return Recipe(
        engine="fog",
        options=options,
        inputs=(input_of("image", image),),
        weights={},
        seed=seed,
        belamy=belamy.__version__,
        torch=torch.__version__,
        step=step,
    )
