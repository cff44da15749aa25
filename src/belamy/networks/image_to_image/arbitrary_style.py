"""A network that paints in any manner: it reads features that have been given a style's moments.

An encoder (see `belamy.networks.backbone`) looks at the picture; at three depths its features are
moved to the style's moments (`belamy.objectives.whitening`); this network draws a picture from
them, and knows besides what manner it is to draw in.

Source: Huang & Belongie 2017, "Arbitrary style transfer in real-time with adaptive instance
normalization". **Differs**: the style enters at three depths instead of one, and again, as a scale
and a shift of every convolution, as in Ghiasi et al. 2017; what is drawn is added to the picture's
soft colours, moved to the style's, so that it is legible from the first step of training on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from belamy import files
from belamy.errors import WeightsError
from belamy.networks.files.tensors import write_tensors
from belamy.networks.files.weights import check_header, check_shapes, verified_sha256

__all__ = [
    "IMAGE",
    "LEVELS",
    "REACH",
    "STRIDE",
    "AnyPainter",
    "Loaded",
    "Manner",
    "Stroke",
    "at_stride",
    "initialise",
    "load_any_painter",
    "save_any_painter",
    "soft",
    "written",
]

IMAGE = "image"  # the level of the pixels themselves

LEVELS = ("mixed4a", "mixed3b")
"""Layers of iris that are read, the deepest first: at an eighth and a quarter of the size.

With one at half of the size too, what was drawn kept the grain of the photograph."""

STRIDE = 8  # pixels between places of the deepest level: pictures are multiples of it
REACH = 48
"""Pixels: nothing farther away than that, beyond what the encoder sees, counts for a pixel."""

_SOFT = 8  # pixels of the squares over which the soft colours are averaged. By eye
_FIRST_STROKES = 0.1  # of He's spread, for the last convolution at the start. By eye
_NETWORK = "anypainter"

Manner: TypeAlias = "tuple[Tensor, Tensor | None]"
"""A style as it is `written`; its share of each pixel (N, 1, H, W), None for all of them."""


def written(means: Mapping[str, Tensor], deviations: Mapping[str, Tensor]) -> Tensor:
    """A style in numbers that a network can read: (N, K).

    Args:
        means, deviations: `IMAGE` and each of `LEVELS` → (N, C), of the style's features.
    """
    told = [means[IMAGE], deviations[IMAGE].clamp_min(1e-3).log()]
    for level in LEVELS:
        spread = deviations[level]
        told += [means[level] / spread.clamp_min(1e-2), spread.clamp_min(1e-3).log()]
    return torch.cat(told, dim=1).clamp(-5, 5)


class Stroke(nn.Module):
    """Convolution; a scale and a shift of each channel, which the manner gives; ReLU."""

    def __init__(self, inputs: int, outputs: int, code: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")
        self.manner = nn.Linear(code, 2 * outputs)

    def forward(self, x: Tensor, manners: Sequence[Manner]) -> Tensor:
        x = self.convolution(x)
        asked = torch.stack([self._of(manner, x) for manner in manners]).sum(dim=0)
        scale, shift = asked.chunk(2, dim=1)
        return F.relu(x * (1 + scale) + shift)

    def _of(self, manner: Manner, x: Tensor) -> Tensor:
        code, share = manner
        asked: Tensor = self.manner(code)[:, :, None, None]  # (N, 2·C, 1, 1)
        return asked if share is None else asked * at_stride(share, x)


def at_stride(share: Tensor, features: Tensor) -> Tensor:
    """What part of each place a share (N, 1, H, W) of the picture has: (N, 1, h, w)."""
    return F.avg_pool2d(share, share.shape[-1] // features.shape[-1])


class AnyPainter(nn.Module):
    """Draws a picture from an encoder's features.

    Args:
        channels: of the encoder's `LEVELS`.
        widths: channels drawn with at an eighth, a quarter, half and the whole of the size.
        code: numbers that a manner is written in.
        compared: combinations of the deepest features by which places are compared.
        mixing: how much the covariances between the features of each of `LEVELS` count when they
            are moved to a style; see `belamy.objectives.whitening`.

    Attributes:
        basis: (compared, C), the combinations; see `belamy.objectives.patch_match`.
    """

    basis: Tensor

    def __init__(
        self,
        channels: Sequence[int],
        widths: Sequence[int] = (192, 128, 64, 32),
        code: int = 128,
        compared: int = 48,
        mixing: Sequence[float] = (0.0, 0.7),
    ) -> None:
        super().__init__()
        lists = {"channels": channels, "widths": widths, "mixing": mixing}
        self.arguments: dict[str, Any] = {name: list(values) for name, values in lists.items()}
        self.arguments |= {"code": code, "compared": compared}
        self.register_buffer("basis", torch.eye(compared, channels[0]))
        self.mixing = {IMAGE: 1.0, **dict(zip(LEVELS, mixing, strict=True))}
        told = 2 * (3 + sum(channels))
        self.reading = nn.Sequential(
            nn.Linear(told, code), nn.ReLU(), nn.Linear(code, code), nn.ReLU()
        )
        (deep, near), (eighth, quarter, half, whole) = channels, widths
        self.deep = Stroke(deep, eighth, code)
        self.near = nn.Conv2d(near, quarter, 1)
        self.joined = Stroke(eighth + quarter, quarter, code)
        self.at_half, self.at_whole = Stroke(quarter, half, code), Stroke(half, whole, code)
        self.details = nn.ModuleList(Stroke(width, width, code) for width in widths[:3])
        self.colour = nn.Conv2d(whole, 3, 3, padding=1, padding_mode="replicate")

    def forward(self, features: Mapping[str, Tensor], manners: Sequence[Manner]) -> Tensor:
        """A picture (N, 3, H, W) in [0, 1], but for what overshoots a little.

        Args:
            features: `IMAGE` → (N, 3, H, W) with sides that are multiples of `STRIDE`, and each of
                `LEVELS` → (N, C, h, w); all with the moments of the style.
            manners: what is asked for; where several have shares, these add up to 1 at most.
        """
        manners = [(self.reading(told), share) for told, share in manners]
        deep, near = (features[level] for level in LEVELS)
        x = self._detailed(0, self.deep(deep, manners), manners)  # (N, ·, H/8, W/8)
        x = torch.cat([_doubled(x), F.relu(self.near(near))], dim=1)
        x = self._detailed(1, self.joined(x, manners), manners)  # (N, ·, H/4, W/4)
        x = self._detailed(2, self.at_half(_doubled(x), manners), manners)  # (N, ·, H/2, W/2)
        drawn: Tensor = self.colour(self.at_whole(_doubled(x), manners))  # (N, 3, H, W)
        return drawn + soft(features[IMAGE])

    def _detailed(self, place: int, x: Tensor, manners: Sequence[Manner]) -> Tensor:
        return x + self.details[place](x, manners)  # type: ignore[no-any-return]


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear")


def soft(image: Tensor) -> Tensor:
    """The colours without the details, (N, 3, H, W)."""
    return F.interpolate(F.avg_pool2d(image, _SOFT), scale_factor=_SOFT, mode="bilinear")


def initialise(painter: AnyPainter, generator: torch.Generator) -> None:
    """He's normal start (He et al. 2015), from one generator, but for a quiet last convolution;
    manners change nothing at first."""
    for module in painter.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, generator=generator)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    for module in painter.modules():
        if isinstance(module, Stroke):
            nn.init.zeros_(module.manner.weight)
    with torch.no_grad():
        painter.colour.weight.mul_(_FIRST_STROKES)


def save_any_painter(
    path: Path,
    painter: AnyPainter,
    *,
    encoder: str,
    encoder_sha256: str,
    trained_on: str,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write a network that `load_any_painter(path)` loads, at half precision, and its SHA-256.

    Args:
        path: a `.safetensors` file, replaced whole.
        encoder: name or file of the network whose features it reads.
        encoder_sha256: of that network's weights, without which these mean nothing.
        trained_on: the pictures that it learned on, in words.
        notes: further metadata (licence, losses).
    """
    told = {
        "network": _NETWORK,
        "arguments": json.dumps(painter.arguments, sort_keys=True),
        "encoder": encoder,
        "encoder_sha256": encoder_sha256,
        "trained_on": trained_on,
    }
    state = {name: tensor.half() for name, tensor in painter.state_dict().items()}
    with files.atomic_path(path) as temporary:
        write_tensors(temporary, state, {**(notes or {}), **told})
        line = f"{files.sha256(temporary)}  {path.name}\n"
    files.write_text(path.with_name(path.name + ".sha256"), line)


