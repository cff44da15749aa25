"""What each method of translation asks of its generators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from belamy.engines.translate.api import TranslateConfig
from belamy.networks.gan.patch_mlp import PatchHeads
from belamy.networks.image_to_image.network import Painter
from belamy.objectives.patch_nce import patch_contrast

__all__ = ["LEARNERS", "PATCHES", "Made", "Scene", "looked_at", "two_passes"]

PATCHES = 256  # of a picture that are compared in each layer (Park et al. 2020)


@dataclass(frozen=True)
class Scene:
    """One batch and what a method needs to judge what is made of it.

    Args:
        config: with the weights of the losses.
        networks: `a-to-b`, `b-to-a` and `heads`, those that the method has.
        a, b: (N, 3, H, W) in [0, 1].
        fool: (world, true pictures, made pictures) → how well they pass there, smaller is better.
        chance: where random choices come from.
    """

    config: TranslateConfig
    networks: Mapping[str, nn.Module]
    a: Tensor
    b: Tensor
    fool: Callable[[str, Tensor, Tensor], Tensor]
    chance: torch.Generator

    def weight(self, name: str) -> float:
        """A weight that the method has."""
        value: float | None = getattr(self.config, f"{name}_weight")
        assert value is not None
        return value


@dataclass(frozen=True)
class Made:
    """A part of what the generators made of a batch.

    Args:
        fakes: world → pictures made for it, without their history.
        losses: by name, without their weights; those of several parts are added.
        loss: what the generators minimise.
    """

    fakes: dict[str, Tensor]
    losses: dict[str, Tensor]
    loss: Tensor


def two_passes(generator: nn.Module, foreign: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """What a generator makes of pictures of the other world, and of its own.

    In one batch: instance norm sees each picture alone, so that it is the same as two passes, and
    takes less time.
    """
    translated, same = generator(torch.cat([foreign, own])).split([len(foreign), len(own)])
    return translated, same


def _distance(made: Tensor, wanted: Tensor) -> Tensor:
    """L1 between pictures in [−1, 1], on which the papers' weights are."""
    return 2 * (made - wanted).abs().mean()


def _cyclegan(scene: Scene) -> Iterator[Made]:
    """Zhu et al. 2017: both directions, and the way there and back must lead home.

    One part for each direction, so that only half of the passes are held at a time.
    """
    cycle_weight, identity_weight = scene.weight("cycle"), scene.weight("identity")
    worlds = {"a": scene.a, "b": scene.b}
    for here, there in (("a", "b"), ("b", "a")):
        onward, back = scene.networks[f"{here}-to-{there}"], scene.networks[f"{there}-to-{here}"]
        pictures, others = worlds[here], worlds[there]
        losses: dict[str, Tensor] = {}
        if identity_weight > 0:
            fake, same = two_passes(onward, pictures, others)
            losses["identity"] = _distance(same, others)
        else:
            fake = onward(pictures)
        losses["fool"] = scene.fool(there, others, fake)
        losses["cycle"] = _distance(back(fake), pictures)
        loss = losses["fool"] + cycle_weight * losses["cycle"]
        if identity_weight > 0:
            loss = loss + cycle_weight * identity_weight * losses["identity"]
        yield Made({there: fake.detach()}, losses, loss)


def _cut(scene: Scene) -> Iterator[Made]:
    """Park et al. 2020: a patch of the translation must be recognised among the picture's; and
    pictures of B are to be left so that theirs are."""
    to_b, a, b = scene.networks["a-to-b"], scene.a, scene.b
    fake_b, same_b = two_passes(to_b, a, b)
    fool = scene.fool("b", b, fake_b)
    contrast, identity = _contrast(scene, fake_b, a), _contrast(scene, same_b, b)
    weights = scene.weight("contrast"), scene.weight("identity")
    loss = fool + weights[0] * (contrast + weights[1] * identity) / 2
    losses = {"fool": fool, "contrast": contrast, "identity": identity}
    yield Made({"b": fake_b.detach()}, losses, loss)


def _fastcut(scene: Scene) -> Iterator[Made]:
    """The same without the second pass; half of the batches are translated in a mirror, and
    compared with the pictures as they were (flip equivariance)."""
    turned = bool(torch.rand(1, generator=scene.chance).item() < 0.5)
    seen = scene.a.flip(-1) if turned else scene.a
    fake_b = scene.networks["a-to-b"](seen)
    fool = scene.fool("b", scene.b, fake_b)
    contrast = _contrast(scene, fake_b.flip(-1) if turned else fake_b, scene.a)
    loss = fool + scene.weight("contrast") * contrast
    yield Made({"b": fake_b.detach()}, {"fool": fool, "contrast": contrast}, loss)


def _pix2pix(scene: Scene) -> Iterator[Made]:
    """Isola et al. 2017: pictures have pairs, and the discriminator sees both of one."""
    fake_b = scene.networks["a-to-b"](scene.a)
    shown, truth = (torch.cat([scene.a, one], dim=1) for one in (fake_b, scene.b))  # (N, 6, H, W)
    fool, pair = scene.fool("b", truth, shown), _distance(fake_b, scene.b)
    loss = fool + scene.weight("pair") * pair
    yield Made({"b": shown.detach()}, {"fool": fool, "pair": pair}, loss)


LEARNERS: dict[str, Callable[[Scene], Iterator[Made]]] = {
    "cyclegan": _cyclegan,
    "cut": _cut,
    "fastcut": _fastcut,
    "pix2pix": _pix2pix,
}
"""Method → what it makes of a batch, in parts that are learned from one by one; the names are those
of `belamy.engines.translate.api.METHODS`."""


def looked_at(painter: Painter) -> tuple[list[int], list[int]]:
    """The layers whose patches are compared, and their channels: the picture, the convolutions on
    the way down, the first and the middle one of the residual blocks."""
    kinds = [row["layer"] for row in painter.rows]
    blocks = [place for place, kind in enumerate(kinds) if kind == "sum"]
    bottom = blocks[0] if blocks else kinds.index("double")
    down = [place for place, kind in enumerate(kinds[:bottom]) if kind == "conv"]
    places = [
        0,
        *down[1:],
        *sorted({*blocks[:1], *blocks[len(blocks) // 2 : len(blocks) // 2 + 1]}),
    ]
    with torch.no_grad():
        found = painter.activations(torch.zeros(1, 3, 64, 64), places)
    return places, [layer.shape[1] for layer in found]


def _contrast(scene: Scene, made: Tensor, picture: Tensor) -> Tensor:
    """The mean over the layers; keys are not learned."""
    painter, heads = scene.networks["a-to-b"], scene.networks["heads"]
    assert isinstance(painter, Painter)
    assert isinstance(heads, PatchHeads)
    layers, _ = looked_at(painter)
    queries = painter.activations(made, layers)
    with torch.no_grad():
        keys = painter.activations(picture, layers)
        places = [_places(layer, scene.chance) for layer in keys]
        wanted = heads(keys, places)
    pairs = zip(heads(queries, places), wanted, strict=True)
    return torch.stack([patch_contrast(query, key) for query, key in pairs]).mean()


def _places(layer: Tensor, chance: torch.Generator) -> Tensor:
    count = layer.shape[-2] * layer.shape[-1]
    return torch.randperm(count, generator=chance)[:PATCHES].to(layer.device)
