"""The work behind `belamy.engines.dream.api`: options resolved, pictures read, steps yielded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

import belamy
from belamy.devices import choose_device, generator
from belamy.engines.dream.objective import REFERENCE_SIDE, favourites, objective_for, read_goal
from belamy.engines.tiling import TilingHabit, choose_tiling
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone, load_backbone
from belamy.objectives.objective import Objective
from belamy.optimise import Tiling, descend, fit, slope, tiled_slope
from belamy.pixels.augment import random_shift, robust_same_size, roll, roll_back
from belamy.pixels.canvas import FourierCanvas, PixelCanvas
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import Picture, input_of, load_image, load_picture, resize
from belamy.pixels.images import fit as fit_size
from belamy.pixels.pyramid import gaussian_smooth, laplacian_smooth, octave_sizes
from belamy.pixels.recipe import Recipe
from belamy.pixels.tiles import random_offset
from belamy.steps import Step

NOISE_SIDE = 384  # long side of a picture that starts from noise, in pixels
GAUSSIAN_SIGMA = 1.0  # of the Gaussian smoothing, in pixels. By eye
# Bands that are levelled. TensorFlow's tutorial takes 4, which drives whole skies to pure colours
# (SqueezeNet on a cloud); 2 free the gradient of its grain and leave the colours be. By eye.
LAPLACIAN_LEVELS = 2
SMALLEST_OCTAVE = 32  # short side in pixels below which an octave is skipped
# Nearly all of what a place sees is near its middle (Luo et al. 2016, "Understanding the effective
# receptive field"), and the tiles' places change with every step, so the full field, which would be
# exact, is not needed. Larger tiles only cost memory. By trial.
TILING = TilingHabit(field=1 / 4, strides=0, largest_tile=512, largest_whole=1280)

SMOOTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "laplacian": lambda gradient: laplacian_smooth(gradient, LAPLACIAN_LEVELS),
    "gaussian": lambda gradient: gaussian_smooth(gradient, GAUSSIAN_SIGMA),
    "none": lambda gradient: gradient,
}

# What an option that was left open means on each canvas; an option without a meaning there is
# not in its row, and asking for it is refused.
CANVAS_DEFAULTS: dict[str, dict[str, Any]] = {
    "pixels": {
        "octaves": 4,
        "octave_scale": 1.4,
        "steps": 10,
        "step_size": 1.5,
        "jitter": 32,
        "smooth": "laplacian",
    },
    "fourier": {"steps": 256, "step_size": 0.05},
}


@dataclass(frozen=True)
class Scene:
    """Everything that a dream needs, read and on the device.

    Args:
        options: resolved, as the recipe has them.
        base: (1, 3, H, W), what is dreamt on.
        alpha: (1, 1, H, W) or None.
        mask: (1, 1, H, W) in [0, 1] or None.
    """

    options: Mapping[str, Any]
    backbone: Backbone
    objective: Objective
    base: Tensor
    alpha: Tensor | None
    mask: Tensor | None
    tiling: Tiling | None
    recipe: Recipe


def run(**asked: Any) -> Iterator[Step]:
    """See `belamy.engines.dream.api.dream_steps`; takes every one of its arguments."""
    scene = _scene(_resolved(asked), asked)
    work = _on_pixels if scene.options["canvas"] == "pixels" else _on_fourier
    for step in work(scene):
        yield replace(step, recipe=replace(scene.recipe, step=step.index))


def _resolved(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options with every open one filled in, checked.

    Raises:
        OptionError: a value out of its range, or options that exclude each other.
    """
    options = dict(asked)
    if options["from_"] is None:
        options["from_"] = "noise" if asked["image"] is None else "image"
    from_noise = options["from_"] == "noise"
    if from_noise != (asked["image"] is None):
        raise OptionError("a dream starts from a picture or from noise: give one of the two")
    if options["canvas"] is None:
        options["canvas"] = "fourier" if from_noise else "pixels"
    _fill(options)
    if from_noise and options["size"] is None:
        options["size"] = NOISE_SIDE
    if from_noise:
        _refuse(options, mask=None, strength=1.0, keep_colors=False, channels=None)
    _check_ranges(options)
    return options


