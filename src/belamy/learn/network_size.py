"""Networks by name or out of a file, measured without their weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from belamy.basics.complexity import Complexity, measure, original_alexnet
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks import NETWORKS
from belamy.networks.dehaze import NAME as FOGSIGHT
from belamy.networks.dehaze import STRIDE, FogSight
from belamy.networks.files.weights import check_header, embedded_path
from belamy.networks.gan.registry import ARCHITECTURES, Generator, Shape, build_generator
from belamy.networks.image_to_image.load import load_style

__all__ = ["measured"]

_SIDE = 224  # pixels, as ImageNet's networks are shown them
_ALEXNET_SIDE = 227  # of 2012
_PAINTED = 256  # pixels of a picture that is repainted or looked through for fog, if none is said


def measured(name: str, size: int | None) -> Iterator[tuple[str, Complexity]]:
    """The networks that `name` stands for, with a title each: two for alexnet, else one.

    Args:
        name: of `NETWORKS`, or the path of a `.safetensors` file.
        size: side of the picture that goes in; None for what the network is made for.

    Raises:
        UnknownName: neither a network nor a file.
        WeightsError: the file is none of ours.
        OptionError: the network takes no picture of this size.
    """
    if name not in NETWORKS:
        yield Path(name).stem, _of_file(_existing(name), size)
        return
    if name == "alexnet":
        with torch.device("meta"):
            original = original_alexnet()
        yield "alexnet (2012)", measure(original, _square(size or _ALEXNET_SIDE))
    yield name, _of_classifier({"network": name}, size or _own_side(name))


def _existing(name: str) -> Path:
    path = Path(name).expanduser()
    if path.suffix != ".safetensors":
        raise UnknownName("network", name, NETWORKS)
    if not path.is_file():
        raise WeightsError(f"no file of weights at {path}; check the path")
    return path


def _own_side(name: str) -> int:
    """What the embedded weights were trained for; 224 for published ones."""
    path = embedded_path(name)
    return int(_metadata(path).get("side", _SIDE)) if path.is_file() else _SIDE


def _square(side: int) -> tuple[int, int, int]:
    return (3, side, side)


def _metadata(path: Path) -> Mapping[str, str]:
    try:
        check_header(path)
        with safe_open(path, framework="pt") as handle:
            return handle.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged, or not safetensors: {error}") from error


def _of_file(path: Path, size: int | None) -> Complexity:
    told = dict(_metadata(path))
    kind = told.get("network", "")
    try:
        return _opener(kind)({**told, "path": str(path)}, size)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"{path} describes itself wrongly: {error}; make it again") from error


def _opener(kind: str) -> Callable[[Mapping[str, str], int | None], Complexity]:
    if kind in NETWORKS:
        return _of_classifier
    if kind in ARCHITECTURES:
        return _of_generator
    return _of_fogsight if kind == FOGSIGHT else _of_painter


def _arguments(told: Mapping[str, str]) -> dict[str, Any]:
    return dict(json.loads(told.get("arguments", "{}")))


def _of_classifier(told: Mapping[str, str], size: int | None) -> Complexity:
    with torch.device("meta"):
        network = NETWORKS[told["network"]].build(**_arguments(told))
    assert isinstance(network, nn.Module)
    return measure(network, _square(size or int(told.get("side", _SIDE))))


class _Labelled(nn.Module):
    """A generator that always paints its first label, so that latents alone go in."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latents: Tensor) -> Tensor:
        label = torch.zeros(len(latents), dtype=torch.long, device=latents.device)
        return self.generator(latents, label if self.generator.labels else None)  # type: ignore[no-any-return]


def _of_generator(told: Mapping[str, str], size: int | None) -> Complexity:
    shape = Shape(**_arguments(told))
    if size not in (None, shape.size):
        raise OptionError(
            f"--size is {size}, but this network paints {shape.size} px; leave it out"
        )
    with torch.device("meta"):
        generator = build_generator(told["network"], shape)
    return measure(_Labelled(generator), (generator.latent,))


def _of_fogsight(told: Mapping[str, str], size: int | None) -> Complexity:
    side = -(-(size or _PAINTED) // STRIDE) * STRIDE  # it fills its pictures up to that
    with torch.device("meta"):
        network = FogSight(**_arguments(told))
    return measure(network, _square(side))


def _of_painter(told: Mapping[str, str], size: int | None) -> Complexity:
    return measure(load_style(Path(told["path"])), _square(size or _PAINTED))
