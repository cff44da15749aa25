"""How large a network is: layers, neurons, connections, weights and multiply-adds, counted.

One empty picture, all shape and no numbers, goes through the network on torch's meta device, and
every module that has weights tells what went in and what came out. What is counted:

- **a layer**: a step from input to output that has weights of its own, along the longest chain.
  Modules side by side (a detour past a block) are one layer; scales and shifts of a norm are none.
- **a neuron**: one number that a layer puts out. A map of 55 × 55 places is 3,025 neurons.
- **a connection**: one line into a neuron, from a number below it or from its bias; windows that
  reach over a picture's edge are counted whole.
- **a weight**: a number that is learned; one shared by many neurons counts once.
- **a multiply-add**: one product of a weight and an input, added to a sum, for one picture.

Published counts differ: some count what pools put out as neurons too (`Complexity.pooled`), or the
numbers that come in; and the AlexNet that everyone downloads is not the one of 2012
(`original_alexnet`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import conv, pooling
from torch.utils._python_dispatch import TorchDispatchMode

from belamy.errors import OptionError

__all__ = ["CORTEX", "Brain", "Complexity", "LayerCount", "measure", "original_alexnet"]


@dataclass(frozen=True)
class LayerCount:
    """One module with weights.

    Args:
        name: its path in the network.
        kind: its class.
        depth: how many layers a number has passed when it leaves this one.
        shape: of its output, without the batch.
        neurons: numbers in that output.
        connections: lines into them, biases' too.
        weights: that are learned.
        multiply_adds: for one picture.
    """

    name: str
    kind: str
    depth: int
    shape: tuple[int, ...]
    neurons: int
    connections: int
    weights: int
    multiply_adds: int


@dataclass(frozen=True)
class Complexity:
    """A whole network, at one input size.

    Args:
        inputs: numbers that come in.
        layers: the modules with weights, in the order in which they work.
        weights: all that is learned, scales and shifts of norms too.
        pooled: numbers that pools put out, which some count as neurons.
        uncounted: modules with tables of weights that are neither convolutions nor layers of
            neurons; what they connect is not counted, their weights are.
    """

    inputs: int
    layers: tuple[LayerCount, ...]
    weights: int
    pooled: int
    uncounted: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """Layers, along the longest chain."""
        return max((layer.depth for layer in self.layers), default=0)

    @property
    def neurons(self) -> int:
        return sum(layer.neurons for layer in self.layers)

    @property
    def connections(self) -> int:
        return sum(layer.connections for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds for layer in self.layers)


@dataclass(frozen=True)
class Brain:
    """A brain, or a part of one, as those say who counted.

    Args:
        neurons: its cells.
        connections: its synapses.
        source: who counted.
    """

    neurons: float
    connections: float
    source: str


CORTEX = Brain(21e9, 1.5e14, "Pakkenberg et al. 2003, Experimental Gerontology 38, 95–99")
"""The human neocortex, on average: 0.15 · 10¹⁵ synapses there."""


def measure(network: nn.Module, shape: tuple[int, ...]) -> Complexity:
    """Count what is in a network, by following one input through it.

    Args:
        network: any; best built under `torch.device("meta")`, since no weight is looked at. It is
            left as it is.
        shape: of one input, without the batch, such as (3, 224, 224).

    Raises:
        OptionError: an input of this shape does not go through it.
    """
    skeleton = copy.deepcopy(network).to("meta").eval()
    watch = _Tracer()
    for name, part in skeleton.named_modules():
        part.register_forward_hook(watch.hook(name))
    try:
        with torch.no_grad(), watch:
            skeleton(torch.zeros(1, *shape, device="meta"))
    except (RuntimeError, NotImplementedError, ValueError) as error:
        size, reason = "×".join(map(str, shape)), str(error).partition("\n")[0]
        raise OptionError(f"an input of {size} does not go through the network: {reason}") from None
    weights = sum(parameter.numel() for parameter in skeleton.parameters())
    inputs = torch.Size(shape).numel()
    return Complexity(inputs, tuple(watch.layers), weights, watch.pooled, _list_uncounted(skeleton))


def _list_uncounted(network: nn.Module) -> tuple[str, ...]:
    return tuple(
        name
        for name, part in network.named_modules()
        if not isinstance(part, (conv._ConvNd, nn.Linear))
        and any(parameter.ndim > 1 for parameter in part.parameters(recurse=False))
    )


_POOLS = (
    pooling._MaxPoolNd,
    pooling._AvgPoolNd,
    pooling._AdaptiveAvgPoolNd,
    pooling._AdaptiveMaxPoolNd,
)


class _Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]  # as torch left it
    """Remembers of every tensor computed while it is on how many layers lie behind it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.layers: list[LayerCount] = []
        self.pooled = 0
        self._depths: dict[int, tuple[Tensor, int]] = {}  # the tensor too, so that ids stay good

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """torch would load its compiler (0.8 s) to be sure that it never compiles this class."""
        return False

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Any = (), keywords: Any = None
    ) -> Any:
        output = function(*arguments, **(keywords or {}))
        deepest = max(map(self._depth, _tensors(arguments)), default=0)
        for tensor in _tensors((output,)):
            self._depths[id(tensor)] = (tensor, deepest)
        return output

    def _depth(self, tensor: Tensor) -> int:
        return self._depths.get(id(tensor), (tensor, 0))[1]

    def hook(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        """A forward hook for the module of this name."""

        def record(module: nn.Module, inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                return
            if isinstance(module, _POOLS) and output.shape != inputs[0].shape:
                self.pooled += output.numel()
            if isinstance(module, (conv._ConvNd, nn.Linear)):
                depth = 1 + self._depth(inputs[0])
                self._depths[id(output)] = (output, depth)
                self.layers.append(_count_layer(name, module, inputs[0], output, depth))

        return record


def _count_layer(
    name: str, module: conv._ConvNd | nn.Linear, seen: Tensor, output: Tensor, depth: int
) -> LayerCount:
    # each number of the output sums products with these weights; one of the input of a transposed
    # convolution is spread over them
    spread = isinstance(module, conv._ConvTransposeNd)
    products = (seen if spread else output).numel() * module.weight[0].numel()
    return LayerCount(
        name=name,
        kind=type(module).__name__,
        depth=depth,
        shape=tuple(output.shape[1:]),
        neurons=output.numel(),
        connections=products + (0 if module.bias is None else output.numel()),
        weights=sum(parameter.numel() for parameter in module.parameters()),
        multiply_adds=products,
    )


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def original_alexnet() -> nn.Sequential:
    """AlexNet as it won in 2012: two towers, one for each graphics card, that meet at the third.

    For a picture of 227 × 227: the paper says 224, with which its own windows do not come out.

    Source: Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional
    neural networks", section 3.5.
    """
    convolutions = (
        *(nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), nn.LocalResponseNorm(5)),
        *(nn.MaxPool2d(3, 2), nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
    )
    neurons = (
        *(nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU()),
        nn.Linear(4096, 1000),
    )
    return nn.Sequential(*convolutions, *neurons)
