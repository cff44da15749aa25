"""Runtimes of image-to-image networks: torch, or a faster program for the same sums.

A runtime takes pictures of certain sizes alone (multiples of its stride, or one size); `belamy.
engines.feedforward` mirrors pictures at their borders to such sizes and cuts the results back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from belamy.checks import require
from belamy.devices import autocast
from belamy.errors import OptionError
from belamy.networks.files.ranges import Range
from belamy.networks.image_to_image import programs
from belamy.networks.image_to_image.geometry import Geometry
from belamy.networks.image_to_image.load import ONNX, load_image_net
from belamy.networks.image_to_image.network import CHECKED_SIDE, ImageTransformNet
from belamy.networks.image_to_image.strips import STRIP
from belamy.networks.image_to_image.trial import RangedRun, choose_range, measure_stride
from belamy.networks.recent import share
from belamy.networks.speed import choose_pass_precision
from belamy.precision import PassPrecision

__all__ = ["RUNTIMES", "CompiledRuntime", "OnnxRuntime", "Runtime", "TorchRuntime", "load_runtime"]

# Of a network in an ONNX file, which does not say: Johnson's, and generous for any like it.
_UNKNOWN = Geometry(stride=4, margin=64, floats=64.0)
_BYTES = 4  # of a number
_TRIED_SIDE = 192  # pixels of the square on which the faster precision is found out


class Runtime(Protocol):
    """A network that repaints (1, 3, H, W) in [0, 1]."""

    @property
    def geometry(self) -> Geometry:
        """How it can be cut into tiles."""

    @property
    def side(self) -> int | None:
        """The only height and width that it takes; None for any multiple of its stride from
        `belamy.networks.image_to_image.network.CHECKED_SIDE` on."""

    @property
    def precision(self) -> PassPrecision:
        """What its convolutions are computed in; statistics are in float32 always."""

    def __call__(self, image: Tensor) -> Tensor: ...

    def fix_statistics(self, image: Tensor) -> Runtime | None:
        """One that sees every part of a picture as it would the whole; None where the program
        cannot be looked into."""


@dataclass(frozen=True)
class TorchRuntime:
    """Torch itself."""

    network: ImageTransformNet
    side: int | None = None
    precision: PassPrecision = "float32"

    @classmethod
    def of(
        cls, network: ImageTransformNet, device: torch.device, precision: PassPrecision = "float32"
    ) -> TorchRuntime:
        """The network as it runs fastest on a device: on the CPU channels-last, which takes about
        a quarter less (one thread, 512 px: 198 ms, and 255 in torch's usual format).

        Raises:
            UnknownName, OptionError: as `belamy.devices.choose_precision`.
        """
        network = network.to(device)
        if device.type == "cpu":
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

        def run(precision: PassPrecision) -> Tensor:
            stride = network.geometry.stride
            side = -(-_TRIED_SIDE // stride) * stride
            grey = torch.full((1, 3, side, side), 0.5, device=device)
            return cls(network, precision=precision)(grey)

        return cls(network, precision=choose_pass_precision(precision, device, network, run))

    @property
    def geometry(self) -> Geometry:
        return self.network.geometry

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Tensor:
        with autocast(image.device, self.precision):
            return self.network(image)  # type: ignore[no-any-return]

    @torch.inference_mode()
    def fix_statistics(self, image: Tensor) -> TorchRuntime:
        with autocast(image.device, self.precision):
            fixed = self.network.fix_statistics(image)
        return replace(self, network=fixed)

    @torch.inference_mode()
    def paint_in_strips(self, image: Tensor, tile: int) -> Tensor:
        """The picture painted as in one pass, in the memory of a few strips.

        Args:
            tile: strips have no more pixels than a square of this side.
        """
        strip = min(STRIP, int(_BYTES * self.geometry.floats * tile**2))
        with autocast(image.device, self.precision):
            return self.network.paint_in_strips(image, strip)


@dataclass(frozen=True)
class CompiledRuntime:
    """A network of ours, run by another program."""

    network: ImageTransformNet
    compile: Callable[[ImageTransformNet], programs.Run]
    run: programs.Run
    side: int | None = None
    precision: PassPrecision = "float32"

    @property
    def geometry(self) -> Geometry:
        return self.network.geometry

    def __call__(self, image: Tensor) -> Tensor:
        return self.run(image)

    def fix_statistics(self, image: Tensor) -> CompiledRuntime:
        with torch.inference_mode():  # by torch, since the program shows no norm of its own
            network = self.network.fix_statistics(image)
        return replace(self, network=network, run=self.compile(network))


@dataclass(frozen=True)
class OnnxRuntime:
    """A network out of an ONNX file."""

    run: programs.Run
    side: int | None
    geometry: Geometry = _UNKNOWN
    precision: PassPrecision = "float32"

    def __call__(self, image: Tensor) -> Tensor:
        return self.run(image)

    def fix_statistics(self, image: Tensor) -> None:
        return None


RUNTIMES = ("torch", "onnxruntime", "openvino")


def load_runtime(
    path: Path,
    runtime: str,
    device: torch.device,
    direction: str | None = None,
    range: Range = "auto",
    precision: PassPrecision = "float32",
) -> Runtime:
    """The network in a file, ready to paint.

    Args:
        path: see `belamy.networks.find.find_network`.
        runtime: one of `RUNTIMES`, or `auto`: torch where it can read the file, ONNX Runtime else.
        device: where torch runs it.
        direction: which network, in a file that has several; see
            `belamy.networks.image_to_image.load.load_image_net`.
        range: the numbers that another program's network takes for black and white; auto is found
            out on a drawn picture.
        precision: of convolutions; auto takes bfloat16 where this network is faster in it.

    Raises:
        WeightsError: it is damaged, of another network, has none of this direction, or paints no
            picture.
        OptionError: a range for a file that says it itself; the runtime cannot run this file, or
            not on this device, or not in this precision.
        MissingExtra: the runtime is not installed.
    """
    is_onnx = path.suffix.lower() == ONNX
    if runtime == "auto":
        runtime = "onnxruntime" if is_onnx else "torch"
    if runtime == "torch":
        if is_onnx:
            raise OptionError(f"torch cannot run {path}; take --runtime onnxruntime or openvino")
        return TorchRuntime.of(_share_image_net(path, direction, range), device, precision)
    precision = programs.name_program_precision(runtime, precision)
    if device.type != "cpu":
        raise OptionError(f"{runtime} runs on the CPU here; take --device cpu, or --runtime torch")
    if is_onnx:
        if direction is not None:
            raise OptionError(f"{path} is of one direction alone; leave out {direction}")
        return _open_onnx(path, runtime, range, precision)
    network = _share_image_net(path, direction, range)

    def compile(network: ImageTransformNet) -> programs.Run:
        return programs.compile_onnx(network, runtime, precision)

    return CompiledRuntime(network, compile, compile(network), precision=precision)


def _share_image_net(path: Path, direction: str | None, range: Range) -> ImageTransformNet:
    return share(
        path,
        ("image-to-image", direction, range),
        lambda: load_image_net(path, direction, range),
        lambda network: network,
    )


def _open_onnx(path: Path, runtime: str, range: Range, precision: PassPrecision) -> OnnxRuntime:
    run, side, ours = programs.open_onnx(path, runtime, precision)
    stride = measure_stride(path, run) if side is None else 1
    geometry = replace(_UNKNOWN, stride=stride)
    if ours:
        require(range == "auto", "range", range, f"left out: {path} says it itself")
        return OnnxRuntime(run, side, geometry, precision)
    low = side or -(-CHECKED_SIDE // stride) * stride
    high = side or low + stride
    ranged = RangedRun(run, choose_range(path, run, (low, high), range))
    return OnnxRuntime(ranged, side, geometry, precision)
