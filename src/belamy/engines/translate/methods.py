"""What each method of translation minimises in its generators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from belamy.engines.translate.config import TranslateConfig
from belamy.engines.translate.cycle_noise import add_cycle_noise
from belamy.engines.translate.perceptual import PerceptualLosses
from belamy.networks.gan.patch_mlp import PatchSampleMLP
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.objectives.patch_nce import patch_nce_loss

__all__ = [
    "GENERATOR_LOSSES",
    "PATCHES",
    "Batch",
    "GeneratorLosses",
    "nce_layers",
    "translate_with_identity",
]

PATCHES = 256  # of a picture that are compared in each layer (Park et al. 2020)


@dataclass(frozen=True)
class Batch:
    """Pictures of both domains, and what a method needs for its losses.

    Args:
        config: with the weights of the losses.
        networks: `a-to-b`, `b-to-a` and `patch-mlp`, those that the method has.
        a, b: (N, 3, H, W) in [0, 1].
        adversarial: (domain, fake pictures) → how far they are from passing for real there.
        rng: where random choices come from.
        perceptual: losses on the features of a perceptual network, where there are any.
    """

    config: TranslateConfig
    networks: Mapping[str, nn.Module]
    a: Tensor
    b: Tensor
    adversarial: Callable[[str, Tensor], Tensor]
    rng: torch.Generator
    perceptual: PerceptualLosses | None = None


@dataclass(frozen=True)
class GeneratorLosses:
    """A part of what the generators minimise on a batch.

    Args:
        fakes: domain → pictures made for it, without their history.
        losses: by name, without their weights; those of several parts are added.
        total: what is minimised.
    """

    fakes: dict[str, Tensor]
    losses: dict[str, Tensor]
    total: Tensor


def translate_with_identity(
    generator: nn.Module, foreign: Tensor, own: Tensor
) -> tuple[Tensor, Tensor]:
    """What a generator makes of pictures of the other domain, and of its own.

    In one batch: instance norm sees each picture alone, so that it is the same as two passes, and
    takes less time.
    """
    translated, same = generator(torch.cat([foreign, own])).split([len(foreign), len(own)])
    return translated, same


def _l1(image: Tensor, target: Tensor) -> Tensor:
    """L1 between pictures in [−1, 1], on which the papers' weights are."""
    return 2 * (image - target).abs().mean()


def _weight(value: float | None) -> float:
    assert value is not None  # a method's own weights are filled in
    return value


def _add_common(
    batch: Batch,
    losses: dict[str, Tensor],
    domain: str,
    fake: Tensor,
    pictures: Tensor,
    home: Tensor | None = None,
    judged: Tensor | None = None,
) -> Tensor:
    """The weighted sum of what all methods may have, each of which is added to `losses`: passing
    for real, and the perceptual losses.

    Args:
        domain: that the translations `fake` of `pictures` are made for.
        home: what comes back of them; None where nothing does.
        judged: what the discriminator is shown, where it is more than `fake`.
    """
    config = batch.config
    weights = {
        "adversarial": config.adversarial_weight,
        "style": config.style_weight,
        "content": config.content_weight,
        "feature_cycle": config.feature_cycle_weight,
    }
    if config.adversarial_weight > 0:
        losses["adversarial"] = batch.adversarial(domain, fake if judged is None else judged)
    if batch.perceptual is not None:
        losses |= batch.perceptual.compare(domain, fake, pictures, home)
    terms = [weight * losses[name] for name, weight in weights.items() if name in losses]
    return torch.stack(terms).sum() if terms else fake.new_zeros(())


def _cyclegan(batch: Batch) -> Iterator[GeneratorLosses]:
    """CycleGAN (Zhu et al. 2017): L_adv + λ·L_cycle + λ·λ_identity·L_identity, for both directions.

    **Differs** where `cycle_gradient` is back: L_cycle then teaches the generator that leads home
    alone. One part for each direction, so that only half of the passes are held at a time.
    """
    cycle_weight = _weight(batch.config.cycle_weight)
    identity_weight = _weight(batch.config.identity_weight)
    comes_back = cycle_weight > 0 or batch.config.feature_cycle_weight > 0
    domains = {"a": batch.a, "b": batch.b}
    for here, there in (("a", "b"), ("b", "a")):
        forth, back = batch.networks[f"{here}-to-{there}"], batch.networks[f"{there}-to-{here}"]
        pictures, others = domains[here], domains[there]
        losses: dict[str, Tensor] = {}
        if identity_weight > 0:
            fake, same = translate_with_identity(forth, pictures, others)
            losses["identity"] = _l1(same, others)
        else:
            fake = forth(pictures)
        noise = batch.config.cycle_noise
        left = fake if batch.config.cycle_gradient == "both" else fake.detach()
        home = back(add_cycle_noise(left, noise, batch.rng)) if comes_back else None
        total = _add_common(batch, losses, there, fake, pictures, home)
        if home is not None:
            losses["cycle"] = _l1(home, pictures)
            total = total + cycle_weight * losses["cycle"]
        if identity_weight > 0:
            total = total + cycle_weight * identity_weight * losses["identity"]
        yield GeneratorLosses({there: fake.detach()}, losses, total)


