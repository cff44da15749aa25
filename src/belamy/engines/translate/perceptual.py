"""What a perceptual network says about translations: style, content, and the way there and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from belamy.devices import make_rng
from belamy.engines.translate.config import TranslateConfig
from belamy.errors import OptionError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.find import name_network
from belamy.networks.registry import NETWORKS
from belamy.objectives.perceptual_losses import (
    gram_matrices,
    relative_content_loss,
    relative_gram_loss,
)
from belamy.training.domains import CROPS, DomainPair

__all__ = ["DomainStyle", "PerceptualLosses", "load_perceptual_losses"]

_STYLE_SQUARES = 96  # of a domain, whose statistics are known; a megabyte each with iris
_BATCH = 8  # squares that statistics are taken of together
_NEAREST = 8  # of the known squares, whose mean a translation is compared with. By eye
_EXCESS_WEIGHT = 10.0  # of colours that no picture has, beside the style. By eye


@dataclass(frozen=True)
class DomainStyle:
    """The feature statistics of many pictures of a domain.

    Args:
        grams: layer → (M, C, C), the Gram matrices of M squares.
    """

    grams: Mapping[str, Tensor]

    def target_for(self, grams: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The mean statistics of the pictures that are most like one: layer → (1, C, C).

        The mean of all pictures is that of none: it would draw dark pictures to grey. Alike are
        pictures in which each channel has the same share, however light they are: a forest by day
        is like one by night.

        Args:
            grams: layer → (1, C, C), of a picture of either domain.
        """
        distances = torch.stack(
            [_compare_strengths(known, grams[layer]) for layer, known in self.grams.items()]
        ).sum(0)
        nearest = distances.topk(min(_NEAREST, len(distances)), largest=False).indices
        return {layer: known[nearest].mean(0, keepdim=True) for layer, known in self.grams.items()}


def _compare_strengths(known: Tensor, gram: Tensor) -> Tensor:
    """(M,): how far the channels' shares in M Gram matrices are from those in one."""
    shares, own = (
        functional.normalize(x.diagonal(dim1=1, dim2=2).clamp_min(0).sqrt()) for x in (known, gram)
    )
    return (shares - own).square().sum(1)


@dataclass(frozen=True)
class PerceptualLosses:
    """Losses on the features of a frozen network.

    Args:
        backbone: the network.
        content: the layers in which a picture stays what it was.
        styles: domain → its statistics.
    """

    backbone: Backbone
    content: tuple[str, ...]
    styles: Mapping[str, DomainStyle]

    def compare(
        self, domain: str, fake: Tensor, pictures: Tensor, home: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`style` (with what lies outside of all colours), `content`, and, of `home`, what came
        back of `fake`, `feature_cycle`; each 0 at the best.

        Args:
            domain: that `fake` is made for.
            fake: translations (N, 3, H, W) of `pictures`, in [0, 1].
            pictures: the same size.
            home: the same, back from `fake`.
        """
        layers = (*self.styles[domain].grams, *self.content)
        with torch.no_grad():
            known = self.backbone(pictures, layers)
        features = self.backbone(fake, layers)
        losses = {
            "style": self._style_loss(domain, features, known)
            + _EXCESS_WEIGHT * (fake - fake.clamp(0, 1)).square().mean(),
            "content": self._content_loss(features, known),
        }
        if home is not None:
            back = self.backbone(home, self.content)
            losses["feature_cycle"] = self._content_loss(back, known)
        return losses

    def _style_loss(
        self, domain: str, features: Mapping[str, Tensor], known: Mapping[str, Tensor]
    ) -> Tensor:
        style = self.styles[domain]
        losses = []
        for index in range(len(next(iter(features.values())))):
            one = {layer: features[layer][index : index + 1] for layer in style.grams}
            own = {layer: known[layer][index : index + 1] for layer in style.grams}
            losses.append(relative_gram_loss(one, style.target_for(gram_matrices(own))))
        return torch.stack(losses).mean()

    def _content_loss(self, features: Mapping[str, Tensor], known: Mapping[str, Tensor]) -> Tensor:
        return relative_content_loss(
            {layer: features[layer].float() for layer in self.content},
            {layer: known[layer].float() for layer in self.content},
        )


def load_perceptual_losses(
    config: TranslateConfig, domains: DomainPair, device: torch.device
) -> PerceptualLosses | None:
    """The losses that a training is asked for; None where it has none of them.

    Raises:
        OptionError: the network has no layers that are known to suit it.
        WeightsError, UnknownName: it is not here.
    """
    if not config.perceptual:
        return None
    name = name_network(config.model, "backbone")
    layers = NETWORKS[name].layers.perceptual
    if layers is None:
        raise OptionError(f"no layers are known to suit {name} for translations; take model iris")
    needed = {*layers.style, *layers.content}
    backbone = load_backbone(config.model, layers=needed, device=device)
    styles = {
        direction[-1]: DomainStyle(
            _measure(config, domains, direction[-1], backbone, layers.style, device)
        )
        for direction in config.directions
    }
    return PerceptualLosses(backbone, layers.content, styles)


@torch.no_grad()
def _measure(
    config: TranslateConfig,
    domains: DomainPair,
    domain: str,
    backbone: Backbone,
    layers: Sequence[str],
    device: torch.device,
) -> dict[str, Tensor]:
    """Gram matrices of squares of a domain, cut as the training cuts them."""
    images = domains.a if domain == "a" else domains.b
    rng = make_rng(config.seed, "style of", domain)
    chosen = images[torch.randperm(len(images), generator=rng)[:_STYLE_SQUARES]]
    squares = CROPS[config.crop][1](chosen, config.size, rng)
    parts = [
        gram_matrices(backbone(part.to(device), layers)) for part in torch.split(squares, _BATCH)
    ]
    return {layer: torch.cat([part[layer] for part in parts]) for layer in layers}
