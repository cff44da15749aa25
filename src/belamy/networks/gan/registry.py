"""Generators by name, and their files.

A file is safetensors whose metadata say everything:

    network     a name of `ARCHITECTURES`
    arguments   JSON: size, latent, style, width, labels (their names, maybe none)
    trained_on  the pictures that it learned on, in words
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from belamy import files
from belamy.devices import make_rng as chance
from belamy.errors import BelamyError, UnknownName, WeightsError
from belamy.networks.files.tensors import write_tensors
from belamy.networks.files.weights import check_header, check_shapes
from belamy.networks.gan.dcgan import (
    DcganDiscriminator,
    Labelled,
    VanillaDiscriminator,
    dcgan_synthesis,
    start_as_dcgan,
    vanilla_synthesis,
)
from belamy.networks.gan.light import LightDiscriminator, LightSynthesis, levels_of
from belamy.networks.gan.light import Mapping as StyleMapping

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Generator",
    "Shape",
    "build_discriminator",
    "build_generator",
    "fill_network",
    "levels_of_critic",
    "load_generator",
    "read_network",
    "save_generator",
]

_SEEN = 2048  # latents whose mean style is the average picture's


@dataclass(frozen=True)
class Shape:
    """What a pair of networks is built with.

    Args:
        size: side of the pictures in pixels.
        latent: numbers of a latent.
        width: factor on the architecture's own channels of the generator.
        labels: names of the kinds of pictures; none, if they are all of one.
    """

    size: int
    latent: int
    width: float = 1.0
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))


class Generator(nn.Module):
    """Latents to pictures, in two steps: a style, then the picture in it.

    Args:
        mapping: (latents (N, latent), label (N,) or None) → styles (N, style).
        synthesis: styles → (N, 3, size, size), −1 to 1.
        shape: what both were built with.
        levels: places at which styles can be given apart, to cross two pictures: then `draw` takes
            (N, levels, style) as well. 1 where they cannot.
    """

    def __init__(
        self, mapping: nn.Module, synthesis: nn.Module, shape: Shape, levels: int = 1
    ) -> None:
        super().__init__()
        self.mapping, self.synthesis = mapping, synthesis
        self.shape, self.levels = shape, levels

    @property
    def size(self) -> int:
        return self.shape.size

    @property
    def latent(self) -> int:
        return self.shape.latent

    @property
    def labels(self) -> tuple[str, ...]:
        return self.shape.labels

    def styles(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Latents (N, latent), standard normal, to styles (N, style).

        Args:
            z: on the network's device.
            label: (N,), indices into `labels`; needed where there are several.
        """
        return self.mapping(z, label)  # type: ignore[no-any-return]

    def draw(self, styles: Tensor) -> Tensor:
        """Styles (N, style), or (N, levels, style), to pictures (N, 3, size, size).

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
        place = next(self.parameters()).device
        z = torch.randn(_SEEN, self.latent, generator=chance(0, "mean style")).to(place)
        each = torch.arange(_SEEN, device=place) % max(1, len(self.labels))
        kinds = each if label is None else torch.full_like(each, label)
        return self.styles(z, kinds).mean(dim=0, keepdim=True)

    def truncate(self, styles: Tensor, amount: float, label: Tensor | None = None) -> Tensor:
        """Styles (N, style) moved towards `mean_style`: 1 leaves them, 0 makes them all ordinary.
        Less is safer and more alike (Karras et al. 2019; Brock et al. 2019)."""
        if label is None:
            return torch.lerp(self.mean_style().expand_as(styles), styles, amount)
        kinds, which = torch.unique(label, return_inverse=True)
        means = torch.cat([self.mean_style(kind) for kind in kinds.tolist()])
        return torch.lerp(means[which], styles, amount)


@dataclass(frozen=True)
class Architecture:
    """A forger and its critic.

    Args:
        generator: builds one.
        discriminator: builds the other: (pictures (N, 3, S, S) in [0, 1], label) → logits (N, 1).
        sizes: sides of pictures that it can have.
        latent: numbers of a latent, as its authors had it.
        learning_rate: of Adam, for both.
        betas: of Adam.
        about: a line on it.
    """

    generator: Callable[[Shape], Generator]
    discriminator: Callable[[Shape], nn.Module]
    sizes: tuple[int, ...]
    latent: int
    learning_rate: float
    betas: tuple[float, float]
    about: str


_LIGHT_STYLE = 256


def _light(shape: Shape) -> Generator:
    mapping = StyleMapping(shape.latent, _LIGHT_STYLE, len(shape.labels))
    synthesis = LightSynthesis(shape.size, _LIGHT_STYLE, shape.width)
    return Generator(mapping, synthesis, shape, len(levels_of(shape.size)))


def _light_critic(shape: Shape) -> nn.Module:
    return LightDiscriminator(shape.size, shape.width, len(shape.labels))


def _vanilla(shape: Shape) -> Generator:
    mapping = Labelled(shape.latent, len(shape.labels))
    return Generator(mapping, vanilla_synthesis(shape.size, mapping.style, shape.width), shape)


def _vanilla_critic(shape: Shape) -> nn.Module:
    return VanillaDiscriminator(shape.size, shape.width, len(shape.labels))


def _dcgan(width: int) -> Callable[[Shape], Generator]:
    def build(shape: Shape) -> Generator:
        mapping = Labelled(shape.latent, len(shape.labels))
        channels = max(1, round(width * shape.width))
        made = Generator(mapping, dcgan_synthesis(shape.size, mapping.style, channels), shape)
        start_as_dcgan(made)
        return made

    return build


def _dcgan_critic(width: int) -> Callable[[Shape], nn.Module]:
    def build(shape: Shape) -> nn.Module:
        channels = max(1, round(width * shape.width))
        critic = DcganDiscriminator(shape.size, channels, len(shape.labels))
        start_as_dcgan(critic)
        return critic

    return build


_POWERS = (16, 32, 64, 128, 256)
_CLASSIC = (2e-4, (0.5, 0.999))

ARCHITECTURES: dict[str, Architecture] = {
    "light": Architecture(
        _light,
        _light_critic,
        (16, 32, 64, 128, 256, 512, 1024),
        128,
        2.5e-3,
        (0.0, 0.99),
        "styles, skip-layer excitation, residual critic without norms; made for processors",
    ),
    "dcgan": Architecture(
        _dcgan(64), _dcgan_critic(64), _POWERS, 100, *_CLASSIC, "Radford et al. 2016, 64:64"
    ),
    "art-dcgan": Architecture(
        _dcgan(160),
        _dcgan_critic(40),
        _POWERS,
        100,
        *_CLASSIC,
        "the proportion that painted Edmond de Belamy, 160:40",
    ),
    "vanilla": Architecture(
        _vanilla, _vanilla_critic, (16, 32, 64), 100, *_CLASSIC, "Goodfellow et al. 2014"
    ),
}
"""Name → how it is built and trained."""


def build_generator(name: str, shape: Shape) -> Generator:
    """A new generator, its weights drawn from torch's own generator.

    Raises:
        UnknownName: no such architecture.
    """
    return _architecture(name).generator(shape)


def build_discriminator(name: str, shape: Shape) -> nn.Module:
    """Its critic: (pictures (N, 3, S, S) in [0, 1], label (N,) or None) → logits (N, 1).

    Raises:
        UnknownName: no such architecture.
    """
    return _architecture(name).discriminator(shape)


def _architecture(name: str) -> Architecture:
    if name not in ARCHITECTURES:
        raise UnknownName("architecture", name, ARCHITECTURES)
    return ARCHITECTURES[name]


def levels_of_critic(critic: nn.Module) -> list[nn.Module]:
    """The parts of a discriminator that have weights, from the finest to the last."""
    parts: list[nn.Module] = []
    for child in critic.children():
        inner = isinstance(child, (nn.Sequential, nn.ModuleList))
        parts += list(child.children()) if inner else [child]
    return [part for part in parts if next(part.parameters(), None) is not None]


def save_generator(
    path: Path,
    made: nn.Module,
    *,
    network: str,
    shape: Shape,
    trained_on: str,
    notes: Mapping[str, str] | None = None,
    beside: Mapping[str, nn.Module] | None = None,
) -> None:
    """Write a generator that `load_generator(path)` loads.

    Args:
        path: a `.safetensors` file, replaced whole.
        made: the generator with its weights.
        network: its name in `ARCHITECTURES`.
        shape: what it was built with.
        trained_on: the pictures that it learned on, in words.
        notes: further metadata.
        beside: further networks to go on training with (the discriminator, the weights before
            averaging), by name; then everything is at full precision, else at half.
    """
    told = {"network": network, "trained_on": trained_on, "arguments": _words(shape)}
    state = dict(made.state_dict())
    for name, other in (beside or {}).items():
        state |= {f"{name}/{key}": tensor for key, tensor in other.state_dict().items()}
    if not beside:
        state = {key: x.half() if x.is_floating_point() else x for key, x in state.items()}
    with files.atomic_path(path) as temporary:
        write_tensors(temporary, state, {**(notes or {}), **told})


def _words(shape: Shape) -> str:
    told = {"size": shape.size, "latent": shape.latent, "width": shape.width}
    return json.dumps({**told, "labels": list(shape.labels)}, sort_keys=True)


def read_network(path: Path) -> tuple[str, Shape, dict[str, Tensor], dict[str, str]]:
    """What is in a file: the architecture's name, its shape, all tensors, all metadata.

    Raises:
        WeightsError: missing, damaged, or no generator.
    """
    try:
        check_header(path)
        with safe_open(path, framework="pt") as handle:
            told = dict(handle.metadata() or {})
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged, or not safetensors: {error}") from error
    state = {name: x.float() if x.is_floating_point() else x for name, x in tensors.items()}
    name = told.get("network", "")
    if name not in ARCHITECTURES:
        known = f"it is for {name!r}" if name else "it does not say what it is for"
        raise WeightsError(f"{path} is no generator of pictures: {known}")
    try:
        shape = Shape(**json.loads(told.get("arguments", "{}")))
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{path} describes itself wrongly: {error}; make it again") from error
    return name, shape, state, told


def load_generator(path: Path) -> Generator:
    """The generator in a `.safetensors` file, frozen, on the CPU.

    Raises:
        WeightsError: missing, damaged, or no generator.
    """
    name, shape, state, _ = read_network(path)
    own = {key: tensor for key, tensor in state.items() if "/" not in key}
    made = _built(path, name, shape)
    fill_network(made, own, path, name)
    return made.eval().requires_grad_(False)


def _built(path: Path, name: str, shape: Shape) -> Generator:
    try:
        if shape.size not in ARCHITECTURES[name].sizes:
            raise ValueError(f"no {name} has {shape.size!r} pixels")
        with torch.device("meta"):
            made = build_generator(name, shape)
        return made.to_empty(device="cpu")
    except BelamyError:
        raise
    except (ValueError, TypeError, KeyError, RuntimeError, AttributeError) as error:
        raise WeightsError(f"{path} describes itself wrongly: {error}; make it again") from error


def fill_network(network: nn.Module, state: Mapping[str, Tensor], path: Path, name: str) -> None:
    """Put weights out of a file into a network.

    Raises:
        WeightsError: they are those of another one.
    """
    wanted = {key: tensor.shape for key, tensor in network.state_dict().items()}
    check_shapes(path, name, {key: x.shape for key, x in state.items()}, wanted)
    try:
        network.load_state_dict(dict(state))
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{path} does not fit its own description: {reason}") from error