def _fill(options: dict[str, Any]) -> None:
    canvas = options["canvas"]
    if canvas not in CANVAS_DEFAULTS:
        raise UnknownName("canvas", canvas, CANVAS_DEFAULTS)
    for name in CANVAS_DEFAULTS["pixels"]:
        meaning = CANVAS_DEFAULTS[canvas].get(name)
        if options[name] is None:
            options[name] = meaning
        elif meaning is None:
            raise OptionError(
                f"{name.replace('_', '-')} has no meaning on a {canvas} canvas; leave it out"
            )
    if canvas == "fourier" and options["tile"] not in ("auto", "none"):
        raise OptionError("a fourier canvas cannot be tiled; leave tile out, or use pixels")


def _refuse(options: Mapping[str, Any], **neutral: Any) -> None:
    for name, value in neutral.items():
        if options[name] is not value and options[name] != value:
            raise OptionError(f"{name.replace('_', '-')} needs a picture to dream on")


def _check_ranges(options: Mapping[str, Any]) -> None:
    ranges: dict[str, tuple[float, float]] = {
        "octaves": (1, 32),
        "octave_scale": (1.01, 8),
        "steps": (1, 100_000),
        "step_size": (1e-6, 255),
        "jitter": (0, 4096),
        "size": (8, 32_768),
        "strength": (0, 1),
    }
    for name, (low, high) in ranges.items():
        value = options[name]
        if value is not None and not low <= value <= high:
            raise OptionError(
                f"{name.replace('_', '-')} is {value}; it must be from {low:g} to {high:g}"
            )
    if options["smooth"] is not None and options["smooth"] not in SMOOTHERS:
        raise UnknownName("smooth", options["smooth"], SMOOTHERS)
    tile = options["tile"]
    if tile not in ("auto", "none") and not (isinstance(tile, int) and tile >= 64):
        raise OptionError(f"tile is {tile!r}; write auto, none, or 64 pixels or more")


def _scene(options: dict[str, Any], asked: Mapping[str, Any]) -> Scene:
    device = choose_device(options["device"])
    layer = options["layer"] or (favourites(options["model"]) if not options["class_"] else ())
    goal = read_goal(layer, options["class_"], options["channels"])
    backbone = load_backbone(options["model"], layers=goal.layers, device=device)
    picture = _base(options)
    base = picture.image.to(device)
    guide = None if options["guide"] is None else _small(load_image(options["guide"])).to(device)
    if guide is not None and not goal.terms:
        raise OptionError("a guide needs layers to be compared in; name one with layer")
    objective = objective_for(goal, backbone, _small(base), guide)
    mask = _mask(options, base)
    tiling = choose_tiling(TILING, options["tile"], backbone, goal.layers, base)
    options = {
        **options,
        "layer": [_written(term) for term in goal.terms],
        "tile": "none" if tiling is None else tiling.tile,
        "device": str(device),
    }
    recipe = _recipe(options, asked, backbone)
    return Scene(options, backbone, objective, base, picture.alpha, mask, tiling, recipe)


def _written(term: Any) -> str:
    number = "" if term.channel is None else f":{term.channel}"
    weight = "" if term.weight == 1 else f"*{term.weight!r}"
    return f"{term.layer}{number}{weight}"


def _base(options: Mapping[str, Any]) -> Picture:
    """What is dreamt on: the image at the size asked for, or noise."""
    if options["from_"] == "noise":
        chance = generator(options["seed"], "noise")
        canvas = PixelCanvas.from_noise(options["size"], options["size"], chance)
        return Picture(canvas().detach())
    picture = load_picture(options["image"])
    if options["size"] is None:
        return picture
    height, width = picture.image.shape[-2:]
    size = fit_size(height, width, options["size"])
    alpha = None if picture.alpha is None else resize(picture.alpha, size)
    return Picture(resize(picture.image, size), alpha)


