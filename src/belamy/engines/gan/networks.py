"""The two networks of a GAN: built, started from others, partly frozen, and saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from belamy.checks import require
from belamy.devices import make_rng
from belamy.engines.gan.config import GanConfig
from belamy.errors import OptionError, WeightsError
from belamy.files import expand_home
from belamy.networks.backbone import load_backbone
from belamy.networks.files.network_file import fill_network, join_states, save_network_file
from belamy.networks.find import IN_RUN, find_network, open_network
from belamy.networks.gan.generator import Generator, GeneratorArguments, discriminator_layers
from belamy.networks.gan.projected import ProjectedDiscriminator, choose_feature_layers
from belamy.networks.registry import (
    BEST_BACKBONES,
    build_discriminator,
    build_generator,
    embedded_names,
    find_gan,
)

__all__ = [
    "FOR_TRAINING",
    "GanNetworks",
    "adopt_start",
    "build_networks",
    "check_size",
    "freeze_layers",
    "load_average",
    "save_generator",
    "save_networks",
    "start_from",
]

FOR_TRAINING = "network-training.safetensors"
"""The file in a run folder that another training can go on from."""

_UNAVERAGED = "before averaging"  # names of the generator's own weights there
_DISCRIMINATOR = "discriminator"
_LAST_BLOCK = "synthesis.last."  # light's, between two powers of two


@dataclass(frozen=True)
class GanNetworks:
    """A generator and its discriminator."""

    generator: Generator
    discriminator: nn.Module

    @property
    def arguments(self) -> GeneratorArguments:
        """What both were built with."""
        return self.generator.arguments

    def by_name(self) -> dict[str, nn.Module]:
        """As checkpoints and reports call them."""
        return {"generator": self.generator, "discriminator": self.discriminator}


def check_size(config: GanConfig) -> None:
    """Raise `OptionError` where the architecture has no such size."""
    sizes = find_gan(config.architecture).sizes
    if config.size not in sizes:
        known = ", ".join(map(str, sizes))
        raise OptionError(f"{config.architecture} paints {known} px, not {config.size}")


def build_networks(config: GanConfig, label_names: tuple[str, ...]) -> GanNetworks:
    """New networks, their weights drawn from the seed."""
    latent = config.latent or find_gan(config.architecture).latent
    arguments = GeneratorArguments(
        config.size, latent, config.width, label_names, config.noise, config.smoothing
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(make_rng(config.seed, "weights").initial_seed())
        generator = build_generator(config.architecture, arguments)
        discriminator = build_discriminator(config.architecture, arguments)
        if config.projected is not None:
            discriminator = _project(discriminator, config)
        return GanNetworks(generator, discriminator)


def _project(discriminator: nn.Module, config: GanConfig) -> nn.Module:
    """Beside it, others that look at the features of a frozen network."""
    assert config.projected is not None
    backbone = load_backbone(config.projected)
    layers = choose_feature_layers(backbone)
    smallest = backbone.smallest(layers) if layers else config.size
    if not layers or config.size < smallest:
        why = f"needs {smallest} px" if layers else "has no layers to look at"
        raise OptionError(f"{config.projected} {why}; --projected {BEST_BACKBONES[-1]}")
    return ProjectedDiscriminator(discriminator, backbone, layers, config.size)


def _find_start(start: str) -> Path:
    path = expand_home(start)
    if start in embedded_names("generator"):
        return find_network(start, "generator")
    return path / FOR_TRAINING if path.is_dir() else path


def adopt_start(config: GanConfig, *, resumed: bool = False) -> GanConfig:
    """The configuration with the noise and the smoothing that the start was learned with.

    Args:
        config: what to train.
        resumed: whether the start may be gone.

    Raises:
        WeightsError: it is missing or damaged.
    """
    if config.start is None or config.architecture != "light":
        return config
    path = _find_start(config.start)
    if resumed and not path.is_file():
        return config
    with open_network(path, "generator") as file, file.describing():
        if file.network != config.architecture:
            return config
        own = GeneratorArguments(**file.arguments)
    return replace(
        config, noise=config.noise or own.noise, smoothing=config.smoothing or own.smoothing
    )


def start_from(networks: GanNetworks, config: GanConfig) -> None:
    """Fill both from the file `config.start`; a discriminator that it lacks stays new.

    Raises:
        WeightsError: it is missing, damaged, of another form, or has nothing to freeze.
    """
    assert config.start is not None
    path = _find_start(config.start)
    with open_network(path, "generator") as file:
        name = file.network
        states = {word: file.state(word) for word in ("", _UNAVERAGED, _DISCRIMINATOR)}
        with file.describing():
            own = GeneratorArguments(**file.arguments)
    aimed = networks.arguments
    grows = name == config.architecture == "light" and own.size < aimed.size
    if name != config.architecture or not _matches(own, aimed, grows):
        labels = f" of {', '.join(own.labels)}" if own.labels else ""
        raise WeightsError(
            f"{path} is a {name} of {own.size} px, latent {own.latent}, width {own.width:g}"
            f"{labels}; ask for the same to go on from it"
        )
    if config.freeze_discriminator and not states[_DISCRIMINATOR]:
        raise WeightsError(
            f"{path} has no discriminator to freeze; start from the run's {FOR_TRAINING}"
        )
    state = states[_UNAVERAGED] or states[""]
    if grows:  # what is new adds nothing at first; a last half step is new too
        state = {key: x for key, x in state.items() if not key.startswith(_LAST_BLOCK)}
    if grows or (aimed.noise and not own.noise):
        state = {**networks.generator.state_dict(), **state}
    fill_network(networks.generator, state, path, name)
    if states[_DISCRIMINATOR] and not grows:
        _fill_discriminator(networks.discriminator, states[_DISCRIMINATOR], path, name)


def _matches(own: GeneratorArguments, aimed: GeneratorArguments, grows: bool) -> bool:
    """Whether a start was built as what goes on from it, but for what may be new there."""
    size = aimed.size if grows else own.size
    return replace(own, size=size, noise=aimed.noise, smoothing=aimed.smoothing) == aimed


def _fill_discriminator(
    discriminator: nn.Module, state: Mapping[str, Tensor], path: Path, name: str
) -> None:
    """Those that look at features stay new where the file has none, or are left out of it."""
    pixels = {key.removeprefix("pixels."): x for key, x in state.items() if "pixels." in key}
    if isinstance(discriminator, ProjectedDiscriminator) and not pixels:
        discriminator = discriminator.pixels
    elif pixels and not isinstance(discriminator, ProjectedDiscriminator):
        state = pixels
    fill_network(discriminator, state, path, name)


def freeze_layers(discriminator: nn.Module, count: int) -> None:
    """Keep the first layers of a discriminator, the finest, as they are.

    Source: Mo et al. 2020, "Freeze the discriminator" (Freeze-D).

    Raises:
        OptionError: it would have nothing left to learn with.
    """
    layers = discriminator_layers(getattr(discriminator, "pixels", discriminator))
    below = f"below {len(layers)}, all its layers"
    require(count < len(layers), "freeze_discriminator", count, below)
    for layer in layers[:count]:
        layer.requires_grad_(False)


def save_networks(
    folder: Path,
    config: GanConfig,
    average: nn.Module,
    unaveraged: Mapping[str, nn.Module],
    notes: Mapping[str, str],
    arguments: GeneratorArguments,
) -> None:
    """Write the averaged generator to paint with, and beside it both networks to go on from."""
    state = average.state_dict()
    _save(folder / IN_RUN, config, arguments, state, notes, half=True)
    both = {_UNAVERAGED: unaveraged["generator"], _DISCRIMINATOR: unaveraged["discriminator"]}
    tensors = {**state, **join_states(both)}
    _save(folder / FOR_TRAINING, config, arguments, tensors, notes, half=False)


def load_average(
    config: GanConfig, label_names: tuple[str, ...], state: Mapping[str, Tensor], folder: Path
) -> Generator:
    """The averaged generator out of a checkpoint's tensors."""
    generator = build_networks(config, label_names).generator
    prefix = "average/generator/"
    own = {name.removeprefix(prefix): x for name, x in state.items() if name.startswith(prefix)}
    fill_network(generator, own, folder, config.architecture)
    return generator


def save_generator(
    path: Path, config: GanConfig, generator: Generator, notes: Mapping[str, str]
) -> None:
    """Write a generator to paint with."""
    _save(path, config, generator.arguments, generator.state_dict(), notes, half=True)


def _save(
    path: Path,
    config: GanConfig,
    arguments: GeneratorArguments,
    tensors: Mapping[str, Tensor],
    notes: Mapping[str, str],
    *,
    half: bool,
) -> None:
    save_network_file(
        path,
        tensors,
        network=config.architecture,
        arguments=asdict(arguments),
        trained_on=Path(config.data).name,
        metadata={**notes, "loss": config.loss},
        half=half,
    )
