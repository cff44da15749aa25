"""The atmospheric scattering model on a picture whose depth is guessed: fog put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from PIL import ImageColor
from torch import Tensor

from belamy.devices import choose_device, make_rng
from belamy.engines.defog.options import FogOptions
from belamy.engines.recipes import recipe_of
from belamy.errors import OptionError
from belamy.pixels.fog.depth import depth_of, smooth_noise
from belamy.pixels.fog.model import apply_fog, density_for
from belamy.pixels.images import load_picture
from belamy.pixels.recipe import Recipe
from belamy.steps import Step

__all__ = ["add_fog"]

_NEAREST = 0.05  # depth of the nearest thing: nothing is so near that no fog is before it


def add_fog(options: FogOptions) -> Iterator[Step]:
    """See `belamy.fog_steps`."""
    airlight, device = _parse_color(options.color), choose_device(options.device)
    picture = load_picture(options.image)
    depth = _optical_depth(picture.image, options)
    density = density_for(depth, options.amount)
    transmission = torch.exp(-density * depth)
    recipes = [_recipe(options, str(device), step) for step in (1, 2)]
    yield Step(1, 2, transmission.expand(-1, 3, -1, -1), {}, picture.alpha, recipes[0])
    base = picture.image.to(device)
    foggy = apply_fog(base, transmission.to(device), airlight.to(device)).clamp(0, 1)
    yield Step(2, 2, foggy, {}, picture.alpha, recipes[1], f"density {density:.3g}")


def _optical_depth(image: Tensor, options: FogOptions) -> Tensor:
    """How much fog lies before each pixel, (1, 1, H, W), up to the factor β."""
    depth = depth_of(image, options.depth, make_rng(options.seed, "depth"))
    rng = make_rng(options.seed, "patches")
    uneven = smooth_noise(image, rng, cells=2, octaves=4) - 0.5
    return (_NEAREST + (1 - _NEAREST) * depth) * (1 + options.patches * uneven)


def _parse_color(text: str) -> Tensor:
    """A colour as (1, 3, 1, 1) in [0, 1]."""
    try:
        channels = ImageColor.getrgb(text)
    except ValueError as error:
        raise OptionError(
            f"color {text!r} is not a colour; use a name such as white, or #rrggbb"
        ) from error
    if len(channels) != 3:
        raise OptionError(f"color {text!r} is transparent; use #rrggbb")
    return torch.tensor(channels).reshape(1, 3, 1, 1) / 255


def _recipe(options: FogOptions, device: str, step: int) -> Recipe:
    recipe = recipe_of("fog", options, {}, changed={"device": device}, step=step)
    written = {name: value for name, value in recipe.options.items() if name != "seed"}
    return replace(recipe, options=written)  # the seed has its own entry
