"""One way to any network: by its name, its file, or the folder of the run that trained it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, overload

import torch
from torch import nn

from belamy import files
from belamy.devices import choose_device
from belamy.networks.architecture import Kind
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.dehaze import DehazeNet
from belamy.networks.files.header import SUFFIX, read_metadata
from belamy.networks.find import find_network, name_network, open_network
from belamy.networks.gan.generator import Generator
from belamy.networks.image_to_image.arbitrary_style import ArbitraryStyleNet
from belamy.networks.image_to_image.load import ONNX, load_image_net
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.networks.image_to_image.runtime import Runtime, load_runtime
from belamy.networks.registry import NETWORKS

__all__ = ["LoadedNetwork", "find_network", "load_network"]

Network = TypeVar("Network", covariant=True)
Source = str | os.PathLike[str]


@dataclass(frozen=True)
class LoadedNetwork(Generic[Network]):
    """A network with its weights, frozen, in evaluation mode.

    Args:
        network: ready to be called.
        name: in the registry; of another program's file, `layers`.
        kind: what it is for.
        path: its file.
        sha256: of the file.
        metadata: what the file says; nothing where another program wrote it.
    """

    network: Network
    name: str
    kind: Kind
    path: Path
    sha256: str
    metadata: dict[str, str]


@overload
def load_network(
    network: Source, kind: Literal["backbone"], *, device: str | torch.device = "cpu"
) -> LoadedNetwork[Backbone]: ...
@overload
def load_network(
    network: Source,
    kind: Literal["image-to-image"],
    *,
    direction: str | None = None,
    device: str | torch.device = "cpu",
) -> LoadedNetwork[ImageTransformNet | Runtime]: ...
@overload
def load_network(
    network: Source, kind: Literal["arbitrary-style"], *, device: str | torch.device = "cpu"
) -> LoadedNetwork[ArbitraryStyleNet]: ...
@overload
def load_network(
    network: Source, kind: Literal["generator"], *, device: str | torch.device = "cpu"
) -> LoadedNetwork[Generator]: ...
@overload
def load_network(
    network: Source, kind: Literal["dehaze"], *, device: str | torch.device = "cpu"
) -> LoadedNetwork[DehazeNet]: ...
@overload
def load_network(
    network: Source,
    kind: None = None,
    *,
    direction: str | None = None,
    device: str | torch.device = "cpu",
) -> LoadedNetwork[Any]: ...
def load_network(
    network: Source,
    kind: Kind | None = None,
    *,
    direction: str | None = None,
    device: str | torch.device = "cpu",
) -> LoadedNetwork[Any]:
    """Any network that belamy ever saved, downloaded or imported.

    Args:
        network: a name, a file or the folder of a run; see `belamy.networks.find.find_network`.
        kind: what it must be for; None for anything.
        direction: which one, in a file that translates both ways; None for the first.
        device: where it goes.

    Raises:
        UnknownName: there is none of this name.
        WeightsError: it is not here, damaged, changed, or of another kind.
        OptionError: no such device.
    """
    place = choose_device(str(device))
    path = find_network(network, kind)
    if path.suffix.lower() == ONNX:
        runtime = load_runtime(path, "auto", place)
        return LoadedNetwork(runtime, "layers", "image-to-image", path, files.sha256(path), {})
    if path.suffix.lower() != SUFFIX:
        module: nn.Module = load_image_net(path, direction).to(place)
        return LoadedNetwork(module, "layers", "image-to-image", path, files.sha256(path), {})
    name = name_network(path, kind)
    if NETWORKS[name].kind == "backbone":
        backbone = load_backbone(path, device=place)
        sha256, metadata = backbone.sha256, read_metadata(path)
        return LoadedNetwork(backbone, name, "backbone", path, sha256, metadata)
    with open_network(path, kind) as file:
        if NETWORKS[name].kind == "image-to-image":
            module = load_image_net(path, direction)
        else:
            module = file.build(NETWORKS[name].build)
        if isinstance(module, ArbitraryStyleNet):
            module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        metadata = dict(file.metadata)
        own = NETWORKS[name].kind
        return LoadedNetwork(module.to(place), name, own, path, file.sha256, metadata)
