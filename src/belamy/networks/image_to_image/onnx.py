"""Networks that repaint pictures as ONNX; `programs` runs it.

Our networks are rows of a dozen kinds of layers, so they are written node by node: the file says
no more than the rows do, and takes any height and width.

Needs the extra [fast]: onnx.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from belamy import files
from belamy.errors import MissingExtra
from belamy.networks.image_to_image.instance_norm import InstanceNorm
from belamy.networks.image_to_image.layers import Affine, Crop, Join, Multiply, Sum
from belamy.networks.image_to_image.narrow_conv import NarrowConv
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.networks.image_to_image.padding import ReflectionPad, ReplicationPad
from belamy.networks.image_to_image.winograd_conv import WinogradConv
from belamy.networks.resample import Downsample, Upsample

__all__ = ["CHANNELS", "COLOURS", "UNIT", "import_fast", "onnx_bytes", "write_onnx"]

# The last two versions that both ONNX Runtime 1.17 and OpenVINO 2024 read.
_OPSET, _IR_VERSION = 17, 8
COLOURS = "belamy.colours"  # metadata: the picture is in [0, 1], as all of ours are
UNIT = "unit"
CHANNELS = 3
_EXTRA = "fast"


def import_fast(package: str) -> Any:
    """A package of the extra [fast].

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtra(package, _EXTRA) from error


def write_onnx(network: ImageTransformNet, path: Path) -> None:
    """Write a network to `path` as ONNX.

    Its input `image` and its output `painted` are (1, 3, H, W), sRGB in [0, 1], with H and W
    multiples of `network.geometry.stride`; the output is not clamped.

    Raises:
        MissingExtra: onnx is not installed.
        BelamyError: the file cannot be written.
    """
    files.write_bytes(path, onnx_bytes(network))


def onnx_bytes(network: ImageTransformNet) -> bytes:
    """What `write_onnx` writes.

    Raises:
        MissingExtra: onnx is not installed.
    """
    onnx = import_fast("onnx")
    graph = _Graph(onnx.helper, _whole(network), network.geometry.stride)
    x = graph.colours_in("image", network)
    for module in network.body:
        x = graph.add(module, x)
    graph.colours_out(x, network)
    return graph.model(onnx).SerializeToString()  # type: ignore[no-any-return]


def _whole(network: ImageTransformNet) -> set[nn.Module]:
    """The modules that are known to make as many rows and columns as the picture has."""
    found = set[nn.Module]()
    for module in reversed(network.body):
        found.add(module)
        if type(module) not in _POINT_BY_POINT:
            break
    return found


_POINT_BY_POINT = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, Multiply, Affine)


@dataclass
class _Graph:
    """An ONNX graph that grows by a layer at a time.

    Args:
        helper: of the package onnx.
        whole: modules that make as many rows and columns as the picture has.
        stride: of the picture's.
    """

    helper: Any
    whole: set[nn.Module]
    stride: int
    nodes: list[Any] = field(default_factory=list)
    numbers: list[Any] = field(default_factory=list)

    def node(self, kind: str, inputs: Sequence[str], **settings: Any) -> str:
        name = f"x{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, list(inputs), [name], **settings))
        return name

    def constant(self, array: NDArray[Any] | Tensor) -> str:
        plain = array.detach().cpu().numpy() if isinstance(array, Tensor) else array
        name = f"n{len(self.numbers)}"
        kind = self.helper.np_dtype_to_tensor_dtype(plain.dtype)
        packed = self.helper.make_tensor(name, kind, plain.shape, plain.tobytes(), raw=True)
        self.numbers.append(packed)
        return name

    def colours_in(self, x: str, network: ImageTransformNet) -> str:
        if network.backwards:
            x = self.backwards(x)
        scaled = self.node("Mul", [x, self.constant(network.scale)])
        return self.node("Sub", [scaled, self.constant(network.offset)])

    def colours_out(self, x: str, network: ImageTransformNet) -> None:
        x = self.node("Add", [x, self.constant(network.offset)])
        x = self.node("Div", [x, self.constant(network.scale)])
        if network.backwards:
            x = self.backwards(x)
        self.nodes.append(self.helper.make_node("Identity", [x], ["painted"]))

    def backwards(self, x: str) -> str:
        return self.node("Gather", [x, self.constant(np.array([2, 1, 0]))], axis=1)

    def add(self, module: nn.Module, x: str) -> str:
        """The node or nodes that do what `module` does."""
        return _WRITERS[type(module)](self, module, x)

    def model(self, onnx: Any) -> Any:
        def picture(name: str) -> Any:
            shape = [1, CHANNELS, "height", "width"]
            return self.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

        ends = [picture("image")], [picture("painted")]
        graph = self.helper.make_graph(self.nodes, "belamy", *ends, initializer=self.numbers)
        opset = self.helper.make_opsetid("", _OPSET)
        model = self.helper.make_model(graph, opset_imports=[opset], producer_name="belamy")
        model.ir_version = _IR_VERSION
        self.helper.set_model_props(model, {COLOURS: UNIT})
        onnx.checker.check_model(model)
        return model


def _write_sequence(graph: _Graph, module: Any, x: str) -> str:
    for part in module:
        x = graph.add(part, x)
    return x


