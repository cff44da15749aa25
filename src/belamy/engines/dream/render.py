"""Gradient ascent on pixels, octave by octave; other canvases dream in `free_canvas`."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from belamy.devices import DTYPES, choose_device, make_rng
from belamy.engines.compact import CompactPicture
from belamy.engines.dream.free_canvas import dream_on_canvas, sees_whole
from belamy.engines.dream.objective import (
    REFERENCE_SIDE,
    default_layers,
    default_smoothing,
    objective_for,
    read_target,
)
from belamy.engines.dream.options import (
    LARGEST_SIDE,
    NOISE_SIDE,
    Augmentation,
    DreamOptions,
    PixelSettings,
    default_canvas,
    resolve,
    settings_of,
)
from belamy.engines.dream.scene import Scene, finish
from belamy.engines.masks import read_mask
from belamy.engines.recipes import recipe_of
from belamy.engines.sizes import choose_side
from belamy.engines.tiling import TilingHabit, choose_tiling, fix_tile
from belamy.errors import OptionError, UnknownName
from belamy.memory import PICTURE, free_at_once, give_back
from belamy.networks.backbone import Backbone
from belamy.networks.modules.open_network import (
    Model,
    choose_model_precision,
    describe_model,
    list_models,
    open_backbone,
    suggest_model,
)
from belamy.objectives.objective import IMAGE, Objective
from belamy.optimise import descend, gradient_of, tiled_gradient_of
from belamy.pixels.augment import random_shift, roll, roll_back
from belamy.pixels.canvas import PixelCanvas
from belamy.pixels.images import Picture, Source, load_image, load_picture, resize
from belamy.pixels.images import fit as fit_size
from belamy.pixels.pyramid import gaussian_smooth, laplacian_smooth, octave_sizes
from belamy.pixels.tiles import random_offset
from belamy.steps import Step

__all__ = ["SMOOTHERS", "Dreamer", "dream_on", "resize_detail"]

GAUSSIAN_SIGMA = 1.0  # of the Gaussian smoothing, in pixels. By eye
# Bands that are levelled. TensorFlow's tutorial takes 4, which drives whole skies to pure colours
# (SqueezeNet on a cloud); 2 free the gradient of its grain and leave the colours be. By eye.
LAPLACIAN_LEVELS = 2
SMALLEST_OCTAVE = 32  # short side in pixels below which an octave is skipped
# Nearly all of what a place sees is near its middle (Luo et al. 2016, "Understanding the effective
# receptive field"), and the tiles' places change with every step, so the full field, which would be
# exact, is not needed. Larger tiles only cost memory. By trial.
TILING = TilingHabit(field=1 / 4, strides=0, largest_tile=512, largest_whole=1280)

# They write over what they are given, since pictures can be large.
SMOOTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "laplacian": lambda gradient: laplacian_smooth(gradient, LAPLACIAN_LEVELS, own=True),
    "gaussian": lambda gradient: gaussian_smooth(gradient, GAUSSIAN_SIGMA, own=True),
    # The blur takes the noise of strided depthwise convolutions away; one band more than above is
    # levelled, since what is left of the finest is weak.
    "both": lambda gradient: laplacian_smooth(
        gaussian_smooth(gradient, GAUSSIAN_SIGMA, own=True), LAPLACIAN_LEVELS + 1, own=True
    ),
    "none": lambda gradient: gradient,
}


class Dreamer:
    """DeepDream with its network loaded once, for many pictures.

    Args:
        options: for all of them; its `image` is not looked at.

    Raises:
        UnknownName, WeightsError: no such model or layer, or its weights are not here.
        OptionError: options that exclude each other.
    """

    def __init__(self, options: DreamOptions | None = None) -> None:
        given = self._given = DreamOptions() if options is None else options
        self.device = choose_device(given.device)
        models = list_models(given.model)
        if all(one in ((), [], "", None) for one in (given.layer, given.class_, given.objective)):
            models = models[:1]
            given = replace(given, layer=default_layers(models[0]))
        self.target = read_target(
            given.layer,
            given.class_,
            given.channels,
            given.objective,
            given.towards,
            several=(given.pictures or 1) > 1,
        )
        backbone, model = _load_first(models, self.target.layers, self.device)
        precision = choose_model_precision(model, backbone, given.precision, self.device)
        assert precision != "float16", "no dream is computed in it"
        self.backbone = backbone if precision == "float32" else backbone.to(DTYPES[precision])
        self.hint = self.backbone.assumed or suggest_model(given.model)
        self.options = replace(given, model=model, precision=precision)

    def __call__(self, image: Source | None = None) -> Picture:
        """The picture dreamt on to the end; None dreams from noise."""
        (last,) = deque(self.steps(image), maxlen=1)
        return Picture(last.image, last.alpha, last.recipe)

    def prepare(self, image: Source | None = None) -> Scene:
        """Everything that the dream on a picture needs; None is for noise."""
        return self._scene(resolve(_suit_to_model(replace(self.options, image=image))))

    def steps(self, image: Source | None = None) -> Iterator[Step]:
        """The same, step by step: see `belamy.dream_steps`."""
        scene = self.prepare(image)
        settings = settings_of(scene.options)
        work = (
            _dream_on_pixels(scene, settings)
            if isinstance(settings, PixelSettings)
            else dream_on_canvas(scene, settings)
        )
        for step in work:
            recipe = replace(scene.recipe, step=step.index)
            hint = self.hint if step.index == 1 else ""
            note = "; ".join(filter(None, (step.note, hint)))
            yield replace(step, recipe=recipe, note=note)

    def fix_tile(self, size: tuple[int, int]) -> Literal["none"] | int:
        """Choose, by the memory that is free now, how all pictures of one size are cut.

        Args:
            size: (height, width).
        """
        given, layers = self.options.tile, self.target.layers
        tile = fix_tile(
            size,
            self.device,
            lambda like: choose_tiling(TILING, given, self.backbone, layers, like),
        )
        self.options = replace(self.options, tile=tile)
        return tile

    def _scene(self, options: DreamOptions) -> Scene:
        picture, options = _base(options)
        base = picture.image.to(self.device)
        guide = None
        if options.guide is not None:
            if not self.target.terms:
                raise OptionError("a guide needs layers to be compared in; name one with layer")
            guide = _shrink(load_image(options.guide)).to(self.device)
        objective = objective_for(self.target, self.backbone, _shrink(base), guide)
        mask = _mask(options, base)
        tiling = choose_tiling(TILING, options.tile, self.backbone, self.target.layers, base)
        options = replace(
            options,
            tile="none" if tiling is None else tiling.tile,
            device=str(self.device),
            augment=options.augment or self._augmentation(options, base),
        )
        digest = self.backbone.sha256
        weights = {self.backbone.name: digest} if digest else {}
        model = describe_model(options.model, self.backbone)
        changed = {**self.target.describe(), "model": model}
        recipe = recipe_of("dream", options, weights, changed=changed, given=self._given)
        return Scene(
            options,
            self.backbone,
            objective,
            CompactPicture.of(base),
            picture.alpha,
            mask,
            tiling,
            recipe,
            objective_of=partial(self._objective_of, guide) if self.target.compares else None,
        )

    def _augmentation(self, options: DreamOptions, base: Tensor) -> Augmentation | None:
        """What suits the objective; None on pixels, which have a jitter of their own."""
        if options.canvas == "pixels":
            return None
        if self.target.compares or self.target.has_positions:
            return "jitter"
        whole = sees_whole(self.backbone, self.target.layers, base)
        return "crops" if options.canvas == "maco" or whole else "jitter"

    def _objective_of(self, guide: Tensor | None, base: Tensor) -> Objective:
        return objective_for(self.target, self.backbone, base, guide)


def _load_first(
    models: Sequence[Model], layers: Iterable[str], device: torch.device
) -> tuple[Backbone, Model]:
    """The first of the models that has all the layers, and which one that is.

    Raises:
        UnknownName: none has; what the first one says.
    """
    refused: UnknownName | None = None
    for model in models:
        try:
            return open_backbone(model, layers=layers, device=device), model
        except UnknownName as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _suit_to_model(options: DreamOptions) -> DreamOptions:
    """The smoothing that suits the model, where none is asked for and pixels are dreamt on."""
    canvas = options.canvas or default_canvas(options)
    if options.smooth is not None or canvas != "pixels":
        return options
    return replace(options, smooth=default_smoothing(options.model))


def _base(options: DreamOptions) -> tuple[Picture, DreamOptions]:
    """What is dreamt on, the image at the size asked for or noise; the size filled in."""
    if options.image is None:
        noise = options.size if isinstance(options.size, int) else NOISE_SIDE
        canvas = PixelCanvas.from_noise(noise, noise, make_rng(options.seed, "noise"))
        return Picture(canvas().detach()), options
    picture = load_picture(options.image)
    height, width = picture.image.shape[-2:]
    side = choose_side(options.image, options.size, (height, width), LARGEST_SIDE, "dreaming")
    if side == "full":
        return picture, replace(options, size=side)
    size = fit_size(height, width, side)
    alpha = None if picture.alpha is None else resize(picture.alpha, size)
    return Picture(resize(picture.image, size), alpha), replace(options, size=side)


def _shrink(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    if max(height, width) <= REFERENCE_SIDE:
        return image
    return resize(image, fit_size(height, width, REFERENCE_SIDE))


def _mask(options: DreamOptions, base: Tensor) -> Tensor | None:
    """The mask's brightness, at the size of the base."""
    if options.mask is None:
        return None
    grey = read_mask(options.mask)
    mask = resize(grey, (base.shape[-2], base.shape[-1])).to(base)
    if not bool(mask.max() > 0):
        raise OptionError("the mask is black all over, so nothing would be dreamt; make it white")
    return mask