def _small(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    if max(height, width) <= REFERENCE_SIDE:
        return image
    return resize(image, fit_size(height, width, REFERENCE_SIDE))


def _mask(options: Mapping[str, Any], base: Tensor) -> Tensor | None:
    """The mask's brightness, at the size of the base."""
    if options["mask"] is None:
        return None
    grey = load_image(options["mask"], background="black").mean(dim=1, keepdim=True)  # (1, 1, H, W)
    mask = resize(grey, (base.shape[-2], base.shape[-1])).to(base)
    if not bool(mask.max() > 0):
        raise OptionError("the mask is black all over, so nothing would be dreamt; make it white")
    return mask


def _recipe(options: dict[str, Any], asked: Mapping[str, Any], backbone: Backbone) -> Recipe:
    roles = ("image", "guide", "mask")
    given = {role: asked[role] for role in roles if asked[role] is not None}
    plain = {name: value for name, value in options.items() if name not in roles}
    plain["model"] = os.fspath(options["model"])
    return Recipe(
        engine="dream",
        options=plain,
        inputs=tuple(input_of(role, source) for role, source in given.items()),
        weights={backbone.name: backbone.sha256} if backbone.sha256 else {},
        seed=options["seed"],
        belamy=belamy.__version__,
        torch=torch.__version__,
    )


def _on_pixels(scene: Scene) -> Iterator[Step]:
    options, base = scene.options, scene.base
    sizes, skipped = octave_sizes(
        base.shape[-2],
        base.shape[-1],
        options["octaves"],
        options["octave_scale"],
        max(SMALLEST_OCTAVE, scene.backbone.smallest(scene.objective.layers)),
    )
    note = f"{skipped} octaves would be too small and are left out" if skipped else ""
    total = len(sizes) * options["steps"]
    detail: Tensor | None = None
    for octave, size in enumerate(sizes):
        ground = resize(base, size)
        start = latest = ground
        if detail is not None:  # in place: pictures can be large
            start = resize_detail(detail, size).add_(ground).clamp_(0, 1)
        for index, (latest, value) in enumerate(_octave(scene, start, octave), start=1):
            count = octave * options["steps"] + index
            picture, alpha = _finished(scene, latest)
            yield Step(count, total, picture, {scene.objective.name: value}, alpha, note=note)
            note = ""
        if octave + 1 < len(sizes):
            detail = latest - ground


def resize_detail(detail: Tensor, size: tuple[int, int]) -> Tensor:
    """What an octave added, which may be negative, at the next octave's size."""
    return torch.nn.functional.interpolate(
        detail, size=size, mode="bicubic", align_corners=False, antialias=True
    )


def _octave(scene: Scene, start: Tensor, octave: int) -> Iterator[tuple[Tensor, float]]:
    options = scene.options
    mask = None if scene.mask is None else resize(scene.mask, (start.shape[-2], start.shape[-1]))

    def slope_at(image: Tensor, index: int) -> tuple[Tensor, float]:
        chance = generator(options["seed"], "jitter", octave, index)
        shift = random_shift(options["jitter"], chance)
        rolled = roll(image, shift)
        if scene.tiling is None or max(image.shape[-2:]) <= scene.tiling.tile:
            gradient, value = slope(scene.backbone, scene.objective, rolled)
        else:
            offset = random_offset(scene.tiling.tile, chance)
            gradient, value = tiled_slope(
                scene.backbone, scene.objective, rolled, scene.tiling, offset
            )
        del rolled
        return roll_back(gradient, shift), value

    yield from descend(
        start,
        slope_at,
        steps=options["steps"],
        step_size=options["step_size"] / 255,
        smooth=SMOOTHERS[options["smooth"]],
        mask=mask,
    )


def _on_fourier(scene: Scene) -> Iterator[Step]:
    options = scene.options
    height, width = scene.base.shape[-2:]
    chance = generator(options["seed"], "canvas")
    canvas = (
        FourierCanvas.from_noise(height, width, chance)
        if options["from_"] == "noise"
        else FourierCanvas.from_image(scene.base)
    ).to(scene.base.device)
    change = robust_same_size()

    def loss_of(image: Tensor, index: int) -> Tensor:
        seen = change(image, generator(options["seed"], "changes", index))
        return scene.objective(scene.backbone(seen, scene.objective.layers))

    steps = fit(canvas, loss_of, steps=options["steps"], step_size=options["step_size"])
    for index, (image, value) in enumerate(steps, start=1):
        picture, alpha = _finished(scene, image)
        yield Step(index, options["steps"], picture, {scene.objective.name: value}, alpha)


def _finished(scene: Scene, image: Tensor) -> tuple[Tensor, Tensor | None]:
    """The picture to show: colours kept, blended in, dreamt only where the mask is white."""
    size = (image.shape[-2], image.shape[-1])
    options = scene.options
    alpha = None if scene.alpha is None else resize(scene.alpha, size)
    plain = scene.mask is None and options["strength"] == 1 and not options["keep_colors"]
    if plain:
        return image, alpha
    ground = resize(scene.base, size)
    if options["keep_colors"]:
        image = keep_colors(ground, image)
    amount: Tensor | float = options["strength"]
    if scene.mask is not None:
        amount = amount * resize(scene.mask, size)
    return ground + (image - ground) * amount, alpha
