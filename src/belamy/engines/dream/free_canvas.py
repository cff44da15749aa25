"""Dreams on a Fourier or MACO canvas: one size, Adam, the picture changed before each step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.dream.options import FourierSettings, MacoSettings
from belamy.engines.dream.scene import Scene, finish
from belamy.networks.backbone import Backbone
from belamy.objectives.objective import IMAGE
from belamy.optimise import activations_of, fit
from belamy.pixels.augment import Transform, random_crop, robust_same_size
from belamy.pixels.canvas import CANVASES, FourierCanvas, MacoCanvas
from belamy.pixels.images import contact_sheet
from belamy.pixels.pyramid import gaussian_smooth
from belamy.steps import Step

__all__ = ["dream_on_canvas", "sees_whole"]

# Each step looks at so many crops of the picture, at shares of its shorter side, brought to about
# 5/8 of what the network was trained on, with noise. Fel et al. take more and smaller crops of
# much larger pictures. With crops as large as the picture, things lie in heaps; looked at larger,
# they are drawn in grain. By eye, on eight classes.
CROPS = 2
SHARES = (0.3, 0.8)
CROP_SIDE = 5 / 8
SMALLEST_CROP = 96  # pixels, for networks that were trained on less
NOISE = 0.05  # deviation. Source: horama
# What the gradients of all steps add up to is smoothed by this share of the shorter side, and what
# reaches the quantile is opaque. By eye.
ATTENTION_SIGMA = 1 / 48
OPAQUE = 0.95


def dream_on_canvas(scene: Scene, settings: FourierSettings | MacoSettings) -> Iterator[Step]:
    """The steps of a dream whose canvas is not made of pixels."""
    options = scene.options
    canvas = _canvas(scene).to(scene.base.device)
    attention = torch.zeros_like(scene.base[:, :1])
    changes = _changes(scene)

    def notice(gradient: Tensor) -> None:
        attention.add_(gradient.abs().mean(dim=1, keepdim=True))

    def loss_of(image: Tensor, index: int) -> Tensor:
        if options.transparent and image.requires_grad:
            image.register_hook(notice)  # type: ignore[no-untyped-call]
        losses = [
            _loss_of_change(scene, image, change, (index, *([number] if number else [])))
            for number, change in enumerate(changes)
        ]
        return torch.stack(losses).mean()

    steps = fit(canvas, loss_of, steps=settings.steps, step_size=settings.step_size)
    for index, (image, value) in enumerate(steps, start=1):
        picture, alpha = finish(scene, image)
        if options.transparent:
            alpha = _opacity(attention) * (1.0 if alpha is None else alpha)
        if len(picture) > 1:
            picture = _sheet(scene, picture)
        yield Step(index, settings.steps, picture, {scene.objective.name: value}, alpha)


def _loss_of_change(
    scene: Scene, image: Tensor, change: Transform, place: tuple[int, ...]
) -> Tensor:
    """The objective of the picture changed; what it is compared with is changed alike."""
    seed = scene.options.seed
    changed = change(image, make_rng(seed, "changes", *place))
    objective = scene.objective
    if scene.objective_of is not None:
        objective = scene.objective_of(change(scene.base, make_rng(seed, "changes", *place)))
    return objective(activations_of(scene.backbone, changed, objective.layers))


def _canvas(scene: Scene) -> FourierCanvas | MacoCanvas:
    options = scene.options
    form = CANVASES[str(options.canvas)]
    assert issubclass(form, (FourierCanvas, MacoCanvas)), "pixels are dreamt on elsewhere"
    if options.from_ == "image":
        return form.from_image(scene.base)
    height, width = scene.base.shape[-2:]
    rng = make_rng(options.seed, "canvas")
    if options.towards is None:
        return form.from_noise(height, width, rng, options.pictures or 1)
    # A row starts alike in all its pictures, so that neighbours stay alike.
    canvas = form.from_noise(height, width, rng)
    for weight in canvas.parameters():
        weight.data = weight.data.repeat(options.pictures or 1, *[1] * (weight.dim() - 1))
    return canvas


def _changes(scene: Scene) -> list[Transform]:
    """How the picture is changed before each step; several changes are all looked at.

    Crops, where what is looked for is as large as the picture: without them it is drawn over and
    over, in pieces. For what is smaller, or has its place, Lucid's jitter, scales and turns.
    """
    backbone = scene.backbone
    if scene.options.augment != "crops":
        return [robust_same_size()]
    side = max(SMALLEST_CROP, round(CROP_SIDE * backbone.side))
    side = max(side, backbone.smallest(scene.objective.layers - {IMAGE}))
    return [random_crop(SHARES, side, NOISE)] * CROPS


def sees_whole(backbone: Backbone, layers: Iterable[str], picture: Tensor) -> bool:
    """Whether one position of each of the layers sees all of the picture (N, 3, H, W)."""
    fields = [backbone.layers[backbone.resolve(layer)].receptive_field for layer in layers]
    return all(field is None or field >= min(picture.shape[-2:]) for field in fields)


def _opacity(attention: Tensor) -> Tensor:
    """(1, 1, H, W) in [0, 1]: opaque where the picture mattered."""
    smooth = gaussian_smooth(attention, max(1.0, ATTENTION_SIGMA * min(attention.shape[-2:])))
    most = torch.quantile(smooth.flatten().float().cpu(), OPAQUE)
    return (smooth / most.clamp_min(torch.finfo(smooth.dtype).tiny).to(smooth)).clamp(0, 1)


def _sheet(scene: Scene, pictures: Tensor) -> Tensor:
    """Several pictures on one sheet; a row, where they lead somewhere."""
    count = len(pictures)
    columns = count if scene.options.towards is not None else math.ceil(math.sqrt(count))
    return contact_sheet(
        [one[None] for one in pictures.detach()], columns=columns, cell=max(pictures.shape[-2:])
    )
