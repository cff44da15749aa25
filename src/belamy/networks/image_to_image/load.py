"""Files of image-to-image networks, whoever trained them: loaded, and belamy's own saved.

A network file of this kind also says:

    style       what it paints like, in words
    directions  JSON list, where there are several networks in it that are built alike: the words
                before the slash in the names of their tensors
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from belamy.checks import require
from belamy.errors import WeightsError
from belamy.networks.files.containers import tell_format
from belamy.networks.files.header import SUFFIX
from belamy.networks.files.network_file import (
    NetworkFile,
    join_states,
    open_network_file,
    save_network_file,
)
from belamy.networks.files.ranges import Range
from belamy.networks.find import open_network
from belamy.networks.image_to_image.network import CHECKED_SIDE, ImageTransformNet, check_output
from belamy.networks.image_to_image.third_party import FIRST, load_pth, load_t7
from belamy.networks.image_to_image.trial import choose_range
from belamy.networks.registry import NETWORKS

__all__ = ["LOADERS", "ONNX", "load_image_net", "save_image_net"]

ONNX = ".onnx"

LOADERS: dict[str, Callable[[Path], ImageTransformNet]] = {
    ".t7": load_t7,
    ".pth": load_pth,
    ".pt": load_pth,
    ".model": load_pth,  # what PyTorch's example called its files at first
    ".ckpt": load_pth,
    ".tar": load_pth,  # .pth.tar
    ".bin": load_pth,
}
"""Suffix → how a file of another program is read."""

_FIRST = "a-to-b"
"""The direction of a file that has one network alone."""

_COLOURS = {
    "0-255": "levels",
    "0-1": "unit",
    "-1-1": "signed",
    "imagenet": "imagenet",
    "caffe": "caffe",
}  # range → what the network calls it


def load_image_net(
    path: Path, direction: str | None = None, range: Range = "auto"
) -> ImageTransformNet:
    """The network in a file that is not ONNX, frozen, on the CPU.

    Args:
        path: see `belamy.networks.find.find_network`.
        direction: which one, in a file of belamy's that has several; the first if None.
        range: the numbers that a .pth of another program takes for black and white; auto is found
            out on a drawn picture.

    Raises:
        WeightsError: it is damaged, of another network, has none of this direction, or paints no
            picture.
        OptionError: a range for a file that says it itself.
    """
    suffix = path.suffix.lower()
    if suffix in LOADERS:
        if direction not in (None, _FIRST):
            raise WeightsError(f"{path} has no direction {direction!r}: it has one network alone")
        if suffix != ".t7" and tell_format(path) != "torch7":
            return _set_range(path, LOADERS[suffix](path), range)
        _check_unstated(path, range)
        return load_t7(path)
    if suffix != SUFFIX:
        known = ", ".join((SUFFIX, *LOADERS))
        raise WeightsError(f"{path} is no network that torch runs; known are {known}")
    if _is_others(path):
        return _set_range(path, load_pth(path), range)
    _check_unstated(path, range)
    with open_network(path, "image-to-image") as file:
        prefix = _choose_direction(file, direction)
        network = file.build(NETWORKS[file.network].build, prefix)
    assert isinstance(network, ImageTransformNet)
    return check_output(network, path)


def _check_unstated(path: Path, range: Range) -> None:
    require(range == "auto", "range", range, f"left out: {path} says it itself")


def _set_range(path: Path, network: ImageTransformNet, range: Range) -> ImageTransformNet:
    """The network with its colours in the range that is stated, or that gives a picture."""
    if range == "auto" and network.colours == "signed":  # a generator, whose tanh says it
        return network
    side = max(CHECKED_SIDE, network.geometry.stride)
    chosen = choose_range(path, network.body, (side, side), range)
    ranged = ImageTransformNet(network.rows, _COLOURS[chosen], network.body)
    return ranged.eval().requires_grad_(False)


def _is_others(path: Path) -> bool:
    """Whether a safetensors is a style of fast_neural_style, which says nothing about itself."""
    with open_network_file(path) as file:
        own = any(name.endswith(FIRST) for name in file.tensors)
        return own and not file.network


def _choose_direction(file: NetworkFile, direction: str | None) -> str:
    """The word before the slash of the direction's tensors; empty where there is one alone."""
    with file.describing():
        directions = [str(name) for name in json.loads(file.metadata.get("directions", "[]"))]
    if direction is not None and direction not in directions:
        known = f"it has {', '.join(directions)}" if directions else "it has one network alone"
        raise WeightsError(f"{file.path} has no direction {direction!r}: {known}")
    return direction or (directions[0] if directions else "")


def save_image_net(
    path: Path,
    networks: nn.Module | Mapping[str, nn.Module],
    *,
    network: str,
    arguments: Mapping[str, Any],
    style: str,
    trained_on: str,
    notes: Mapping[str, str] | None = None,
    half: bool = True,
    eighth: bool = False,
) -> None:
    """Write one network, or several that are built alike by their directions; and the SHA-256.

    Args:
        path, network, arguments, trained_on, half, eighth: see `save_network_file`.
        networks: with their weights.
        style: what it paints like, in words.
        notes: further metadata (licence, losses).
    """
    metadata = {**(notes or {}), "style": style}
    if isinstance(networks, nn.Module):
        tensors = networks.state_dict()
    else:
        metadata["directions"] = json.dumps(list(networks))
        tensors = join_states(networks)
    save_network_file(
        path,
        tensors,
        network=network,
        arguments=arguments,
        trained_on=trained_on,
        metadata=metadata,
        half=half,
        eighth=eighth,
    )
