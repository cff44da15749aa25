"""Samples of a generator: pictures drawn from latents, and walks through the latent space."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from belamy.checks import Between, check_number
from belamy.engines.gan.options import LARGEST_SHEET, PaintOptions, WalkOptions
from belamy.engines.gan.sampler import BATCH, PostProcess, Sampler, make_sheet
from belamy.errors import OptionError
from belamy.networks.gan.latents import slerp
from belamy.precision import PassPrecision
from belamy.steps import Step

__all__ = ["interpolate_loop", "paint", "walk"]

_COUNT, _STOPS = 16, 6  # pictures, where nothing is said
_LARGEST_SHEET = 200e6  # pixels


def paint(options: PaintOptions) -> Iterator[Step]:
    """See `belamy.engines.gan.sample_api.gan_paint_steps`."""
    sampler = _load(options, options.precision)
    allowed = Between(1, LARGEST_SHEET if options.sheet else 10_000)
    styles = _choose_styles(
        sampler, "count", options.count or _given(sampler, _COUNT), allowed, options.seed
    )
    options = replace(options, count=len(styles))
    post = _post_process(options, sampler)
    # a single picture is its own sheet, so that its recipe is that of a sheet
    make = _paint_sheet if options.sheet else _paint_each
    for step in make(options, sampler, styles, post):
        yield replace(step, note=post.note) if step.index == 1 else step


def _load(options: PaintOptions | WalkOptions, precision: PassPrecision = "float32") -> Sampler:
    return Sampler(
        options.network,
        label=options.label,
        truncation=options.truncation,
        latents=options.latents,
        rejection=options.rejection,
        precision=precision,
        device=options.device,
    )


def _post_process(options: PaintOptions | WalkOptions, sampler: Sampler) -> PostProcess:
    size = sampler.generator.size
    return PostProcess(size, options.upscale, options.sign, options.frame, options.seed)


def _given(sampler: Sampler, usual: int) -> int:
    """How many pictures there are where it is not said: as many as the saved latents."""
    return usual if sampler.saved is None else len(sampler.saved)


def _choose_styles(sampler: Sampler, name: str, count: int, allowed: Between, seed: int) -> Tensor:
    """The styles (N, resolutions, style) of so many pictures: saved ones, or drawn ones.

    Raises:
        OptionError: there are not so many, or the number is not allowed.
    """
    check_number(name, count, allowed)
    if sampler.saved is None:
        return sampler.sample(range(1, count + 1), seed)
    saved = len(sampler.saved)
    if count > saved:
        raise OptionError(f"{name} is {count}, but the latents are those of {saved} pictures")
    return sampler.saved[:count]


def _paint_each(
    options: PaintOptions, sampler: Sampler, styles: Tensor, post: PostProcess
) -> Iterator[Step]:
    index = 0
    for images in sampler.generate(styles):
        for picture in post.apply(images, index):
            index += 1
            own = styles[index - 1 : index].cpu()
            recipe = sampler.recipe("gan-paint", options, index)
            yield Step(index, len(styles), picture, {}, recipe=recipe, latents=own)


def _paint_sheet(
    options: PaintOptions, sampler: Sampler, styles: Tensor, post: PostProcess
) -> Iterator[Step]:
    if len(styles) * post.side**2 > _LARGEST_SHEET:
        raise OptionError(f"{len(styles)} pictures of {post.side} px are too much for one sheet")
    columns = math.ceil(math.sqrt(len(styles)))
    total = math.ceil(len(styles) / BATCH)
    pictures: list[Tensor] = []
    for index, images in enumerate(sampler.generate(styles), start=1):
        pictures += post.apply(images, len(pictures))
        recipe = sampler.recipe("gan-paint", options, index)
        own = styles[: len(pictures)].cpu()
        yield Step(index, total, make_sheet(pictures, columns), {}, recipe=recipe, latents=own)


def walk(options: WalkOptions) -> Iterator[Step]:
    """See `belamy.engines.gan.sample_api.gan_walk_steps`."""
    sampler = _load(options)
    stops = _choose_styles(
        sampler, "stops", options.stops or _given(sampler, _STOPS), Between(2, 1000), options.seed
    )
    options = replace(options, stops=len(stops))
    post = _post_process(options, sampler)
    styles = interpolate_loop(stops, options.frames, sampler.mean_style)
    frames = (
        frame
        for images in sampler.generate(styles)
        for image in images.split(1)  # type: ignore[no-untyped-call]
        for frame in post.apply(image)  # each as the first, so that the signing hand is still
    )
    for index, frame in enumerate(frames, start=1):
        recipe = sampler.recipe("gan-walk", options, index)
        own = styles[index - 1 : index].cpu()
        note = post.note if index == 1 else ""
        yield Step(index, options.frames, frame, {}, recipe=recipe, note=note, latents=own)


def interpolate_loop(stops: Tensor, frames: int, centre: Tensor) -> Tensor:
    """From each of the stops (N, resolutions, style) to the next, and from the last to the first:
    (frames, resolutions, style), by spherical interpolation around the centre (style,)."""
    position = torch.arange(frames) / frames * len(stops)
    here = position.floor().long()
    fraction = position - here
    eased = fraction * fraction * (3 - 2 * fraction)  # slow at the stops: most is to be seen there
    following = (here + 1) % len(stops)
    per_level = eased[:, None].expand(-1, stops.shape[1])
    return slerp(stops[here], stops[following], per_level, centre)
