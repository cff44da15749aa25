"""Projection: the latents with which a generator comes nearest to a given picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.engines.gan.framing import frame
from belamy.engines.gan.options import ProjectOptions
from belamy.engines.gan.sampler import BATCH, PostProcess, Sampler
from belamy.errors import Diverged, OptionError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.gan.latents import draw, draw_styles, principal_directions
from belamy.networks.geometry import Layer
from belamy.objectives.perceptual_losses import relative_content_loss
from belamy.pixels.images import load_image
from belamy.steps import Step
from belamy.training.schedules import cosine_decay, set_learning_rate

__all__ = ["PerceptualDistance", "StylePrior", "project"]

# All by eye, on portraits of 64 px.
_CANDIDATES = 64  # pictures, of which the one with the smallest loss is where the search begins
_CANDIDATE_TRUNCATION = 0.7
_EVERY = 4  # steps between pictures of the way
_LEARNING_RATE = 0.12  # of Adam, in deviations of the styles; it falls to nothing along a cosine
_PIXEL_WEIGHT = 6.0  # of the mean square difference in pixels, beside the perceptual loss
_FACE_PIXEL_WEIGHT = 20.0  # the same, of a face
_FACE_FREEDOM = 3.0  # times as free: a person is to be known again, who is no usual portrait
_PRIOR_WEIGHT = 0.010  # of how unusual the styles are, at a freedom of 1
_UNEVEN_WEIGHT = 0.030  # and of how much they differ between levels
_STRIDES = (2, 4, 8)  # of the layers of the perceptual loss: one of each, the deepest


def project(options: ProjectOptions) -> Iterator[Step]:
    """See `belamy.engines.gan.sample_api.gan_project_steps`."""
    sampler = Sampler(options.network, label=options.label, device=options.device)
    size = sampler.generator.size
    post = PostProcess(size, options.upscale, options.sign, options.frame, options.seed)
    framing = frame(load_image(options.image), options.face, size)
    options = replace(options, face=framing.face)
    target = framing.target.to(sampler.device)
    distance = PerceptualDistance.to_target(options.model, target, framing.weights)
    further = 1.0 if framing.weights is None else _FACE_FREEDOM
    prior = StylePrior.of(sampler, further * options.freedom)
    start = _find_nearest(sampler, distance, options.seed)
    weights = {distance.backbone.name: distance.backbone.sha256}
    total = math.ceil(options.steps / _EVERY)
    search = _search(sampler, distance, prior, start, options.steps)
    for index, (styles, losses) in enumerate(search, start=1):
        (picture,) = sampler.render(styles, post)
        recipe = sampler.recipe("gan-project", options, index, weights)
        note = "; ".join(filter(None, (framing.note, post.note))) if index == 1 else ""
        yield Step(index, total, picture, losses, recipe=recipe, note=note, latents=styles.cpu())


@dataclass(frozen=True)
class PerceptualDistance:
    """How far pictures are from a target: in a network's features, and in pixels.

    Args:
        backbone: the feature extractor.
        features: layer → (1, C, H, W), the target's.
        target: (1, 3, S, S).
        weights: (1, 1, S, S) of its places, 1 in the mean; None where all count as much.
    """

    backbone: Backbone
    features: Mapping[str, Tensor]
    target: Tensor
    weights: Tensor | None = None

    @classmethod
    def to_target(
        cls, model: object, target: Tensor, weights: Tensor | None = None
    ) -> PerceptualDistance:
        """With the layers that suit it."""
        backbone = load_backbone(str(model), device=target.device)
        layers = _choose_layers(backbone.layers.values())
        smallest = backbone.smallest(layers)
        if min(target.shape[-2:]) < smallest:
            raise OptionError(f"{model} cannot look at {target.shape[-1]} px; it needs {smallest}")
        with torch.inference_mode():
            features = backbone(target, layers)
        own = {name: x.clone() for name, x in features.items()}
        return cls(backbone, own, target, None if weights is None else weights.to(target.device))

    def loss(self, images: Tensor) -> Tensor:
        """One number for (1, 3, S, S)."""
        features = self.backbone(images, self.features.keys())
        differences = (images - self.target).square()
        if self.weights is None:
            unlike = relative_content_loss(features, self.features)
            return unlike + _PIXEL_WEIGHT * differences.mean()
        unlike = relative_content_loss(
            {name: self._weigh(x) for name, x in features.items()},
            {name: self._weigh(x) for name, x in self.features.items()},
        )
        return unlike + _FACE_PIXEL_WEIGHT * (differences * self.weights).mean()

    def _weigh(self, features: Tensor) -> Tensor:
        """So that squares are weighted as the places are."""
        return features * self._weights_at(*features.shape[-2:]).sqrt()

    def _weights_at(self, height: int, width: int) -> Tensor:
        assert self.weights is not None
        return F.adaptive_avg_pool2d(self.weights, (height, width))

    def losses(self, images: Tensor) -> Tensor:
        """(N,) for (N, 3, S, S)."""
        return torch.stack([self.loss(image[None]) for image in images])


def _choose_layers(layers: Iterable[Layer]) -> list[str]:
    """The deepest stage at each of `_STRIDES`."""
    chosen: dict[int, str] = {}
    for layer in layers:
        if layer.name == layer.stage and layer.stride in _STRIDES:
            chosen[layer.stride] = layer.name
    if not chosen:
        raise OptionError("the model has no layer for a perceptual loss; take iris")
    return list(chosen.values())


@dataclass(frozen=True)
class StylePrior:
    """A Gaussian of a generator's styles: what it usually paints.

    Args:
        mean: (style,).
        axes: (K, style), principal directions, a standard deviation long.
        weight: of leaving it.
    """

    mean: Tensor
    axes: Tensor
    weight: float

    @classmethod
    def of(cls, sampler: Sampler, freedom: float) -> StylePrior:
        """Measured on the generator's own styles."""
        mean = sampler.mean_style.clone()
        if sampler.generator.resolutions == 1:  # latents: the same in every direction
            axes = torch.eye(len(mean), device=sampler.device)
        else:
            most = min(len(mean), 128)
            axes = principal_directions(sampler.generator, most).clone()
        lengths = axes.norm(dim=1)
        return cls(mean, axes[lengths > 1e-4 * lengths.max()], 1 / freedom**2)

    def coordinates(self, styles: Tensor) -> Tensor:
        """(N, resolutions, style) → (N, resolutions, K), in deviations along the axes."""
        return (styles - self.mean) @ self.axes.mT / self.axes.square().sum(1)

    def styles(self, coordinates: Tensor) -> Tensor:
        """The way back."""
        return self.mean + coordinates @ self.axes

    def loss(self, coordinates: Tensor) -> Tensor:
        """How unusual the styles are, and how much they differ between levels."""
        mean = coordinates.mean(1, keepdim=True)
        uneven = (coordinates - mean).square().mean()
        unusual = coordinates.square().mean()
        return self.weight * (_PRIOR_WEIGHT * unusual + _UNEVEN_WEIGHT * uneven)


