"""What a layer sees: its channels, its stride and its receptive field, by following one picture.

An empty batch of pictures, all shape and no numbers, goes through the network while every operation
is watched. A kernel of k places, d apart, moving by s on a grid whose places lie `stride` picture
pixels apart, widens the field by d (k - 1) · stride and multiplies the stride by s; whatever joins
several tensors (a sum, a concatenation) sees the widest of them; a mean over all places sees the
whole picture, which is written None. So does what such a mean is joined to, though it has places
(channels that squeeze-and-excitation weighs).

Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from belamy.networks.layer_tables import Layer
from belamy.networks.sequential import Chain, weightless

__all__ = ["Layer", "layer_table"]

_TRACED_SIDE = 256  # large enough for every network's pools; the answer does not depend on it


@dataclass(frozen=True)
class _Field:
    """Stride and receptive field (height, width) of every place of one tensor; None for all."""

    stride: int
    sides: tuple[int, int] | None


_WHOLE = None
_Seen = _Field | None


def _kernel(field: _Field, size: Sequence[int], step: int, dilation: int) -> _Field:
    if field.sides is None:
        return _Field(field.stride * step, None)
    height, width = (
        side + dilation * (size[axis] - 1) * field.stride for axis, side in enumerate(field.sides)
    )
    return _Field(field.stride * step, (height, width))


def _convolution(field: _Field, arguments: Sequence[Any]) -> _Field:
    weight, stride, dilation = arguments[1], arguments[3], arguments[5]
    assert not arguments[6], "a transposed convolution has no integer stride"
    return _kernel(field, weight.shape[2:], stride[0], dilation[0])


def _pooling(field: _Field, arguments: Sequence[Any]) -> _Field:
    size = (arguments[1][0], arguments[1][-1])
    step = arguments[2][0] if len(arguments) > 2 and arguments[2] else size[0]
    return _kernel(field, size, step, 1)


# aten operation → how it moves the field; whatever is not here keeps the widest of its inputs'
_KERNELS: Mapping[str, Callable[[_Field, Sequence[Any]], _Field]] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _pooling,
    "max_pool2d": _pooling,
    "avg_pool2d": _pooling,
}
_OVER_ALL_PLACES = frozenset(
    {"mean", "sum", "amax", "max", "_adaptive_avg_pool2d", "adaptive_max_pool2d"}
)


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # as torch left it
    """Remembers the field of every tensor computed while it is on."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._fields: dict[int, tuple[Tensor, _Seen]] = {}  # the tensor too, so that ids stay good

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """torch would load its compiler (0.8 s) to be sure that it never compiles this class."""
        return False

    def start(self, image: Tensor) -> None:
        self._fields[id(image)] = (image, _Field(stride=1, sides=(1, 1)))

    def field(self, tensor: Tensor) -> _Seen:
        return self._fields[id(tensor)][1]

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Any = (), keywords: Any = None
    ) -> Any:
        output = function(*arguments, **(keywords or {}))
        known = [self._fields.get(id(tensor)) for tensor in _tensors(arguments)]
        inputs = [entry[1] for entry in known if entry is not None]
        if inputs:
            seen = _move(str(function.overloadpacket.__name__), inputs, arguments)
            for tensor in _tensors((output,)):
                self._fields[id(tensor)] = (tensor, seen)
        return output


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found.extend(_tensors(value))
    return found


def _move(operation: str, inputs: Sequence[_Seen], arguments: Sequence[Any]) -> _Seen:
    fields = [field for field in inputs if field is not None]
    if not fields or operation in _OVER_ALL_PLACES:
        return _WHOLE
    sides = [field.sides for field in fields if field.sides is not None]
    largest = (max(side[0] for side in sides), max(side[1] for side in sides)) if sides else None
    whole = len(sides) < len(inputs)
    widest = _Field(max(field.stride for field in fields), None if whole else largest)
    rule = _KERNELS.get(operation)
    return widest if rule is None else rule(widest, arguments)


def layer_table(network: Chain) -> dict[str, Layer]:
    """Every layer of `network`, stages and what is inside them, in the order they are computed."""
    image = torch.empty(0, 3, _TRACED_SIDE, _TRACED_SIDE, device="cpu")
    table: dict[str, Layer] = {}
    with torch.no_grad(), _Watch() as watch:
        watch.start(image)
        for stage, module in network.stages():
            traced = weightless(module)
            for path, part in traced.named_modules():
                part.register_forward_hook(partial(_record, watch, table, stage, path))
            image = traced(image)
    return {name: layer for name, layer in table.items() if not name.startswith("_")}


def _record(
    watch: _Watch,
    table: dict[str, Layer],
    stage: str,
    path: str,
    module: nn.Module,
    inputs: Any,
    output: Any,
) -> None:
    if isinstance(output, Tensor):
        name = f"{stage}.{path}" if path else stage
        seen = watch.field(output)
        stride, sides = (None, None) if seen is None else (seen.stride, seen.sides)
        side = None if sides is None else max(sides)
        table[name] = Layer(name, output.shape[1], stride, side, stage)