@dataclass(frozen=True)
class Loaded:
    """A painter out of a file, frozen, on the CPU.

    Args:
        encoder: name or file of the network whose features it reads.
        encoder_sha256: of that network's weights.
        sha256: of the painter's own.
    """

    painter: AnyPainter
    encoder: str
    encoder_sha256: str
    sha256: str


def load_any_painter(path: Path) -> Loaded:
    """The network in a `.safetensors` file.

    Raises:
        WeightsError: missing, damaged, or no network that paints in any manner.
    """
    if not path.is_file():
        raise WeightsError(f"no network at {path}; check the path")
    try:
        digest = verified_sha256(path)
        check_header(path)
        with safe_open(path, framework="pt") as handle:
            told = handle.metadata() or {}
            state = {name: handle.get_tensor(name).float() for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged, or not safetensors: {error}") from error
    painter = _built(path, told)
    wanted = {name: tensor.shape for name, tensor in painter.state_dict().items()}
    check_shapes(path, _NETWORK, {n: x.shape for n, x in state.items()}, wanted)
    painter.load_state_dict(state, strict=False)
    painter.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Loaded(painter, told.get("encoder", ""), told.get("encoder_sha256", ""), digest)


def _built(path: Path, told: Mapping[str, str]) -> AnyPainter:
    if told.get("network") != _NETWORK:
        known = f"it is for {told['network']!r}" if "network" in told else "it says nothing"
        raise WeightsError(f"{path} is no network that paints in any manner: {known}")
    try:
        return AnyPainter(**json.loads(told.get("arguments", "{}")))
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, RecursionError) as error:
        raise WeightsError(f"{path} describes itself wrongly: {error}; make it again") from error
