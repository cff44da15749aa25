"""Style transfer by gradient descent on pixels, scale by scale: the work of `belamy.style`."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import choose_device, make_rng
from belamy.engines.recipes import recipe_of
from belamy.engines.style.gradient import FeatureExtractor, LossTerm, style_gradient
from belamy.engines.style.initial import initial_image
from belamy.engines.style.inputs import Pictures, read_pictures, shrink
from belamy.engines.style.network import TILING, set_pooling_and_padding
from belamy.engines.style.optimizers import EMA, OPTIMIZERS, Losses, Optimizer
from belamy.engines.style.options import (
    PRESETS,
    StyleOptions,
    describe_layers,
    is_named_start,
    iterations_of,
    optimizer_of,
    resolve,
    step_size_of,
)
from belamy.engines.style.targets import (
    Region,
    check_layers,
    choose_layers,
    loss_terms,
)
from belamy.engines.tiling import bytes_per_pixel, choose_tiling, fix_tile
from belamy.networks.architecture import StyleLayers
from belamy.networks.modules.open_network import (
    choose_model_precision,
    describe_model,
    open_backbone,
)
from belamy.objectives.objective import IMAGE
from belamy.objectives.priors import nine_point_variation
from belamy.optimise import Tiling
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import Picture, Source, resize
from belamy.pixels.pyramid import Size, scale_sizes
from belamy.pixels.recipe import Recipe
from belamy.pixels.tiles import random_offset
from belamy.steps import Step

__all__ = ["Scene", "Stylist", "finish", "paint_on"]

# Pixels that are painted beyond each edge, and cut off. Networks see fewer positions there, padding
# counts the last ones several times, and nothing holds them: they take on colours of their own. At
# 200 px the outermost neighbours differed 1.3 times as much as others, with this frame 1.1 times.
FRAME = 2


@dataclass(frozen=True)
class Scene:
    """Everything that one style transfer needs, read and on the device.

    Args:
        options: resolved, as the recipe has them.
        sizes: of the scales, the last one that of the result.
    """

    options: StyleOptions
    layers: StyleLayers
    extractor: FeatureExtractor
    pictures: Pictures
    sizes: list[Size]
    recipe: Recipe


class Stylist:
    """Style transfer by optimisation with its network loaded once, for many pictures.

    Args:
        options: for all of them; its `content` is painted where no other is named.

    Raises:
        UnknownName, WeightsError: no such model or layer, or its weights are not here.
        OptionError: options that exclude each other.
    """

    def __init__(self, options: StyleOptions) -> None:
        self.device = choose_device(options.device)
        self.layers = choose_layers(options)
        names = [*self.layers.content, *self.layers.style]
        backbone = open_backbone(options.model, layers=names, device=self.device)
        check_layers(backbone, names)
        auto = options.tile == "auto"
        self._bytes_per_pixel = bytes_per_pixel(backbone, names) if auto else None
        precision = choose_model_precision(options.model, backbone, options.precision, self.device)
        self._given = options
        self.options = resolve(replace(options, precision=precision))
        self.backbone = set_pooling_and_padding(backbone, options.pooling, precision)

    def __call__(self, content: Source | None = None) -> Picture:
        """The picture painted to the end."""
        (last,) = deque(self.steps(content), maxlen=1)
        return Picture(last.image, last.alpha, last.recipe)

    def prepare(self, content: Source | None = None) -> Scene:
        """Everything that painting a picture needs."""
        options = self.options if content is None else replace(self.options, content=content)
        return self._scene(options)

    def steps(self, content: Source | None = None) -> Iterator[Step]:
        """The same, step by step: see `belamy.style_steps`."""
        scene = self.prepare(content)
        first, following = iterations_of(scene.options)
        work = _work_of(scene.sizes, first, following)
        total = len(work)
        for count, (image, losses) in enumerate(_optimise(scene, first, following), start=1):
            result, alpha = _finish(scene, image)
            notes = (scene.pictures.note, self.backbone.assumed) if count == 1 else ()
            note = "; ".join(filter(None, notes))
            yield Step(
                *(count, total, result, losses, alpha),
                recipe=replace(scene.recipe, step=count),
                note=note,
                fraction=work[count - 1] / work[-1],
            )

    def fix_tile(self, size: tuple[int, int]) -> Literal["none"] | int:
        """Choose, by the memory that is free now, how all pictures of one size are cut.

        Args:
            size: (height, width).
        """
        given = self.options
        tile = fix_tile(size, self.device, lambda like: self._choose_tiling(given, like))
        self.options = replace(self.options, tile=tile)
        return tile

    def _choose_tiling(self, options: StyleOptions, image: Tensor) -> Tiling | None:
        names = [*self.layers.content, *self.layers.style]
        cost = self._bytes_per_pixel
        return choose_tiling(TILING, options.tile, self.backbone, names, image, cost)

    def _scene(self, options: StyleOptions) -> Scene:
        pictures = read_pictures(options, self.device, PRESETS[options.preset].size)
        options = replace(options, size=pictures.side)
        height, width = pictures.content.shape[-2:]
        tiling = self._choose_tiling(options, pictures.content)
        options = replace(
            options, tile="none" if tiling is None else tiling.tile, device=str(self.device)
        )
        return Scene(
            options,
            self.layers,
            FeatureExtractor(self.backbone, tiling),
            pictures,
            scale_sizes(height, width, min(options.min_size, max(height, width))),
            self._recipe(options),
        )

    def _recipe(self, options: StyleOptions) -> Recipe:
        changed: dict[str, object] = {
            "content_layer": describe_layers(self.layers.content),
            "style_layer": describe_layers(self.layers.style),
            "content_weight": self.layers.content_weight,
            "tv": self.layers.tv,
            "model": describe_model(options.model, self.backbone),
        }
        if is_named_start(options.init):
            changed["init"] = options.init
        digest = self.backbone.sha256
        weights: Mapping[str, str] = {self.backbone.name: digest} if digest else {}
        return recipe_of("style", options, weights, changed=changed, given=self._given)


def _work_of(sizes: Sequence[Size], first: int, following: int) -> list[int]:
    """What is done after each step, in pixels that were looked at: a step costs by its scale."""
    pixels = [math.prod(size) for size in sizes]
    counts = [first, *[following] * (len(sizes) - 1)]
    steps = (one for one, count in zip(pixels, counts, strict=True) for _ in range(count))
    return list(itertools.accumulate(steps))


def _optimise(scene: Scene, first: int, following: int) -> Iterator[tuple[Tensor, Losses]]:
    """The picture to show after each step, and its losses, from the smallest scale up."""
    options = scene.options
    step_size = step_size_of(options)
    form = OPTIMIZERS[optimizer_of(options)]
    latest: Tensor | None = None
    optimizer: Optimizer | None = None
    for scale, size in enumerate(scene.sizes):
        if latest is None:
            start = initial_image(options.init, scene.pictures, size, options.seed)
        else:
            start = resize(latest, size)
            if form.detailed and is_named_start(options.init) and options.init == "content":
                start = _add_detail(scene, start, scene.sizes[scale - 1])
        start = _pad(_confine(scene, start, size))
        optimizer = form(start, step_size, optimizer)
        for latest, losses in _descend(scene, optimizer, scale, following if scale else first):
            yield latest, losses


def _add_detail(scene: Scene, image: Tensor, before: Size) -> Tensor:
    """The picture with what the content shows at its size, and not yet at the size before."""
    size = (image.shape[-2], image.shape[-1])
    content = scene.pictures.content
    return (image + resize(content, size) - resize(resize(content, before), size)).clamp_(0, 1)


def paint_on(scene: Scene, start: Tensor, steps: int, target: Tensor, trust: Tensor) -> Tensor:
    """A picture painted further at its full size, held to another one.

    Args:
        start: (1, 3, H, W), at the size of the last scale.
        target: the same: what it is held to.
        trust: (1, 1, H, W): how much, 0 or more.

    Source: Ruder et al. 2016, "Artistic style transfer for videos": the temporal loss.
    """
    size = scene.sizes[-1]
    padded = _pad(_confine(scene, start, size))
    form = OPTIMIZERS[optimizer_of(scene.options)]
    optimizer = form(padded, step_size_of(scene.options), None)
    held = (_pad(target), _pad(trust))
    last = len(scene.sizes) - 1
    ((image, _),) = deque(_descend(scene, optimizer, last, steps, held), maxlen=1)
    return image


def finish(scene: Scene, image: Tensor) -> Tensor:
    """The picture to show: colours kept if so asked, painted only where the masks are white."""
    return _finish(scene, image)[0]


def _descend(
    scene: Scene,
    optimizer: Optimizer,
    scale: int,
    steps: int,
    held: tuple[Tensor, Tensor] | None = None,
) -> Iterator[tuple[Tensor, Losses]]:
    """What is shown after each step at one scale, and the losses before it.

    Args:
        held: what the picture is held to, and how much, at each pixel.
    """
    size = scene.sizes[scale]
    content = _pad(resize(scene.pictures.content, size))
    loss = scene.options.style_loss
    terms = loss_terms(scene.extractor, scene.layers, loss, content, _regions(scene, size))
    painted = scene.pictures.cover(size)
    cover = None if painted is None else _pad(painted)
    average = EMA(steps if optimizer.averaged else 1)
    average.add(optimizer.image)
    for index in range(steps):

        def gradient_at(image: Tensor, index: int = index) -> tuple[Tensor, Losses]:
            gradient, losses = _style_gradient(scene, terms, image, scale, index)
            smoothing, losses["tv"] = _variation_gradient(scene.layers.tv, image)
            gradient += smoothing
            if held is not None:  # of the mean over pixels of trust · (image − target)²
                gradient += (2 / image[0].numel()) * held[1] * (image - held[0])
            return (gradient if cover is None else gradient * cover), losses

        losses = optimizer.step(gradient_at)
        inner = slice(FRAME, -FRAME)
        yield average.add(optimizer.image)[..., inner, inner], losses


def _style_gradient(
    scene: Scene, terms: list[LossTerm], image: Tensor, scale: int, index: int
) -> tuple[Tensor, Losses]:
    options, tiling = scene.options, scene.extractor.tiling
    offset = (0, 0)
    if tiling is not None:
        offset = random_offset(tiling.tile, make_rng(options.seed, "tiles", scale, index))
    # Losses are means over pixels; times their number, gradients are about as large as features.
    factor = image.shape[-2] * image.shape[-1] if options.precision == "float16" else 1
    return style_gradient(scene.extractor, terms, image, offset, factor)


def _variation_gradient(weight: float, image: Tensor) -> tuple[Tensor, float]:
    """The gradient of the total variation for the pixels, and its value, both weighted."""
    variation = weight * nine_point_variation()
    with torch.enable_grad():
        pixels = image.detach().requires_grad_(True)
        value = variation({IMAGE: pixels})
        (gradient,) = torch.autograd.grad(value, pixels)
    return gradient, float(value.detach())


def _pad(image: Tensor) -> Tensor:
    """(N, C, H, W) with its edges mirrored around it; of what is too small, repeated."""
    mode = "reflect" if min(image.shape[-2:]) > FRAME else "replicate"
    return F.pad(image, (FRAME,) * 4, mode=mode)


def _regions(scene: Scene, size: Size) -> list[Region]:
    """Where which styles are painted, at one scale."""
    options = scene.options
    long_side = options.style_size or round(max(size) * options.style_scale)
    styles = [shrink(one, long_side) for one in scene.pictures.styles]
    if not scene.pictures.masks:
        return [Region(tuple(styles))]
    masks = [_pad(resize(mask, size)) for mask in scene.pictures.masks]
    return [Region((one,), mask) for one, mask in zip(styles, masks, strict=True)]


def _confine(scene: Scene, image: Tensor, size: Size) -> Tensor:
    """The image where something is painted, the content where nothing is."""
    cover = scene.pictures.cover(size)
    if cover is None:
        return image
    ground = resize(scene.pictures.content, size)
    return ground + cover * (image - ground)


def _finish(scene: Scene, image: Tensor) -> tuple[Tensor, Tensor | None]:
    """The picture to show, and its transparency."""
    size = (image.shape[-2], image.shape[-1])
    if scene.options.keep_colors == "luma":
        image = keep_colors(resize(scene.pictures.content, size), image)
    alpha = scene.pictures.alpha
    return _confine(scene, image, size), None if alpha is None else resize(alpha, size)