def _find_nearest(sampler: Sampler, distance: PerceptualDistance, seed: int) -> Tensor:
    """(1, resolutions, style) of the best of some pictures."""
    styles = draw_styles(
        sampler.generator,
        range(1, _CANDIDATES + 1),
        seed=seed,
        truncation=_CANDIDATE_TRUNCATION,
        label=sampler.label,
    )
    with torch.inference_mode():
        losses = [
            distance.losses(draw(sampler.generator, part)) for part in torch.split(styles, BATCH)
        ]
    best = int(torch.cat(losses).argmin())
    return styles[best : best + 1]


def _search(
    sampler: Sampler, distance: PerceptualDistance, prior: StylePrior, start: Tensor, steps: int
) -> Iterator[tuple[Tensor, dict[str, float]]]:
    """Styles (1, resolutions, style) and losses, each few steps and at the end."""
    with torch.enable_grad():
        coordinates = prior.coordinates(start).clone().requires_grad_(True)
    optimizer = torch.optim.Adam([coordinates], lr=_LEARNING_RATE, betas=(0.9, 0.99))
    for step in range(1, steps + 1):
        set_learning_rate(optimizer, _LEARNING_RATE * cosine_decay(step - 1, steps, final=0.0))
        with torch.enable_grad():
            optimizer.zero_grad(set_to_none=True)
            unlike = distance.loss(draw(sampler.generator, prior.styles(coordinates)))
            unusual = prior.loss(coordinates)
            (unlike + unusual).backward()  # type: ignore[no-untyped-call]
        losses = {"unlike": float(unlike.detach()), "unusual": float(unusual.detach())}
        if not math.isfinite(sum(losses.values())):
            raise Diverged(f"the loss is no number at step {step}; try less freedom")
        optimizer.step()
        if step % _EVERY == 0 or step == steps:
            yield prior.styles(coordinates.detach()), losses