def _dream_on_pixels(scene: Scene, settings: PixelSettings) -> Iterator[Step]:
    sizes, skipped = _octave_sizes(scene, settings)
    note = f"{skipped} octaves would be too small and are left out" if skipped else ""
    total = len(sizes) * settings.steps
    work = list(
        itertools.accumulate(math.prod(size) for size in sizes for _ in range(settings.steps))
    )
    for count, (latest, value) in enumerate(_ascend(scene, settings, sizes), start=1):
        picture, alpha = finish(scene, latest)
        losses, fraction = {scene.objective.name: value}, work[count - 1] / work[-1]
        yield Step(count, total, picture, losses, alpha, note=note, fraction=fraction)
        note = ""


def dream_on(scene: Scene, settings: PixelSettings) -> Tensor:
    """The scene's base dreamt on to the end, as it is before masks and colours are looked at."""
    sizes, _ = _octave_sizes(scene, settings)
    ((latest, _),) = deque(_ascend(scene, settings, sizes), maxlen=1)
    return latest


def _octave_sizes(scene: Scene, settings: PixelSettings) -> tuple[list[tuple[int, int]], int]:
    """The sizes, and how many octaves would be too small."""
    height, width = scene.ground.size
    smallest = scene.backbone.smallest(scene.objective.layers - {IMAGE})
    return octave_sizes(
        *(height, width, settings.octaves, settings.octave_scale),
        max(SMALLEST_OCTAVE, smallest),
    )