def _write_sum(graph: _Graph, module: Any, x: str) -> str:
    first, *others = (graph.add(branch, x) for branch in module.branches)
    for other in others:
        first = graph.node("Add", [first, other])
    return first


def _write_join(graph: _Graph, module: Any, x: str) -> str:
    return graph.node("Concat", [graph.add(branch, x) for branch in module.branches], axis=1)


def _pad_writer(mode: str) -> Callable[[_Graph, Any, str], str]:
    def write(graph: _Graph, module: Any, x: str) -> str:
        left, right, top, bottom = module.padding
        amounts = graph.constant(np.array([0, 0, top, left, 0, 0, bottom, right]))
        return graph.node("Pad", [x, amounts], mode=mode)

    return write


def _filters(graph: _Graph, module: Any, x: str) -> list[str]:
    biases = [] if module.bias is None else [graph.constant(module.bias)]
    return [x, graph.constant(module.weight), *biases]


def _both_ends(padding: tuple[int, int]) -> list[int]:
    return [*padding, *padding]


def _write_conv(graph: _Graph, module: Any, x: str) -> str:
    return graph.node(
        "Conv",
        _filters(graph, module, x),
        strides=list(module.stride),
        pads=_both_ends(module.padding),
        group=module.groups,
    )


def _write_narrow(graph: _Graph, module: Any, x: str) -> str:
    """As it is computed here, which is as fast for others, if its sides are sure to be even."""
    if graph.stride % 2 or module not in graph.whole:
        return _write_conv(graph, module, x)
    weight, bias = module.together()
    biases = [] if bias is None else [graph.constant(bias)]
    output = graph.node("Conv", [x, graph.constant(weight), *biases], strides=[2, 2])
    return graph.node("DepthToSpace", [output], blocksize=2, mode="CRD")


def _write_deconv(graph: _Graph, module: Any, x: str) -> str:
    return graph.node(
        "ConvTranspose",
        _filters(graph, module, x),
        strides=list(module.stride),
        pads=_both_ends(module.padding),
        output_padding=list(module.output_padding),
    )


def _write_upsample(graph: _Graph, module: Any, x: str) -> str:
    settings = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return _resize(graph, x, float(module.scale_factor), mode="nearest", **settings)


def _resize(graph: _Graph, x: str, factor: float, **settings: str) -> str:
    scales = graph.constant(np.array([1, 1, factor, factor], np.float32))
    return graph.node("Resize", [x, "", scales], **settings)


def _write_upsample_bilinear(graph: _Graph, module: Any, x: str) -> str:
    return _resize(graph, x, 2.0, mode="linear", coordinate_transformation_mode="half_pixel")


def _write_downsample(graph: _Graph, module: Any, x: str) -> str:
    """[1, 3, 3, 1] is [1, 1] three times, which needs no number of channels; the sides are even,
    as multiples of a stride are."""
    x = graph.node("Pad", [x, graph.constant(np.array([0, 0, 1, 1] * 2))], mode="edge")
    for stride in (1, 1, 2):
        x = graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[stride, stride])
    return x


def _write_instance(graph: _Graph, module: Any, x: str) -> str:
    weight, bias = torch.ones(module.num_features), torch.zeros(module.num_features)
    if module.affine:
        weight, bias = module.weight, module.bias
    inputs = [x, graph.constant(weight), graph.constant(bias)]
    return graph.node("InstanceNormalization", inputs, epsilon=module.eps)


def _write_leaky(graph: _Graph, module: Any, x: str) -> str:
    return graph.node("LeakyRelu", [x], alpha=module.negative_slope)


def _write_affine(graph: _Graph, module: Any, x: str) -> str:
    scaled = graph.node("Mul", [x, graph.constant(module.weight.view(1, -1, 1, 1))])
    return graph.node("Add", [scaled, graph.constant(module.bias.view(1, -1, 1, 1))])


def _write_multiply(graph: _Graph, module: Any, x: str) -> str:
    return graph.node("Mul", [x, graph.constant(np.array(module.factor, np.float32))])


def _write_crop(graph: _Graph, module: Any, x: str) -> str:
    pads = np.array([0, 0, -module.amount, -module.amount] * 2)
    return graph.node("Pad", [x, graph.constant(pads)])


def _plain(kind: str) -> Callable[[_Graph, Any, str], str]:
    return lambda graph, module, x: graph.node(kind, [x])


_WRITERS: dict[type[nn.Module], Callable[[_Graph, Any, str], str]] = {
    nn.Sequential: _write_sequence,
    Sum: _write_sum,
    Join: _write_join,
    ReflectionPad: _pad_writer("reflect"),
    ReplicationPad: _pad_writer("edge"),
    nn.ZeroPad2d: _pad_writer("constant"),
    nn.Conv2d: _write_conv,
    NarrowConv: _write_narrow,
    WinogradConv: _write_conv,
    nn.ConvTranspose2d: _write_deconv,
    nn.Upsample: _write_upsample,
    Downsample: _write_downsample,
    Upsample: _write_upsample_bilinear,
    InstanceNorm: _write_instance,
    Affine: _write_affine,
    Multiply: _write_multiply,
    Crop: _write_crop,
    nn.ReLU: _plain("Relu"),
    nn.LeakyReLU: _write_leaky,
    nn.Tanh: _plain("Tanh"),
    nn.Sigmoid: _plain("Sigmoid"),
}
