"""Objectives that compare: with a picture's own activations, or the pictures of a batch.

As everywhere, each is minimised; write minus to excite. Activations are (N, C, H, W), or (N, C) for
a layer without positions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from belamy.errors import OptionError
from belamy.objectives.features import dot_times_cosine
from belamy.objectives.objective import Activations, Objective

__all__ = ["caricature", "diversity", "interpolation", "inversion"]


def caricature(layer: str, reference: Tensor, power: float = 1.0) -> Objective:
    """How far the activations go the way that a picture's own go: dot · cosineᵖ, position by
    position, over the mean square of the picture's.

    1 for the picture itself. Nothing keeps the activations as long as they were, so that what the
    layer saw in the picture is drawn again, exaggerated.

    Args:
        reference: (1 or N, C, H, W), what the picture excites in the layer.
        power: p; the larger, the more faithful, and the fainter what is exaggerated.

    Raises:
        OptionError: the reference is silent; (when evaluated) its grid is another.

    Source: lucid's `dot_compare` (Mordvintsev et al., "Differentiable image parameterizations",
    2018). **Differs**: the cosine is taken at each position, not over the whole picture.
    """
    own = _reference("a caricature", layer, reference)
    size = own.square().sum(dim=1).mean()

    def score(activations: Activations) -> Tensor:
        features = _same_grid(activations[layer], own, layer)
        aims = own.to(features).movedim(1, -1)
        return dot_times_cosine(features.movedim(1, -1), aims, power).mean() / size.to(features)

    return Objective(score, frozenset({layer}), f"caricature({layer})")


def inversion(layer: str, reference: Tensor) -> Objective:
    """How much the activations differ from a picture's: squared distance over the squared length.

    0 for the picture itself, 1 for a silent layer. Minimised from noise, it draws what the layer
    kept of the picture; what it threw away is left to chance, or to a prior such as
    `belamy.objectives.priors.squared_variation`.

    Args:
        reference: (1 or N, C, H, W), what the picture excites in the layer.

    Raises:
        OptionError: the reference is silent; (when evaluated) its grid is another.

    Source: Mahendran & Vedaldi, "Understanding deep image representations by inverting them",
    2015, equation 4.
    """
    own = _reference("an inversion", layer, reference)
    size = own.square().mean()

    def score(activations: Activations) -> Tensor:
        features = _same_grid(activations[layer], own, layer)
        return (features - own.to(features)).square().mean() / size.to(features)

    return Objective(score, frozenset({layer}), f"inversion({layer})")


def diversity(layer: str) -> Objective:
    """How much the pictures of a batch differ: 1 less the mean cosine of their Gram matrices.

        Gₙ = FₙFₙᵀ / (H·W),   D = 1 - mean over pairs n < m of ⟨Gₙ, Gₘ⟩ / (|Gₙ| |Gₘ|)

    A Gram matrix tells which features occur together, and not where: pictures count as alike when
    they are made of the same things. 0 for equal pictures; behind a ReLU at most 1.

    Raises:
        OptionError: (when evaluated) there is one picture alone.

    Source: Olah, Mordvintsev & Schubert, "Feature visualization", 2017; lucid's `diversity`.
    **Differs**: the mean of the pairs, not their sum over the pictures.
    """

    def score(activations: Activations) -> Tensor:
        activation = activations[layer]
        count = len(activation)
        if count < 2:
            raise OptionError("diversity compares pictures of a batch; make two or more")
        features = activation.reshape(count, activation.shape[1], -1)  # (N,C,P)
        grams = (features @ features.transpose(1, 2) / features.shape[-1]).flatten(1)  # (N,C·C)
        tiny = torch.finfo(grams.dtype).tiny
        lengths: Tensor = torch.linalg.vector_norm(grams, dim=1, keepdim=True)
        units = grams / lengths.clamp_min(tiny)
        cosines = units @ units.T  # (N,N)
        return 1 - (cosines.sum() - cosines.diagonal().sum()) / (count * (count - 1))

    return Objective(score, frozenset({layer}), f"diversity({layer})")


def interpolation(start: Objective, end: Objective) -> Objective:
    """Two objectives mixed along a batch: all `start` in its first picture, all `end` in its last.

        mean over n of (1 - n/(N-1)) · start(n) + n/(N-1) · end(n),   n = 0 … N-1

    Args:
        start, end: any two that score pictures one by one.

    Raises:
        OptionError: (when evaluated) there is one picture alone.

    Source: lucid's `channel_interpolate`. **Differs**: between any two objectives.
    """
    layers = start.layers | end.layers

    def score(activations: Activations) -> Tensor:
        count = len(activations[min(layers)])
        if count < 2:
            raise OptionError("an interpolation goes from one picture to another; make two or more")
        total: Tensor | None = None
        for index in range(count):
            one = {layer: activations[layer][index : index + 1] for layer in layers}
            share = index / (count - 1)
            mixed = (1 - share) * start(one) + share * end(one)
            total = mixed if total is None else total + mixed
        assert total is not None
        return total / count

    return Objective(score, layers, f"interpolation({start.name}, {end.name})")


def _reference(name: str, layer: str, reference: Tensor) -> Tensor:
    own = reference.detach()
    if not bool(own.abs().sum() > 0):
        raise OptionError(
            f"the picture excites nothing in {layer!r}, so {name} has nothing to go by"
        )
    return own


def _same_grid(features: Tensor, reference: Tensor, layer: str) -> Tensor:
    if features.shape[1:] != reference.shape[1:]:
        raise OptionError(
            f"{layer!r} has {tuple(features.shape[1:])} activations here and "
            f"{tuple(reference.shape[1:])} in the picture to compare with; give both one size"
        )
    return features