def _cut(batch: Batch) -> Iterator[GeneratorLosses]:
    """CUT (Park et al. 2020): L_adv + λ·(PatchNCE(a, G(a)) + λ_identity·PatchNCE(b, G(b)))/2."""
    generator, a, b = batch.networks["a-to-b"], batch.a, batch.b
    fake_b, same_b = translate_with_identity(generator, a, b)
    losses: dict[str, Tensor] = {}
    total = _add_common(batch, losses, "b", fake_b, a)
    contrast, identity = _patch_nce(batch, fake_b, a), _patch_nce(batch, same_b, b)
    identity_weight = _weight(batch.config.identity_weight)
    contrast_weight = _weight(batch.config.contrast_weight)
    total = total + contrast_weight * (contrast + identity_weight * identity) / 2
    losses |= {"contrast": contrast, "identity": identity}
    yield GeneratorLosses({"b": fake_b.detach()}, losses, total)


def _fastcut(batch: Batch) -> Iterator[GeneratorLosses]:
    """FastCUT (Park et al. 2020): L_adv + λ·PatchNCE(a, G(a)), without the identity; half of the
    batches are translated in a mirror, and compared with the pictures as they were (flip
    equivariance)."""
    mirrored = bool(torch.rand(1, generator=batch.rng).item() < 0.5)
    shown = batch.a.flip(-1) if mirrored else batch.a
    fake_b = batch.networks["a-to-b"](shown)
    losses: dict[str, Tensor] = {}
    total = _add_common(batch, losses, "b", fake_b, shown)
    losses["contrast"] = _patch_nce(batch, fake_b.flip(-1) if mirrored else fake_b, batch.a)
    total = total + _weight(batch.config.contrast_weight) * losses["contrast"]
    yield GeneratorLosses({"b": fake_b.detach()}, losses, total)


def _pix2pix(batch: Batch) -> Iterator[GeneratorLosses]:
    """pix2pix (Isola et al. 2017): L_adv + λ·L1 to the pair; the discriminator is conditional, and
    sees the picture beside its translation."""
    fake_b = batch.networks["a-to-b"](batch.a)
    both = torch.cat([batch.a, fake_b], dim=1)  # (N, 6, H, W)
    losses = {"pair": _l1(fake_b, batch.b)}
    total = _add_common(batch, losses, "b", fake_b, batch.a, judged=both)
    total = total + _weight(batch.config.pair_weight) * losses["pair"]
    yield GeneratorLosses({"b": both.detach()}, losses, total)


GENERATOR_LOSSES: dict[str, Callable[[Batch], Iterator[GeneratorLosses]]] = {
    "cyclegan": _cyclegan,
    "cut": _cut,
    "fastcut": _fastcut,
    "pix2pix": _pix2pix,
}
"""Method → what its generators minimise, in parts that are learned from one by one; the names are
those of `belamy.engines.translate.config.METHODS`."""


def nce_layers(generator: ImageTransformNet) -> tuple[list[int], list[int]]:
    """The layers whose patches PatchNCE compares, and their channels: the picture, the convolutions
    on the way down, the first and the middle one of the residual blocks."""
    kinds = [row["layer"] for row in generator.rows]
    blocks = [index for index, kind in enumerate(kinds) if kind == "sum"]
    bottom = blocks[0] if blocks else kinds.index("double")
    down = [index for index, kind in enumerate(kinds[:bottom]) if kind == "conv"]
    middle = len(blocks) // 2
    layers = [0, *down[1:], *sorted({*blocks[:1], *blocks[middle : middle + 1]})]
    with torch.no_grad():
        features = generator.activations(torch.zeros(1, 3, 64, 64), layers)
    return layers, [layer.shape[1] for layer in features]


def _patch_nce(batch: Batch, fake: Tensor, picture: Tensor) -> Tensor:
    """PatchNCE, the mean over the layers; keys are not learned."""
    generator, mlp = batch.networks["a-to-b"], batch.networks["patch-mlp"]
    assert isinstance(generator, ImageTransformNet)
    assert isinstance(mlp, PatchSampleMLP)
    layers, _ = nce_layers(generator)
    query_features = generator.activations(fake, layers)
    with torch.no_grad():
        key_features = generator.activations(picture, layers)
        positions = [_sample_positions(layer, batch.rng) for layer in key_features]
        keys = mlp(key_features, positions)
    pairs = zip(mlp(query_features, positions), keys, strict=True)
    return torch.stack([patch_nce_loss(query, key) for query, key in pairs]).mean()


def _sample_positions(layer: Tensor, rng: torch.Generator) -> Tensor:
    count = layer.shape[-2] * layer.shape[-1]
    return torch.randperm(count, generator=rng)[:PATCHES].to(layer.device)
