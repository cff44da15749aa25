"""The work behind `belamy.engines.gan.edit_api.gan_project_steps`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from belamy.engines.gan.sampler import TOGETHER, Easel, whole
from belamy.errors import Diverged, OptionError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.gan.latents import draw, draw_styles, principal_directions
from belamy.networks.geometry import Layer
from belamy.objectives.perceptual_losses import content_distance
from belamy.pixels.images import Source, input_of, load_image, resize
from belamy.pixels.recipe import Recipe
from belamy.steps import Step

__all__ = ["run"]

# All by eye, on portraits of 64 px.
_CANDIDATES = 64  # pictures, of which the likest is where the search begins
_EVERY = 4  # steps between pictures of the way
_RATE = 0.12  # of Adam, in deviations of the styles; it falls to nothing along a cosine
_PIXELS = 6.0  # weight of the mean square difference in pixels, beside the features' share
_UNUSUAL = 0.010  # weight of how unusual the styles are, at a freedom of 1
_UNEVEN = 0.030  # and of how much they differ between levels
_STRIDES = (2, 4, 8)  # of the layers that judge: one of each, the deepest


def run(image: Source, **options: Any) -> Iterator[Step]:
    """See `belamy.engines.gan.edit_api.gan_project_steps`; takes every one of its arguments."""
    steps, freedom = whole("steps", options["steps"], 1, 100_000), options["freedom"]
    if not 0 < freedom < math.inf:
        raise OptionError(f"freedom is {freedom:g}; it must be more than 0")
    easel = Easel(options)
    target = _square(load_image(image), easel.generator.size).to(easel.device)
    likeness = _Likeness.of(options["model"], target)
    usual = _Usual.of(easel, freedom)
    start = _likest(easel, likeness, options["seed"])
    total = math.ceil(steps / _EVERY)
    note = easel.finish.note(easel.generator.size)
    search = _search(easel, likeness, usual, start, steps)
    for index, (styles, losses) in enumerate(search, start=1):
        (picture,) = easel.finished(styles)
        recipe = _with_model(easel, index, image, likeness)
        told = note if index == 1 else ""
        yield Step(index, total, picture, losses, recipe=recipe, note=told, latents=styles.cpu())


def _square(image: Tensor, size: int) -> Tensor:
    """The middle square of (1, 3, H, W), at the painter's size."""
    height, width = image.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(image[..., top : top + side, left : left + side], (size, size))


@dataclass(frozen=True)
class _Likeness:
    """How far pictures are from the one that is looked for.

    Args:
        backbone: judges.
        features: layer → (1, C, H, W), the target's.
        target: (1, 3, S, S).
    """

    backbone: Backbone
    features: Mapping[str, Tensor]
    target: Tensor

    @classmethod
    def of(cls, model: str, target: Tensor) -> _Likeness:
        whole_network = load_backbone(model, device=target.device)
        layers = _judges(whole_network.layers.values())
        smallest = whole_network.smallest(layers)
        if min(target.shape[-2:]) < smallest:
            raise OptionError(f"{model} cannot look at {target.shape[-1]} px; it needs {smallest}")
        with torch.inference_mode():
            features = whole_network(target, layers)
        return cls(whole_network, {name: x.clone() for name, x in features.items()}, target)

    def loss(self, images: Tensor) -> Tensor:
        """One number for (1, 3, S, S)."""
        found = self.backbone(images, self.features.keys())
        pixels = (images - self.target).square().mean()
        return content_distance(found, self.features) + _PIXELS * pixels

    def each(self, images: Tensor) -> Tensor:
        """(N,) for (N, 3, S, S)."""
        return torch.stack([self.loss(image[None]) for image in images])


def _judges(layers: Any) -> list[str]:
    """The deepest stage at each of `_STRIDES`."""
    found: dict[int, str] = {}
    for row in layers:
        stage: Layer = row
        if stage.name == stage.stage and stage.stride in _STRIDES:
            found[stage.stride] = stage.name
    if not found:
        raise OptionError("the model has no layer that can judge a likeness; take iris")
    return list(found.values())


@dataclass(frozen=True)
class _Usual:
    """What a painter usually paints.

    Args:
        centre: (style,).
        axes: (K, style): principal directions of its styles, a deviation long.
        weight: of leaving it.
    """

    centre: Tensor
    axes: Tensor
    weight: float

    @classmethod
    def of(cls, easel: Easel, freedom: float) -> _Usual:
        centre = easel.centre.clone()
        if easel.generator.levels == 1:  # latents: usual in every direction alike
            axes = torch.eye(len(centre), device=easel.device)
        else:
            most = min(len(centre), 128)
            axes = principal_directions(easel.generator, most).clone()
        lengths = axes.norm(dim=1)
        return cls(centre, axes[lengths > 1e-4 * lengths.max()], 1 / freedom**2)

    def places(self, styles: Tensor) -> Tensor:
        """(N, levels, style) → (N, levels, K) in deviations; what no axis spans is left out."""
        return (styles - self.centre) @ self.axes.mT / self.axes.square().sum(1)

    def styles(self, places: Tensor) -> Tensor:
        return self.centre + places @ self.axes

    def strangeness(self, places: Tensor) -> Tensor:
        mean = places.mean(1, keepdim=True)
        apart = (places - mean).square().mean()
        return self.weight * (_UNUSUAL * places.square().mean() + _UNEVEN * apart)


def _likest(easel: Easel, likeness: _Likeness, seed: int) -> Tensor:
    """(1, levels, style) of the best of some pictures."""
    numbers = range(1, _CANDIDATES + 1)
    styles = draw_styles(easel.generator, numbers, seed=seed, truncation=0.7, label=easel.label)
    with torch.inference_mode():
        parts = [
            likeness.each(draw(easel.generator, part)) for part in torch.split(styles, TOGETHER)
        ]
    best = int(torch.cat(parts).argmin())
    return styles[best : best + 1]


def _search(
    easel: Easel, likeness: _Likeness, usual: _Usual, start: Tensor, steps: int
) -> Iterator[tuple[Tensor, dict[str, float]]]:
    """Styles (1, levels, style) and losses, each few steps and at the end."""
    with torch.enable_grad():
        places = usual.places(start).clone().requires_grad_(True)
    optimizer = torch.optim.Adam([places], lr=_RATE, betas=(0.9, 0.99))
    rate: Callable[[int], float] = lambda step: 0.5 + 0.5 * math.cos(math.pi * step / steps)  # noqa: E731
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    for step in range(1, steps + 1):
        with torch.enable_grad():
            optimizer.zero_grad(set_to_none=True)
            far = likeness.loss(draw(easel.generator, usual.styles(places)))
            strange = usual.strangeness(places)
            (far + strange).backward()  # type: ignore[no-untyped-call]
        losses = {"unlike": float(far.detach()), "unusual": float(strange.detach())}
        if not math.isfinite(sum(losses.values())):
            raise Diverged(f"the loss is no number at step {step}; try less freedom")
        optimizer.step()
        schedule.step()
        if step % _EVERY == 0 or step == steps:
            yield usual.styles(places.detach()), losses


def _with_model(easel: Easel, index: int, image: Source, likeness: _Likeness) -> Recipe:
    made = easel.recipe("gan-project", index)
    weights = {**made.weights, likeness.backbone.name: likeness.backbone.sha256}
    return Recipe(
        engine=made.engine,
        options={name: value for name, value in made.options.items() if name != "image"},
        inputs=(input_of("image", image),),
        weights=weights,
        seed=made.seed,
        belamy=made.belamy,
        torch=made.torch,
        step=index,
    )
