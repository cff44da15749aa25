"""The size of networks by name or out of a file, measured on the meta device, without weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from belamy.basics.complexity import Complexity, measure, original_alexnet
from belamy.errors import OptionError
from belamy.networks.architecture import Kind
from belamy.networks.dehaze import STRIDE
from belamy.networks.files.cache import embedded_path
from belamy.networks.files.header import read_metadata
from belamy.networks.files.network_file import NetworkFile, open_network_file
from belamy.networks.find import check_kind, find_network
from belamy.networks.gan.generator import Generator
from belamy.networks.registry import NETWORKS, names_of
from belamy.networks.unfilled import skip_filling

__all__ = ["measure_networks"]

_SIDE = 224  # pixels, as ImageNet's networks are shown them
_ALEXNET_SIDE = 227  # of 2012
_IMAGE_SIDE = 256  # pixels of a picture that is repainted or dehazed, if none is said


def measure_networks(name: str, size: int | None) -> Iterator[tuple[str, Complexity]]:
    """The networks that `name` stands for, with a title each: two for alexnet, else one.

    Args:
        name: a network's name, a network file, or the folder of a run.
        size: side of the picture that goes in; None for what the network is made for.

    Raises:
        UnknownName: neither a network nor a file.
        WeightsError: the file is none of ours.
        OptionError: the network takes no picture of this size.
    """
    if name not in names_of("backbone"):
        yield Path(name).stem, _measure_file(find_network(name), size)
        return
    if name == "alexnet":
        with skip_filling():
            original = original_alexnet()
        yield "alexnet (2012)", measure(original, _square(size or _ALEXNET_SIDE))
    with skip_filling():
        network = NETWORKS[name].build()
    yield name, measure(network, _square(size or _own_side(name)))


def _own_side(name: str) -> int:
    """What the embedded weights were trained for; 224 for published ones."""
    path = embedded_path(name)
    return int(read_metadata(path).get("side", _SIDE)) if path.is_file() else _SIDE


def _square(side: int) -> tuple[int, int, int]:
    return (3, side, side)


def _measure_file(path: Path, size: int | None) -> Complexity:
    with open_network_file(path) as file:
        check_kind(path, file.network)
        row, arguments = NETWORKS[file.network], file.arguments
        with file.describing(), skip_filling():
            network = row.build(**arguments)
        if row.kind not in _MEASURES:
            raise OptionError(f"{path} takes features of another network, whose size is not known")
        with file.describing():
            return _MEASURES[row.kind](network, file, size)


def _measure_backbone(network: nn.Module, file: NetworkFile, size: int | None) -> Complexity:
    return measure(network, _square(size or int(file.metadata.get("side", _SIDE))))


class _FirstLabel(nn.Module):
    """A generator that always paints its first label, so that latents alone go in."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latents: Tensor) -> Tensor:
        label = torch.zeros(len(latents), dtype=torch.long, device=latents.device)
        return self.generator(latents, label if self.generator.labels else None)  # type: ignore[no-any-return]


def _measure_generator(network: nn.Module, file: NetworkFile, size: int | None) -> Complexity:
    assert isinstance(network, Generator)
    if size not in (None, network.size):
        raise OptionError(
            f"--size is {size}, but this network paints {network.size} px; leave it out"
        )
    return measure(_FirstLabel(network), (network.latent,))


def _measure_dehaze_net(network: nn.Module, file: NetworkFile, size: int | None) -> Complexity:
    side = -(-(size or _IMAGE_SIDE) // STRIDE) * STRIDE  # it fills its pictures up to that
    return measure(network, _square(side))


def _measure_image_net(network: nn.Module, file: NetworkFile, size: int | None) -> Complexity:
    return measure(network, _square(size or _IMAGE_SIDE))


_MEASURES: dict[Kind, Callable[[nn.Module, NetworkFile, int | None], Complexity]] = {
    "backbone": _measure_backbone,
    "dehaze": _measure_dehaze_net,
    "generator": _measure_generator,
    "image-to-image": _measure_image_net,
}
