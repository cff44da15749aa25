"""The work behind `belamy.engines.style.api`: pictures read, scales climbed, steps yielded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import choose_device, make_rng
from belamy.engines.style.gradient import Term, View, style_slope
from belamy.engines.style.inputs import Pictures, read_pictures, shrunk
from belamy.engines.style.network import TILING, prepared
from belamy.engines.style.optimizers import OPTIMIZERS, Average, Descent, Losses
from belamy.engines.style.options import recipe_of, resolved
from belamy.engines.style.targets import Region, Taste, check_layers, taste, terms_for
from belamy.engines.tiling import choose_tiling
from belamy.networks.backbone import load_backbone
from belamy.objectives.objective import IMAGE
from belamy.objectives.priors import nine_point_variation
from belamy.pixels.colors import color_moments, keep_colors
from belamy.pixels.images import load_image, resize
from belamy.pixels.pyramid import Size, scale_sizes
from belamy.pixels.recipe import Recipe
from belamy.pixels.tiles import random_offset
from belamy.steps import Step

# Pixels that are painted beyond each edge, and cut off. Networks see fewer places there, padding
# counts the last ones several times, and nothing holds them: they take on colours of their own. At
# 200 px the outermost neighbours differed 1.3 times as much as others, with this frame 1.1 times.
_FRAME = 2
# Of the noise that a picture can start from: around middle grey, seldom clipped. By eye.
NOISE_DEVIATION = 0.15


@dataclass(frozen=True)
class Scene:
    """Everything that a style transfer needs, read and on the device.

    Args:
        options: resolved, as the recipe has them.
        sizes: of the scales, the last one that of the result.
    """

    options: Mapping[str, Any]
    taste: Taste
    view: View
    pictures: Pictures
    sizes: list[Size]
    recipe: Recipe


def run(**asked: Any) -> Iterator[Step]:
    """See `belamy.engines.style.api.style_steps`; takes every one of its arguments."""
    scene = _scene(resolved(asked), asked)
    first, following = scene.options["iterations"]
    total = first + following * (len(scene.sizes) - 1)
    count, latest = 0, None
    descent: Descent | None = None
    for place, size in enumerate(scene.sizes):
        steps = following if place else first
        start = _start(scene, size) if latest is None else resize(latest, size)
        kind, _ = OPTIMIZERS[scene.options["optimizer"]]
        descent = kind(_framed(_confined(scene, start, size)), scene.options["step_size"], descent)
        for latest, losses in _scale(scene, descent, size, place, steps):
            count += 1
            image, alpha = _finished(scene, latest)
            note = scene.pictures.note if count == 1 else ""
            recipe = replace(scene.recipe, step=count)
            yield Step(count, total, image, losses, alpha, recipe, note)


def _scene(options: dict[str, Any], asked: Mapping[str, Any]) -> Scene:
    device = choose_device(options["device"])
    names = ("model", "content_layer", "style_layer", "content_weight", "tv")
    wanted = taste(*(options[name] for name in names))
    layers = [*wanted.content, *wanted.style]
    backbone = load_backbone(options["model"], layers=layers, device=device)
    check_layers(backbone, layers)
    pictures = read_pictures(options, device)
    height, width = pictures.content.shape[-2:]
    tiling = choose_tiling(TILING, options["tile"], backbone, layers, pictures.content)
    backbone = prepared(backbone, options["pooling"], options["precision"])
    options = {**options, "tile": "none" if tiling is None else tiling.tile, "device": str(device)}
    return Scene(
        options,
        wanted,
        View(backbone, tiling),
        pictures,
        scale_sizes(height, width, min(options["min_size"], max(height, width))),
        recipe_of(options, asked, wanted, backbone),
    )


def _scale(
    scene: Scene, descent: Descent, size: Size, place: int, steps: int
) -> Iterator[tuple[Tensor, Losses]]:
    """The average after each step at one size, and the losses before it."""
    content = _framed(resize(scene.pictures.content, size))
    regions = _regions(scene, size)
    loss = scene.options["style_loss"]
    terms = terms_for(scene.view, scene.taste, loss, content, regions)
    smooth = scene.taste.tv * nine_point_variation()
    shown = scene.pictures.cover(size)
    cover = None if shown is None else _framed(shown)
    average = Average(steps)
    average.add(descent.image)
    for index in range(steps):

        def slope_at(image: Tensor, index: int = index) -> tuple[Tensor, Losses]:
            gradient, losses = _slope(scene, terms, image, place, index)
            with torch.enable_grad():
                pixels = image.detach().requires_grad_(True)
                value = smooth({IMAGE: pixels})
                (smoother,) = torch.autograd.grad(value, pixels)
            gradient += smoother
            losses["tv"] = float(value.detach())
            return (gradient if cover is None else gradient * cover), losses

        losses = descent.step(slope_at)
        inner = slice(_FRAME, -_FRAME)
        yield average.add(descent.image)[..., inner, inner], losses


def _framed(image: Tensor) -> Tensor:
    """(N, C, H, W) with its edges mirrored around it; of what is too small, repeated."""
    mode = "reflect" if min(image.shape[-2:]) > _FRAME else "replicate"
    return F.pad(image, (_FRAME,) * 4, mode=mode)


def _slope(
    scene: Scene, terms: list[Term], image: Tensor, place: int, index: int
) -> tuple[Tensor, Losses]:
    offset = (0, 0)
    if scene.view.tiling is not None:
        chance = make_rng(scene.options["seed"], "tiles", place, index)
        offset = random_offset(scene.view.tiling.tile, chance)
    # The losses are means over pixels; times their number, slopes are about as large as features.
    scale = image.shape[-2] * image.shape[-1] if scene.options["precision"] == "float16" else 1
    return style_slope(scene.view, terms, image, offset, scale)


def _regions(scene: Scene, size: Size) -> list[Region]:
    """Where which styles are painted, at one scale."""
    long_side = scene.options["style_size"] or round(max(size) * scene.options["style_scale"])
    styles = [shrunk(one, long_side) for one in scene.pictures.styles]
    if not scene.pictures.masks:
        return [Region(tuple(styles))]
    masks = [_framed(resize(mask, size)) for mask in scene.pictures.masks]
    return [Region((one,), mask) for one, mask in zip(styles, masks, strict=True)]


def _start(scene: Scene, size: Size) -> Tensor:
    """What the first scale starts from."""
    init, content = scene.options["init"], scene.pictures.content
    begin = STARTS.get(init) if isinstance(init, str) else None
    if begin is None:
        return resize(load_image(init).to(content.device), size)
    chance = make_rng(scene.options["seed"], "init")
    noise = torch.randn((1, 3, *size), generator=chance).to(content.device)
    return begin(scene, noise).clamp(0, 1)


def _from_statistics(scene: Scene, noise: Tensor) -> Tensor:
    """Noise with the mean and covariance of the styles' colours, each as much as it counts."""
    weights = [one.weight for one in scene.pictures.styles]
    moments = [color_moments(one.image) for one in scene.pictures.styles]
    parts = [weight / sum(weights) for weight in weights]
    mean = torch.stack([p * m for p, (m, _) in zip(parts, moments, strict=True)]).sum(dim=0)
    second = [p * (c + torch.outer(m, m)) for p, (m, c) in zip(parts, moments, strict=True)]
    covariance = torch.stack(second).sum(dim=0) - torch.outer(mean, mean)
    values, vectors = torch.linalg.eigh(covariance)
    mix = (vectors * values.clamp_min(0).sqrt()).to(noise)  # (3, 3)
    colours: Tensor = torch.einsum("ij,njhw->nihw", mix, noise)
    return colours + mean.to(noise).view(1, 3, 1, 1)


STARTS: dict[str, Callable[[Scene, Tensor], Tensor]] = {
    "content": lambda scene, noise: resize(
        scene.pictures.content, (noise.shape[-2], noise.shape[-1])
    ),
    "noise": lambda scene, noise: 0.5 + NOISE_DEVIATION * noise,
    "grey": lambda scene, noise: torch.full_like(noise, 0.5),
    "style-statistics": _from_statistics,
}
"""What a picture starts from → (scene, normal noise (1, 3, H, W)) → the picture."""


def _confined(scene: Scene, image: Tensor, size: Size) -> Tensor:
    """The image where something is painted, the content where nothing is."""
    cover = scene.pictures.cover(size)
    if cover is None:
        return image
    ground = resize(scene.pictures.content, size)
    return ground + cover * (image - ground)


def _finished(scene: Scene, image: Tensor) -> tuple[Tensor, Tensor | None]:
    """The picture to show, and its transparency."""
    size = (image.shape[-2], image.shape[-1])
    if scene.options["keep_colors"] == "luma":
        image = keep_colors(resize(scene.pictures.content, size), image)
    alpha = scene.pictures.alpha
    return _confined(scene, image, size), None if alpha is None else resize(alpha, size)
