"""What the registry says of a network: how it is built, what it serves, what suits it best.

This module imports no torch, so that the registry can be listed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from belamy.networks.files.published import Published

if TYPE_CHECKING:
    from torch import nn

    from belamy.networks.gan.generator import Generator, GeneratorArguments

__all__ = [
    "KINDS",
    "Architecture",
    "GanTraits",
    "Kind",
    "KindTraits",
    "LayerDefaults",
    "PerceptualLayers",
    "StyleLayers",
    "gan",
]

Kind = Literal["backbone", "image-to-image", "arbitrary-style", "generator", "dehaze"]


@dataclass(frozen=True)
class KindTraits:
    """A kind of networks, in words.

    Args:
        noun: what a network of it is.
        taken_by: the commands for it.
        training: the command that makes one.
    """

    noun: str
    taken_by: str
    training: str


KINDS: dict[Kind, KindTraits] = {
    "backbone": KindTraits(
        "a backbone (a classifier)",
        "belamy dream, style paint and classify take it",
        "belamy classify train",
    ),
    "image-to-image": KindTraits(
        "an image-to-image network",
        "belamy style apply and translate apply take it",
        "belamy style train, or belamy translate train",
    ),
    "arbitrary-style": KindTraits(
        "an arbitrary-style network",
        "belamy style paint --fast takes it",
        "belamy style train-any",
    ),
    "generator": KindTraits(
        "a generator of pictures", "belamy gan paint takes it", "belamy gan train"
    ),
    "dehaze": KindTraits("a dehazing network", "belamy defog takes it", "belamy defog train"),
}


@dataclass(frozen=True)
class StyleLayers:
    """How a backbone is best asked for content and style.

    Args:
        content, style: layers and weights; only the proportions of each count.
        content_weight: against the style's 1.
        tv: weight of the total variation.
        normalized: whether each layer's loss is divided by the mean square of the target's
            features there, so that weights mean the same on every layer.
    """

    content: Mapping[str, float]
    style: Mapping[str, float]
    content_weight: float
    tv: float
    normalized: bool = True


@dataclass(frozen=True)
class PerceptualLayers:
    """The layers of a perceptual loss (Johnson et al. 2016): of the style and of the content."""

    style: tuple[str, ...]
    content: tuple[str, ...]


@dataclass(frozen=True)
class LayerDefaults:
    """The layers of a backbone that are taken when none is named.

    Args:
        dream: to excite in a dream; none where nobody has found them.
        dream_smoothing: how the gradient of a dream is freed of noise.
        style: of a style transfer by steps.
        perceptual: of the loss that a feedforward network is trained with.
    """

    dream: tuple[str, ...] = ()
    dream_smoothing: Literal["laplacian", "gaussian", "both"] = "laplacian"
    style: StyleLayers | None = None
    perceptual: PerceptualLayers | None = None


@dataclass(frozen=True)
class GanTraits:
    """What a GAN's training needs to know of its two networks.

    Args:
        generator: builds one.
        discriminator: builds the other: (pictures (N, 3, S, S) in [0, 1], label) → logits (N, 1).
        sizes: sides of pictures that it can have.
        latent: numbers of a latent, as its authors had it.
        learning_rate: of Adam, for both.
        betas: of Adam.
        about: a line on it.
    """

    generator: Callable[[GeneratorArguments], Generator]
    discriminator: Callable[[GeneratorArguments], nn.Module]
    sizes: tuple[int, ...]
    latent: int
    learning_rate: float
    betas: tuple[float, float]
    about: str


@dataclass(frozen=True)
class Architecture:
    """A network without weights: one row of the registry.

    What a backbone was trained on, its normalisation and its classes' names belong to the weights:
    see `belamy.networks.files.weights`.

    Args:
        kind: what it is for.
        build: makes it of the arguments in a file, which can be written as JSON; works on the meta
            device too. A `Builder`, so that its file is imported when it is needed.
        embedded: names of trained ones inside the package (`belamy/weights/NAME.safetensors`).
        published: weights of a backbone that others have published.
        aliases: other names of a backbone's layers → the names here. torchvision's paths
            (`features.16`) are understood without being listed.
        layers: of a backbone, what is taken when no layer is named.
        tensor_names: patterns of tensor names in published files → what they are here.
        without_head: arguments with which it is built without the levels of neurons that classify,
            as files for style transfer have it; empty where it cannot be.
        training_form: arguments with which it is built to be trained from scratch, where they are
            not its defaults.
        gan: of a generator, what its training needs.
    """

    kind: Kind
    build: Callable[..., nn.Module]
    embedded: tuple[str, ...] = ()
    published: Published | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    layers: LayerDefaults = LayerDefaults()
    tensor_names: Mapping[str, str] = field(default_factory=dict)
    without_head: Mapping[str, Any] = field(default_factory=dict)
    training_form: Mapping[str, Any] = field(default_factory=dict)
    gan: GanTraits | None = None


def gan(traits: GanTraits, embedded: tuple[str, ...] = ()) -> Architecture:
    """The row of a generator, out of what its training needs."""
    return Architecture("generator", partial(_build_generator, traits), embedded, gan=traits)


def _build_generator(traits: GanTraits, **arguments: Any) -> Generator:
    from belamy.networks.gan.generator import GeneratorArguments

    own = GeneratorArguments(**arguments)
    if own.size not in traits.sizes:
        raise ValueError(f"it has no {own.size!r} pixels")
    return traits.generator(own)