def _ascend(
    scene: Scene, settings: PixelSettings, sizes: Sequence[tuple[int, int]]
) -> Iterator[tuple[Tensor, float]]:
    """The picture after each step, octave by octave, and the objective before it."""
    large = scene.tiling is not None and _bytes(scene.ground.size) >= PICTURE
    if large:
        free_at_once()
    # Pictures can be large: in an octave there is its picture, and nothing older but who shows it.
    detail: Tensor | None = None
    for octave, size in enumerate(sizes):
        latest = _begin(scene.ground, detail, size)
        detail = None
        if large:
            give_back()
        work = _dream_octave(scene, settings, latest, octave)
        for latest, value in work:
            yield latest, value
        if octave + 1 < len(sizes):
            detail = _subtract(latest, scene.ground)


def _bytes(size: tuple[int, int]) -> int:
    return 3 * math.prod(size) * torch.float32.itemsize


def _begin(ground: CompactPicture, detail: Tensor | None, size: tuple[int, int]) -> Tensor:
    """What an octave starts from: the ground, and what the octave before has added to it."""
    if detail is None:
        return ground.resize(size)
    start = detail.new_empty((*detail.shape[:2], *size))
    channels = (torch.split(start, 1, dim=1), torch.split(detail, 1, dim=1), ground.channels(size))
    for out, added, own in zip(*channels, strict=True):
        out.copy_(resize_detail(added, size)).add_(own).clamp_(0, 1)
    return start


def _subtract(image: Tensor, ground: CompactPicture) -> Tensor:
    """What an octave has added, which may be negative."""
    detail, size = torch.empty_like(image), (image.shape[-2], image.shape[-1])
    channels = (torch.split(detail, 1, dim=1), torch.split(image, 1, dim=1), ground.channels(size))
    for out, painted, own in zip(*channels, strict=True):
        torch.sub(painted, own, out=out)
    return detail


def resize_detail(detail: Tensor, size: tuple[int, int]) -> Tensor:
    """What an octave added, which may be negative, at the next octave's size."""
    return torch.nn.functional.interpolate(
        detail, size=size, mode="bicubic", align_corners=False, antialias=True
    )


def _dream_octave(
    scene: Scene, settings: PixelSettings, start: Tensor, octave: int
) -> Iterator[tuple[Tensor, float]]:
    mask = None
    if scene.mask is not None and scene.options.masking == "steps":
        mask = resize(scene.mask, (start.shape[-2], start.shape[-1]))

    def gradient_at(image: Tensor, index: int) -> tuple[Tensor, float]:
        rng = make_rng(scene.options.seed, "jitter", octave, index)
        shift = random_shift(settings.jitter, rng)
        if scene.tiling is None or max(image.shape[-2:]) <= scene.tiling.tile:
            gradient, value = gradient_of(scene.backbone, scene.objective, roll(image, shift))
            return roll_back(gradient, shift), value
        offset = random_offset(scene.tiling.tile, rng)
        return tiled_gradient_of(
            scene.backbone, scene.objective, image, scene.tiling, offset, shift
        )

    work = descend(
        start,
        gradient_at,
        steps=settings.steps,
        step_size=settings.step_size / 255,
        smooth=SMOOTHERS[settings.smooth],
        mask=mask,
    )
    del start  # which is not needed after the first step
    yield from work
