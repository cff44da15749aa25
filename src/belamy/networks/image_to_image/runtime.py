"""What runs a network that repaints pictures: torch, or a faster program for the same sums.

A brush takes pictures of certain sizes alone (multiples of its stride, or one size); `belamy.
engines.repainting` mirrors pictures at their borders to such sizes and cuts the results back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from belamy.errors import OptionError
from belamy.networks.image_to_image import onnx
from belamy.networks.image_to_image.layers import Geometry
from belamy.networks.image_to_image.load import ONNX, load_style
from belamy.networks.image_to_image.network import Painter

__all__ = ["ENGINES", "Brush", "CompiledBrush", "OnnxBrush", "TorchBrush", "load_brush"]

# Of a network in an ONNX file, which does not say: Johnson's, and generous for any like it.
_UNKNOWN = Geometry(stride=4, margin=64, floats=64.0)


class Brush(Protocol):
    """A network that repaints (1, 3, H, W) in [0, 1]."""

    @property
    def geometry(self) -> Geometry:
        """How it can be cut into tiles."""

    @property
    def side(self) -> int | None:
        """The only height and width that it takes; None for any multiple of its stride from
        `belamy.networks.image_to_image.network.CHECKED_SIDE` on."""

    def __call__(self, image: Tensor) -> Tensor: ...

    def fixed(self, sample: Tensor) -> Brush | None:
        """One that sees every part of a picture as it would the whole, from a sample of it; None
        where the program cannot be looked into."""


@dataclass(frozen=True)
class TorchBrush:
    """Torch itself."""

    painter: Painter
    side: int | None = None

    @classmethod
    def of(cls, painter: Painter, device: torch.device) -> TorchBrush:
        """The network as it runs fastest on a device: on the CPU channels-last, which takes about
        a quarter less (one thread, 512 px: 198 ms, and 255 in torch's usual format)."""
        painter = painter.to(device)
        if device.type == "cpu":
            painter = painter.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return cls(painter)

    @property
    def geometry(self) -> Geometry:
        return self.painter.geometry

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Tensor:
        return self.painter(image)  # type: ignore[no-any-return]

    @torch.inference_mode()
    def fixed(self, sample: Tensor) -> TorchBrush:
        return TorchBrush(self.painter.with_statistics_of(sample))


@dataclass(frozen=True)
class CompiledBrush:
    """A network of ours, run by another program."""

    painter: Painter
    compile: Callable[[Painter], onnx.Run]
    run: onnx.Run
    side: int | None = None

    @property
    def geometry(self) -> Geometry:
        return self.painter.geometry

    def __call__(self, image: Tensor) -> Tensor:
        return self.run(image)

    def fixed(self, sample: Tensor) -> CompiledBrush:
        with torch.inference_mode():
            painter = self.painter.with_statistics_of(sample)
        return CompiledBrush(painter, self.compile, self.compile(painter))


@dataclass(frozen=True)
class OnnxBrush:
    """A network out of an ONNX file."""

    run: onnx.Run
    side: int | None
    geometry: Geometry = _UNKNOWN

    def __call__(self, image: Tensor) -> Tensor:
        return self.run(image)

    def fixed(self, sample: Tensor) -> None:
        return None


ENGINES = ("torch", "onnxruntime", "openvino")


def load_brush(
    path: Path, engine: str, device: torch.device, direction: str | None = None
) -> Brush:
    """The network in a file, ready to paint.

    Args:
        path: see `belamy.networks.image_to_image.load.find_style`.
        engine: one of `ENGINES`, or `auto`: torch where it can read the file, ONNX Runtime else.
        device: where torch runs it.
        direction: which network, in a file that has several; see
            `belamy.networks.image_to_image.load.load_style`.

    Raises:
        WeightsError: it is damaged, of another network, or has none of this direction.
        OptionError: the engine cannot run this file, or not on this device.
        MissingExtra: the engine is not installed.
    """
    is_onnx = path.suffix.lower() == ONNX
    if engine == "auto":
        engine = "onnxruntime" if is_onnx else "torch"
    if engine == "torch":
        if is_onnx:
            raise OptionError(f"torch cannot run {path}; take --engine onnxruntime or openvino")
        return TorchBrush.of(load_style(path, direction), device)
    if device.type != "cpu":
        raise OptionError(f"{engine} runs on the CPU here; take --device cpu, or --engine torch")
    if is_onnx:
        if direction is not None:
            raise OptionError(f"{path} is of one direction alone; leave out {direction}")
        return OnnxBrush(*onnx.open_onnx(path, engine))
    painter = load_style(path, direction)

    def compile(painter: Painter) -> onnx.Run:
        return onnx.compiled(painter, engine)

    return CompiledBrush(painter, compile, compile(painter))
