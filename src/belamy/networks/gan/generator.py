"""A generator as a mapping and a synthesis network, and what both are built with.

The two halves are StyleGAN's (Karras et al. 2019); of the classic generators, which have no
mapping, the style is the latent.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.errors import UnknownName

__all__ = ["Generator", "GeneratorArguments", "discriminator_layers", "find_label"]

_SAMPLES = 2048  # latents whose mean style is the average picture's


@dataclass(frozen=True)
class GeneratorArguments:
    """What a generator and its discriminator are built with.

    Args:
        size: side of the pictures in pixels.
        latent: numbers of a latent.
        width: factor on the architecture's own channels of the generator.
        labels: names of the labels of pictures (a conditional GAN); none, if they all have one.
        noise: whether light's finer features are given noise; older files do not say so.
        smoothing: width of the bend that light's last activation has in place of a kink; 0 in
            older files, which do not say so.
    """

    size: int
    latent: int
    width: float = 1.0
    labels: tuple[str, ...] = ()
    noise: bool = False
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))


class Generator(nn.Module):
    """Latents to pictures, in two steps: a style, then the picture in it.

    Args:
        mapping: (latents (N, latent), label (N,) or None) → styles (N, style).
        synthesis: styles → (N, 3, size, size), −1 to 1.
        arguments: what both were built with.
        resolutions: from coarse to fine, at each of which a style of its own can be given, to mix
            two pictures: then `draw` takes (N, resolutions, style) as well. 1 where it cannot.
    """

    def __init__(
        self,
        mapping: nn.Module,
        synthesis: nn.Module,
        arguments: GeneratorArguments,
        resolutions: int = 1,
    ) -> None:
        super().__init__()
        self.mapping, self.synthesis = mapping, synthesis
        self.arguments, self.resolutions = arguments, resolutions

    @property
    def size(self) -> int:
        return self.arguments.size

    @property
    def latent(self) -> int:
        return self.arguments.latent

    @property
    def labels(self) -> tuple[str, ...]:
        return self.arguments.labels

    def styles(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Latents (N, latent), standard normal, to styles (N, style).

        Args:
            z: on the network's device.
            label: (N,), indices into `labels`; needed where there are several.
        """
        return self.mapping(z, label)  # type: ignore[no-any-return]

    def draw(self, styles: Tensor) -> Tensor:
        """Styles (N, style), or (N, resolutions, style), to pictures (N, 3, size, size).

        In [0, 1]; while it trains, what `light` draws may lie beyond, so that gradients live on.
        """
        images: Tensor = self.synthesis(styles).float() / 2 + 0.5
        return images if self.training else images.clamp(0, 1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.draw(self.styles(z, label))

    @torch.no_grad()
    def mean_style(self, label: int | None = None) -> Tensor:
        """(1, style): that of the most ordinary picture, or of the most ordinary one of a label.

        Without a label, of all of them in equal parts.
        """
        device = next(self.parameters()).device
        z = torch.randn(_SAMPLES, self.latent, generator=make_rng(0, "mean style")).to(device)
        each = torch.arange(_SAMPLES, device=device) % max(1, len(self.labels))
        labels = each if label is None else torch.full_like(each, label)
        return self.styles(z, labels).mean(dim=0, keepdim=True)

    def truncate(self, styles: Tensor, amount: float, label: Tensor | None = None) -> Tensor:
        """Styles (N, style) moved towards `mean_style`: 1 leaves them, 0 makes them all ordinary.
        Less is safer and more alike (Karras et al. 2019; Brock et al. 2019)."""
        if label is None:
            return torch.lerp(self.mean_style().expand_as(styles), styles, amount)
        labels, which = torch.unique(label, return_inverse=True)
        means = torch.cat([self.mean_style(one) for one in labels.tolist()])
        return torch.lerp(means[which], styles, amount)


def discriminator_layers(discriminator: nn.Module) -> list[nn.Module]:
    """The parts of a discriminator that have weights, from the finest to the last."""
    parts: list[nn.Module] = []
    for child in discriminator.children():
        nested = isinstance(child, (nn.Sequential, nn.ModuleList))
        parts += list(child.children()) if nested else [child]
    return [part for part in parts if next(part.parameters(), None) is not None]


def find_label(generator: Generator, label: str | None) -> int | None:
    """The index of a label by its name; None where none is asked for.

    Raises:
        UnknownName: it has no such label, or none at all; the message names those that there are.
    """
    if label is not None and label not in generator.labels:
        raise UnknownName("label", label, generator.labels)
    return None if label is None else generator.labels.index(label)
