"""Networks that repaint a picture in one manner, in one pass, and their files.

The shape is Johnson's (Johnson, Alahi and Fei-Fei 2016, "Perceptual losses for real-time style
transfer"): two strided convolutions down, residual blocks, two steps up. **Differs** as his
successors do: instance norm instead of batch norm (Ulyanov et al. 2016), reflecting borders, and
nearest-neighbour enlargement before a convolution instead of transposed convolutions, which leave
a checkerboard (Odena et al. 2016).

A file is safetensors whose metadata say everything:

    network     "transformer" or "translator" (ours), or "layers" (from another program's)
    arguments   JSON: what it is built with
    style       what it paints like, in words
    trained_on  the pictures that it learned on, in words
    directions  JSON list, where there are several networks in it that are built alike: the names
                of their tensors begin with these and a slash
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from belamy import files
from belamy.errors import BelamyError, WeightsError
from belamy.networks.backbones import imagenet
from belamy.networks.files.tensors import write_tensors
from belamy.networks.files.weights import check_header, check_shapes
from belamy.networks.image_to_image.architectures import SHAPES, johnson_rows
from belamy.networks.image_to_image.layers import Geometry, Row, build, fixed_norms, geometry

__all__ = [
    "CHECKED_SIDE",
    "COLOURS",
    "NETWORKS",
    "Painter",
    "check_painter",
    "initialise",
    "load_painter",
    "save_painter",
    "transformer",
    "translator",
]

CHECKED_SIDE = 64  # pixels of the square that a network is tried on; a multiple of all strides

_CAFFE_MEAN = (103.939, 116.779, 123.68)  # of ImageNet's blue, green, red, in levels of 255

# How colours in [0, 1] are written for a network: whether blue comes first, and then
# value · scale − offset. What it answers is read the same way backwards.
COLOURS: dict[str, tuple[bool, tuple[float, ...], tuple[float, ...]]] = {
    "signed": (False, (2.0, 2.0, 2.0), (1.0, 1.0, 1.0)),
    "levels": (False, (255.0, 255.0, 255.0), (0.0, 0.0, 0.0)),
    "caffe": (True, (255.0, 255.0, 255.0), _CAFFE_MEAN),
    "imagenet": (
        False,
        tuple(1 / deviation for deviation in imagenet.STD),
        tuple(
            mean / deviation for mean, deviation in zip(imagenet.MEAN, imagenet.STD, strict=True)
        ),
    ),
}

_FIRST_STROKES = 0.3  # of He's spread, for the last convolution at the start. By eye


class Painter(nn.Module):
    """A network that repaints pictures.

    Args:
        rows: its layers; see `belamy.networks.image_to_image.layers`.
        colours: how it takes and gives colours, one of `COLOURS`.
        body: the modules; made from the rows where None.

    Attributes:
        geometry: how it can be cut into tiles.
        backwards: whether it takes blue first.

    Raises:
        ValueError, TypeError: see `belamy.networks.image_to_image.layers.build`.
    """

    scale: Tensor
    offset: Tensor

    def __init__(
        self, rows: Sequence[Row], colours: str = "signed", body: nn.Sequential | None = None
    ) -> None:
        super().__init__()
        self.rows, self.colours = tuple(rows), colours
        self.geometry: Geometry = geometry(rows)
        self.backwards, scale, offset = COLOURS[colours]
        self.register_buffer("scale", torch.tensor(scale).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("offset", torch.tensor(offset).view(1, 3, 1, 1), persistent=False)
        self.body = build(rows) if body is None else body

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1], H and W multiples of `geometry.stride` → the same size and range,
        but for what overshoots a little."""
        return self._read(self.body(self._written(image)))

    def with_statistics_of(self, sample: Tensor) -> Painter:
        """The same network with its instance norms fixed to what they find in `sample`
        (N, 3, H, W): see `belamy.networks.image_to_image.layers.fixed_norms`."""
        body = fixed_norms(self.body, self._written(sample))
        fixed = Painter(self.rows, self.colours, body).to(sample.device)
        return fixed.eval()

    def activations(self, image: Tensor, places: Sequence[int]) -> list[Tensor]:
        """What some of the modules of `body` make of (N, 3, H, W): (N, C, h, w) each.

        Args:
            image: as in `forward`.
            places: of the modules, in order; those after the last are not run.
        """
        x, found = self._written(image), []
        for place, part in enumerate(itertools.islice(self.body, places[-1] + 1)):
            x = part(x)
            if place in places:
                found.append(x)
        return found

    def _written(self, image: Tensor) -> Tensor:
        ordered = image.flip(1) if self.backwards else image
        return ordered * self.scale - self.offset

    def _read(self, x: Tensor) -> Tensor:
        colours = (x + self.offset) / self.scale
        return colours.flip(1) if self.backwards else colours


def transformer(widths: Sequence[int] = (16, 32, 64), blocks: int = 5) -> Painter:
    """The network that belamy trains; with its defaults 0.85 MB at half precision, half of
    Johnson's widths, as in his smaller family.

    **Differs** from Johnson's: no tanh ends it. One that was full at the start left black spots
    that 800 steps had not removed. (To add the strokes to the photograph instead kept it legible
    from the first step on, but left its colours and its grain under them.)
    """
    return Painter(johnson_rows(widths, blocks))


