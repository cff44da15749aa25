"""The picture that an optimisation starts from: the content, noise, grey, or another picture."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.style.inputs import Pictures
from belamy.pixels.colors import color_moments
from belamy.pixels.images import Source, load_image, resize
from belamy.pixels.pyramid import Size

__all__ = ["NOISE_DEVIATION", "STARTS", "initial_image"]

# Of the noise that a picture can start from: around middle grey, seldom clipped. By eye.
NOISE_DEVIATION = 0.15


def initial_image(init: str | Source, pictures: Pictures, size: Size, seed: int) -> Tensor:
    """What the first scale starts from, (1, 3, *size) in [0, 1].

    Args:
        init: a name of `STARTS`, or a picture.

    Raises:
        ImageError: the picture cannot be read.
    """
    device = pictures.content.device
    start = STARTS.get(init) if isinstance(init, str) else None
    if start is None:
        return resize(load_image(init).to(device), size)
    noise = torch.randn((1, 3, *size), generator=make_rng(seed, "init")).to(device)
    return start(pictures, noise).clamp(0, 1)


def _from_statistics(pictures: Pictures, noise: Tensor) -> Tensor:
    """Noise with the mean and covariance of the styles' colours, each as much as it counts."""
    weights = [one.weight for one in pictures.styles]
    moments = [color_moments(one.image) for one in pictures.styles]
    fractions = [weight / sum(weights) for weight in weights]
    mean = torch.stack([f * m for f, (m, _) in zip(fractions, moments, strict=True)]).sum(dim=0)
    second = [f * (c + torch.outer(m, m)) for f, (m, c) in zip(fractions, moments, strict=True)]
    covariance = torch.stack(second).sum(dim=0) - torch.outer(mean, mean)
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp_min(0).sqrt()).to(noise)  # (3, 3)
    colours: Tensor = torch.einsum("ij,njhw->nihw", root, noise)
    return colours + mean.to(noise).view(1, 3, 1, 1)


STARTS: dict[str, Callable[[Pictures, Tensor], Tensor]] = {
    "content": lambda pictures, noise: resize(pictures.content, (noise.shape[-2], noise.shape[-1])),
    "noise": lambda pictures, noise: 0.5 + NOISE_DEVIATION * noise,
    "grey": lambda pictures, noise: torch.full_like(noise, 0.5),
    "style-statistics": _from_statistics,
}
"""What a picture starts from → (pictures, normal noise (1, 3, H, W)) → the picture."""
