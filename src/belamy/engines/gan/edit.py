"""Edits in a generator's latent space: pictures mixed, and moved along directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from belamy.engines.gan.options import EditOptions, MixOptions
from belamy.engines.gan.sampler import PostProcess, Sampler, make_sheet
from belamy.errors import OptionError
from belamy.networks.gan.latents import principal_directions, slerp
from belamy.steps import Step

__all__ = ["INTERPOLATIONS", "caption_mix", "edit", "mix"]

_OVERVIEW = 6  # directions
_ROW = 5  # pictures of each of them
_MIXED = 7  # pictures from one to the other, of a generator without levels


def _load(options: MixOptions | EditOptions) -> tuple[Sampler, PostProcess]:
    sampler = Sampler(
        options.network,
        label=options.label,
        truncation=options.truncation,
        latents=options.latents,
        rejection=options.rejection,
        device=options.device,
    )
    size = sampler.generator.size
    return sampler, PostProcess(size, options.upscale, options.sign, options.frame)


def mix(options: MixOptions) -> Iterator[Step]:
    """See `belamy.engines.gan.sample_api.gan_mix_steps`."""
    sampler, post = _load(options)
    levels = sampler.generator.resolutions
    if options.by == "levels" and levels == 1:
        raise OptionError(f"{sampler.file} has no levels to mix by; mix by latents")
    first, second = (sampler.sample_one(name)[0] for name in (options.first, options.second))
    count = options.count or (levels + 1 if levels > 1 else _MIXED)
    options = replace(options, count=count)
    interpolations = INTERPOLATIONS[options.by if levels > 1 else "latents"]
    rows = [row(first, second, count, sampler.mean_style) for row in interpolations.values()]
    captions = caption_mix(list(interpolations), options.first, options.second, count)
    pictures: list[Tensor] = []
    for index, styles in enumerate(rows, start=1):
        pictures += sampler.render(styles, post)
        shown = captions[: len(pictures)] if len(rows) > 1 else None
        yield Step(
            index,
            len(rows),
            make_sheet(pictures, count, shown),
            {},
            recipe=sampler.recipe("gan-mix", options, index),
            note=post.note if index == 1 else "",
            latents=torch.cat(rows[:index]).cpu(),
        )


def caption_mix(rows: Sequence[str], first: str, second: str, count: int) -> list[str]:
    """What of the second picture is in each, and how much; the ends by their names."""
    ends = {0.0: first, 1.0: second}
    fractions = _fractions(count).tolist()
    return [ends.get(fraction, f"{row} {fraction:.0%}") for row in rows for fraction in fractions]


_Interpolation = Callable[[Tensor, Tensor, int, Tensor], Tensor]
"""(first, second: (resolutions, style), count, centre) → (count, resolutions, style)."""


def _fractions(count: int) -> Tensor:
    return torch.full((1,), 0.5) if count == 1 else torch.linspace(0, 1, count)


def _interpolate(first: Tensor, second: Tensor, count: int, centre: Tensor) -> Tensor:
    fractions = _fractions(count)[:, None].expand(-1, len(first))
    return slerp(first.expand(count, -1, -1), second.expand(count, -1, -1), fractions, centre)


def _mix_styles(first: Tensor, second: Tensor, count: int, fine_first: bool) -> Tensor:
    """Style mixing: of each picture some levels are the second's; at a count beyond the levels, one
    is on its way."""
    levels = len(first)
    order = torch.arange(levels)
    order = levels - 1 - order if fine_first else order
    fractions = (_fractions(count)[:, None] * levels - order).clamp(0, 1)  # (count, levels)
    return torch.lerp(first, second, fractions[:, :, None].to(first))


def _mix_colours_first(first: Tensor, second: Tensor, count: int, centre: Tensor) -> Tensor:
    return _mix_styles(first, second, count, True)


def _mix_form_first(first: Tensor, second: Tensor, count: int, centre: Tensor) -> Tensor:
    return _mix_styles(first, second, count, False)


INTERPOLATIONS: dict[str, dict[str, _Interpolation]] = {
    "latents": {"all": _interpolate},
    "levels": {"colours": _mix_colours_first, "form": _mix_form_first},
    "both": {"all": _interpolate, "colours": _mix_colours_first, "form": _mix_form_first},
}
"""What is mixed by → what comes from the second picture first, and how."""


def edit(options: EditOptions) -> Iterator[Step]:
    """See `belamy.engines.gan.sample_api.gan_edit_steps`."""
    sampler, post = _load(options)
    overview = options.direction is None
    count = options.count or (_ROW if overview else 1)
    options = replace(options, count=count)
    base = sampler.sample_one(options.picture)  # (1, resolutions, style)
    last = options.direction or _OVERVIEW
    directions = principal_directions(sampler.generator, last)
    shown = range(1, last + 1) if overview else [last]
    levels = _mask_levels(sampler, options.where)
    amounts = _amounts(options.amount, count)
    captions = _caption_edit(shown, amounts) if overview else None
    pictures: list[Tensor] = []
    latents: list[Tensor] = []
    for index, number in enumerate(shown, start=1):
        moved = base + amounts * directions[number - 1] * levels
        latents.append(moved.cpu())
        pictures += sampler.render(moved, post)
        yield Step(
            index,
            len(shown),
            make_sheet(pictures, count, captions and captions[: len(pictures)]),
            {},
            recipe=sampler.recipe("gan-edit", options, index),
            note=post.note if index == 1 else "",
            latents=torch.cat(latents),
        )


def _amounts(amount: float, count: int) -> Tensor:
    """(count, 1, 1): from minus to plus the amount, or the amount alone."""
    amounts = torch.tensor([amount]) if count == 1 else torch.linspace(-amount, amount, count)
    return amounts[:, None, None]


_WHERE: dict[str, Callable[[int], slice]] = {
    "all": lambda half: slice(None),
    "coarse": lambda half: slice(0, half),
    "fine": lambda half: slice(half, None),
}


def _mask_levels(sampler: Sampler, where: str) -> Tensor:
    """(levels, 1): 1 for the levels that are moved."""
    levels = sampler.generator.resolutions
    if levels == 1 and where != "all":
        raise OptionError(f"{sampler.file} has no levels; where can only be all")
    half = math.ceil(levels / 2)
    mask = torch.zeros(levels, 1, device=sampler.device)
    mask[_WHERE[where](half)] = 1
    return mask


def _caption_edit(shown: Sequence[int], amounts: Tensor) -> list[str]:
    """For an overview: which direction, and how far."""
    ways = amounts.flatten().tolist()
    return [f"{number}: {way:+g}" if way else f"{number}: 0" for number in shown for way in ways]