def translator(
    shape: str = "resnet", channels: int = 64, blocks: int = 9, sampling: str = "antialiased"
) -> Painter:
    """A network that translates pictures of one world into another.

    Args:
        shape: one of `belamy.networks.image_to_image.architectures.SHAPES`.
        channels: at full size.
        blocks: residual blocks at quarter size.
        sampling: how it makes pictures smaller and larger, one of
            `belamy.networks.image_to_image.architectures.SAMPLINGS`.

    Raises:
        KeyError: no such shape or sampling.
    """
    return Painter(SHAPES[shape](channels, blocks, sampling))


def initialise(painter: Painter, generator: torch.Generator) -> None:
    """He's normal start (He et al. 2015), from one generator, but for a quiet last convolution;
    norms change nothing at first."""
    convolutions = [part for part in painter.modules() if isinstance(part, nn.Conv2d)]
    for module in convolutions:
        nn.init.kaiming_normal_(module.weight, generator=generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    with torch.no_grad():
        for module in convolutions[-1:]:
            module.weight.mul_(_FIRST_STROKES)


def _from_rows(layers: Sequence[Row], colours: str) -> Painter:
    return Painter(layers, colours)


NETWORKS: dict[str, Callable[..., Painter]] = {
    "transformer": transformer,
    "translator": translator,
    "layers": _from_rows,
}
"""What a file may be for, and what makes it of the file's arguments."""


def check_painter(painter: Painter, path: Path) -> Painter:
    """The network, once it has painted a small grey square.

    Raises:
        WeightsError: it cannot, or what it paints is of another size.
    """
    grey = torch.full((1, 3, CHECKED_SIDE, CHECKED_SIDE), 0.5)
    try:
        with torch.inference_mode():
            made = painter.eval()(grey)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"the layers of {path} do not fit together: {reason}") from error
    if made.shape != grey.shape:
        sizes = "×".join(map(str, made.shape[1:])), "×".join(map(str, grey.shape[1:]))
        raise WeightsError(
            f"{path} makes {sizes[0]} of {sizes[1]}; only networks that keep the size are run here"
        )
    return painter.requires_grad_(False)


def save_painter(
    path: Path,
    painter: nn.Module | Mapping[str, nn.Module],
    *,
    network: str,
    arguments: Mapping[str, Any],
    style: str,
    trained_on: str,
    notes: Mapping[str, str] | None = None,
    half: bool = True,
) -> None:
    """Write a network that `load_painter(path)` loads.

    Args:
        path: a `.safetensors` file, replaced whole.
        painter: what `NETWORKS[network](**arguments)` makes, with its weights; or several of
            them, by their directions.
        network: a name of `NETWORKS`.
        arguments: what it is built with.
        style: what it paints like, in words.
        trained_on: the pictures that it learned on, in words.
        notes: further metadata (licence, losses).
        half: at half precision, which is as good in use.
    """
    told = {"network": network, "style": style, "trained_on": trained_on}
    told["arguments"] = json.dumps(dict(arguments), sort_keys=True)
    if isinstance(painter, nn.Module):
        tensors = painter.state_dict()
    else:
        told["directions"] = json.dumps(list(painter))
        tensors = {
            f"{direction}/{name}": tensor
            for direction, one in painter.items()
            for name, tensor in one.state_dict().items()
        }
    state = {name: tensor.half() if half else tensor for name, tensor in tensors.items()}
    with files.atomic_path(path) as temporary:
        write_tensors(temporary, state, {**(notes or {}), **told})


def load_painter(path: Path, direction: str | None = None) -> Painter:
    """The network in a `.safetensors` file, frozen, on the CPU.

    Args:
        path: the file.
        direction: which one, where there are several in it; the first if None.

    Raises:
        WeightsError: missing, damaged, no network that paints, or none of this direction.
    """
    try:
        check_header(path)
        with safe_open(path, framework="pt") as handle:
            told = handle.metadata() or {}
            state = {name: handle.get_tensor(name).float() for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged, or not safetensors: {error}") from error
    painter = _built(path, told)
    state = _directed(path, told, state, direction)
    wanted = {name: tensor.shape for name, tensor in painter.state_dict().items()}
    check_shapes(path, told["network"], {n: x.shape for n, x in state.items()}, wanted)
    try:
        painter.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{path} does not fit its own description: {reason}") from error
    return check_painter(painter, path)


def _directed(
    path: Path, told: Mapping[str, str], state: dict[str, Tensor], direction: str | None
) -> dict[str, Tensor]:
    """The tensors of one direction."""
    try:
        directions = [str(name) for name in json.loads(told.get("directions", "[]"))]
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{path} describes itself wrongly: {error}; make it again") from error
    if direction is not None and direction not in directions:
        has = f"it has {', '.join(directions)}" if directions else "it is of one direction alone"
        raise WeightsError(f"{path} has no direction {direction!r}: {has}")
    if not directions:
        return state
    prefix = f"{direction or directions[0]}/"
    chosen = {name: x for name, x in state.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): x for name, x in chosen.items()}


def _built(path: Path, told: Mapping[str, str]) -> Painter:
    name = told.get("network", "")
    if name not in NETWORKS:
        known = f"it is for {name!r}" if name else "it does not say what it is for"
        raise WeightsError(f"{path} is no network that paints: {known}")
    try:
        return NETWORKS[name](**json.loads(told.get("arguments", "{}")))
    except BelamyError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path} describes itself wrongly: {error}; make it again") from error
