"""The work behind `belamy.engines.gan.sample_api`: paint, walk and mix."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from belamy.engines.gan.sampler import TOGETHER, Easel, sheet_of, whole
from belamy.errors import OptionError
from belamy.networks.gan.latents import slerp
from belamy.steps import Step

__all__ = ["mix", "paint", "walk"]

_COUNT, _STOPS, _ROW = 16, 6, 7  # pictures, where nothing is said
_MOST = 10_000  # pictures of their own
_MOST_ON_A_SHEET = 400
_LARGEST_SHEET = 200e6  # pixels
_LONGEST = 100_000  # frames


def paint(**options: Any) -> Iterator[Step]:
    """See `belamy.engines.gan.sample_api.gan_paint_steps`; takes every one of its arguments."""
    most = _MOST_ON_A_SHEET if options["sheet"] else _MOST
    easel, styles = _chosen(options, "count", _COUNT, (1, most))
    note = easel.finish.note(easel.generator.size)
    # a single picture is its own sheet, and is told as it is made again
    make = _on_a_sheet if options["sheet"] else _one_by_one
    for step in make(easel, styles):
        yield step if step.index > 1 or not note else _noted(step, note)


def _noted(step: Step, note: str) -> Step:
    return Step(
        step.index, step.total, step.image, step.losses, None, step.recipe, note, step.latents
    )


def _chosen(
    options: dict[str, Any], name: str, usual: int, bounds: tuple[int, int]
) -> tuple[Easel, Tensor]:
    """The painter, and the styles (N, levels, style) of as many pictures as are asked for."""
    asked = options[name]
    if asked is not None:
        whole(name, asked, *bounds)
    easel = Easel(options)
    if easel.saved is None:
        styles = easel.drawn(range(1, (asked or usual) + 1), options["seed"])
    else:
        held = len(easel.saved)
        if (asked or held) > held:
            raise OptionError(f"{name} is {asked}, but the latents are those of {held} pictures")
        styles = easel.saved[: whole(name, asked or held, *bounds)]
    easel.options[name] = len(styles)
    return easel, styles


def _one_by_one(easel: Easel, styles: Tensor) -> Iterator[Step]:
    index = 0
    for images in easel.painted(styles):
        for picture in easel.finish.applied(images, index):
            index += 1
            own = styles[index - 1 : index].cpu()
            recipe = easel.recipe("gan-paint", index)
            yield Step(index, len(styles), picture, {}, recipe=recipe, latents=own)


def _on_a_sheet(easel: Easel, styles: Tensor) -> Iterator[Step]:
    side = easel.generator.size * easel.finish.upscale
    if len(styles) * side**2 > _LARGEST_SHEET:
        raise OptionError(f"{len(styles)} pictures of {side} px are too much for one sheet")
    columns = math.ceil(math.sqrt(len(styles)))
    total = math.ceil(len(styles) / TOGETHER)
    pictures: list[Tensor] = []
    for index, images in enumerate(easel.painted(styles), start=1):
        pictures += easel.finish.applied(images, len(pictures))
        sheet = sheet_of(pictures, columns)
        recipe = easel.recipe("gan-paint", index)
        own = styles[: len(pictures)].cpu()
        yield Step(index, total, sheet, {}, recipe=recipe, latents=own)


def walk(**options: Any) -> Iterator[Step]:
    """See `belamy.engines.gan.sample_api.gan_walk_steps`; takes every one of its arguments."""
    seconds, fps = options["seconds"], options["fps"]
    for name, value in (("seconds", seconds), ("fps", fps)):
        if not 0 < value < math.inf:
            raise OptionError(f"{name} is {value:g}; it must be more than 0")
    total = round(seconds * fps)
    if not 2 <= total <= _LONGEST:
        raise OptionError(f"{seconds:g} s of {fps:g} frames are {total}; 2 to {_LONGEST} are made")
    easel, stops = _chosen(options, "stops", _STOPS, (2, 1000))
    note = easel.finish.note(easel.generator.size)
    styles = _round(stops, total, easel.centre)
    # the hand that signs does not tremble from frame to frame
    pictures = (
        picture
        for images in easel.painted(styles)
        for part in images.split(1)  # type: ignore[no-untyped-call]
        for picture in easel.finish.applied(part)
    )
    for index, picture in enumerate(pictures, start=1):
        recipe = easel.recipe("gan-walk", index)
        own = styles[index - 1 : index].cpu()
        told = note if index == 1 else ""
        yield Step(index, total, picture, {}, recipe=recipe, note=told, latents=own)


def _round(stops: Tensor, total: int, centre: Tensor) -> Tensor:
    """(total, levels, style): from each of (N, levels, style) to the next, and to the first."""
    place = torch.arange(total) / total * len(stops)
    here = place.floor().long()
    share = place - here
    gentle = share * share * (3 - 2 * share)  # slow at the stops, where there is most to see
    following = (here + 1) % len(stops)
    eased = gentle[:, None].expand(-1, stops.shape[1])
    return slerp(stops[here], stops[following], eased, centre)


def mix(**options: Any) -> Iterator[Step]:
    """See `belamy.engines.gan.sample_api.gan_mix_steps`; takes every one of its arguments."""
    if options["count"] is not None:
        whole("count", options["count"], 1, 100)
    easel = Easel(options)
    levels = easel.generator.levels
    if options["by"] == "levels" and levels == 1:
        raise OptionError(f"{easel.file} has no levels to mix by; mix by latents")
    first, second = (easel.called(options[name])[0] for name in ("first", "second"))
    count = options["count"] or (levels + 1 if levels > 1 else _ROW)
    easel.options["count"] = count
    note = easel.finish.note(easel.generator.size)
    chosen = _ROWS[options["by"]] if levels > 1 else _ROWS["latents"]
    rows = [row(first, second, count, easel.centre) for row in chosen.values()]
    captions = _captions(list(chosen), str(options["first"]), str(options["second"]), count)
    pictures: list[Tensor] = []
    for index, styles in enumerate(rows, start=1):
        pictures += easel.finished(styles)
        told = captions[: len(pictures)] if len(rows) > 1 else None
        sheet, recipe = sheet_of(pictures, count, told), easel.recipe("gan-mix", index)
        own = torch.cat(rows[:index]).cpu()
        said = note if index == 1 else ""
        yield Step(index, len(rows), sheet, {}, recipe=recipe, note=said, latents=own)


def _captions(rows: list[str], first: str, second: str, count: int) -> list[str]:
    """What of the second picture is in each, and how much; the ends by their names."""
    ends = {0.0: first, 1.0: second}
    shares = _shares(count).tolist()
    return [ends.get(share, f"{row} {share:.0%}") for row in rows for share in shares]


_Row = Callable[[Tensor, Tensor, int, Tensor], Tensor]
"""(first, second: (levels, style), count, centre) → (count, levels, style)."""


def _shares(count: int) -> Tensor:
    return torch.full((1,), 0.5) if count == 1 else torch.linspace(0, 1, count)


def _by_latents(first: Tensor, second: Tensor, count: int, centre: Tensor) -> Tensor:
    share = _shares(count)[:, None].expand(-1, len(first))
    return slerp(first.expand(count, -1, -1), second.expand(count, -1, -1), share, centre)


def _by_levels(first: Tensor, second: Tensor, count: int, fine_first: bool) -> Tensor:
    """Of each picture a part of the levels is the second's; at a count beyond the levels, one is
    on its way."""
    levels = len(first)
    order = torch.arange(levels)
    order = levels - 1 - order if fine_first else order
    share = (_shares(count)[:, None] * levels - order).clamp(0, 1)  # (count, levels)
    return torch.lerp(first, second, share[:, :, None].to(first))


def _colours_first(first: Tensor, second: Tensor, count: int, centre: Tensor) -> Tensor:
    return _by_levels(first, second, count, True)


def _form_first(first: Tensor, second: Tensor, count: int, centre: Tensor) -> Tensor:
    return _by_levels(first, second, count, False)


_ROWS: dict[str, dict[str, _Row]] = {
    "latents": {"all": _by_latents},
    "levels": {"colours": _colours_first, "form": _form_first},
    "both": {"all": _by_latents, "colours": _colours_first, "form": _form_first},
}
"""What is mixed by → what comes from the second picture first, and how."""
