"""Styles that others trained, translated into rows of layers: no code of theirs is run.

    .t7     Johnson's fast-neural-style: Torch 7, both of his families (batch norm; instance norm)
    .pth    the example fast_neural_style of PyTorch, old files with running statistics too; and
            generators of CycleGAN, pix2pix and CUT (see `generator_files`)

Sources: jcjohnson/fast-neural-style (models.lua, preprocess.lua) and the modules of torch's `nn`
for what their fields mean; pytorch/examples (transformer_net.py) for the names in a `.pth`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from belamy.errors import WeightsError
from belamy.networks.files.containers import read_container
from belamy.networks.files.signatures import OURS, guess_architecture
from belamy.networks.files.torch7 import TorchObject, read_torch7
from belamy.networks.files.unwrap import unwrap
from belamy.networks.image_to_image.architectures import johnson_rows
from belamy.networks.image_to_image.generator_files import is_generator, translate_generator
from belamy.networks.image_to_image.geometry import Row
from belamy.networks.image_to_image.network import ImageTransformNet, check_output
from belamy.networks.registry import names_of
from belamy.networks.unfilled import skip_filling

__all__ = ["FIRST", "load_pth", "load_t7"]

FIRST = "conv1.conv2d.weight"
"""The first weights of every style of fast_neural_style."""

Translated: TypeAlias = "tuple[list[Row], list[Tensor]]"  # rows, and their parameters in order

_MOST_MODULES = 1000
_MOST_NUMBERS = 64 << 20  # Johnson's styles have 1.7 · 2^20
_PREPROCESSING = {"vgg": "caffe", "resnet": "imagenet"}  # Johnson's words → ours


class _Unfit(Exception):
    """Why a module cannot be translated."""


def load_t7(path: Path) -> ImageTransformNet:
    """The network in a `.t7` of fast-neural-style, frozen, on the CPU.

    Raises:
        WeightsError: the file is damaged, holds no such network, or has a module that is unknown
            here, which is named.
    """
    value = read_torch7(path)
    try:
        model, colours = _model(value)
        rows, tensors = _Translator().module(model)
        network = _build(rows, colours, tensors, path)
    except _Unfit as error:
        raise WeightsError(f"{path} cannot be run here: {error}") from error
    except (ValueError, TypeError, KeyError, ArithmeticError, RuntimeError) as error:
        raise WeightsError(f"{path} has a layer that makes no sense: {error}") from error
    return check_output(_fill(network, tensors, path), path)


def _model(value: Any) -> tuple[TorchObject, str]:
    """The network in what was saved, and how it takes colours."""
    if isinstance(value, TorchObject):
        return value, "caffe"
    if not isinstance(value, dict) or not isinstance(value.get("model"), TorchObject):
        raise _Unfit("it holds no network called 'model', as those of fast-neural-style do")
    options = value.get("opt")
    word = options.get("preprocessing", "vgg") if isinstance(options, dict) else "vgg"
    if word not in _PREPROCESSING:
        raise _Unfit(f"its colours are prepared by {word!r}, which is unknown")
    return value["model"], _PREPROCESSING[word]


def _build(rows: list[Row], colours: str, tensors: list[Tensor], path: Path) -> ImageTransformNet:
    """The network, once its outline has the shapes that the file has: nothing larger is built."""
    with skip_filling():
        outline = ImageTransformNet(rows, colours)
    _check_shapes(outline, tensors, path)
    return ImageTransformNet(rows, colours)


def _check_shapes(network: ImageTransformNet, tensors: list[Tensor], path: Path) -> None:
    if [tuple(x.shape) for x in network.body.parameters()] != [tuple(x.shape) for x in tensors]:
        raise WeightsError(f"{path} has weights of other shapes than its layers; get it again")


def _fill(network: ImageTransformNet, tensors: list[Tensor], path: Path) -> ImageTransformNet:
    """The network with the parameters that the file has, in the order of its modules."""
    own = list(network.body.parameters())
    if not all(bool(x.isfinite().all()) for x in tensors):
        raise WeightsError(f"{path} has weights that are no numbers; get it again")
    with torch.no_grad():
        for parameter, tensor in zip(own, tensors, strict=True):
            parameter.copy_(tensor)
    return network


class _Translator:
    """Lua modules into rows; counts them, since shared modules could multiply without end."""

    def __init__(self) -> None:
        self.count = self.numbers = 0

    def module(self, module: Any) -> Translated:
        self.count += 1
        if self.count > _MOST_MODULES:
            raise _Unfit(f"it has more than {_MOST_MODULES} modules")
        if not isinstance(module, TorchObject):
            raise _Unfit("one of its modules is no object")
        name = module.kind.removeprefix("nn.").removeprefix("cudnn.")
        if name == "Sequential":
            return self._sequence(list(_children(module)))
        if name not in _MODULES:
            raise _Unfit(f"the module {module.kind} is unknown")
        rows, tensors = _MODULES[name](module.fields)
        self.numbers += sum(tensor.numel() for tensor in tensors)
        if self.numbers > _MOST_NUMBERS:
            raise _Unfit(f"it has more than {_MOST_NUMBERS} numbers")
        return rows, tensors

    def _sequence(self, parts: list[Any]) -> Translated:
        rows: list[Row] = []
        tensors: list[Tensor] = []
        index = 0
        while index < len(parts):
            if _is(parts[index], "ConcatTable"):
                if not _is(parts[index + 1 : index + 2], "CAddTable"):
                    raise _Unfit("a ConcatTable is not followed by the CAddTable that adds it up")
                made = self._sum(parts[index])
                index += 1
            else:
                made = self.module(parts[index])
            rows += made[0]
            tensors += made[1]
            index += 1
        return rows, tensors

    def _sum(self, table: TorchObject) -> Translated:
        branches = [self.module(part) for part in _children(table)]
        row = {"layer": "sum", "branches": [rows for rows, _ in branches]}
        return [row], [tensor for _, tensors in branches for tensor in tensors]


def _is(part: Any, name: str) -> bool:
    if isinstance(part, list):
        return len(part) == 1 and _is(part[0], name)
    return isinstance(part, TorchObject) and part.kind == f"nn.{name}"


def _children(module: TorchObject) -> Iterator[Any]:
    children = module.fields.get("modules")
    if not isinstance(children, dict):
        raise _Unfit(f"a {module.kind} has no modules")
    for number in range(1, len(children) + 1):
        if number not in children:
            raise _Unfit(f"the modules of a {module.kind} are not numbered in a row")
        yield children[number]


def _integer(fields: Mapping[Any, Any], name: str, default: int | None = None) -> int:
    number = fields.get(name, default)
    if isinstance(number, bool) or not isinstance(number, (int, float)) or number != int(number):
        raise _Unfit(f"{name} is {number!r}, not a whole number")
    return int(number)


def _tensor(fields: Mapping[Any, Any], name: str) -> Tensor:
    tensor = fields.get(name)
    if not isinstance(tensor, Tensor) or tensor.numel() == 0:
        raise _Unfit(f"a module has no {name}")
    return tensor.float()


def _pair(fields: Mapping[Any, Any], name: str, default: int | None = None) -> list[int]:
    return [_integer(fields, f"{name}H", default), _integer(fields, f"{name}W", default)]


def _parameters(fields: Mapping[Any, Any], weight: Tensor) -> list[Tensor]:
    has_bias = isinstance(fields.get("bias"), Tensor) and fields["bias"].numel() > 0
    return [weight, _tensor(fields, "bias")] if has_bias else [weight]


def _convolution(fields: Mapping[Any, Any]) -> Translated:
    inputs, outputs = _integer(fields, "nInputPlane"), _integer(fields, "nOutputPlane")
    kernel, groups = _pair(fields, "k"), _integer(fields, "groups", 1)
    weight = _tensor(fields, "weight")
    shape = (outputs, inputs // max(groups, 1), *kernel)
    if weight.shape != shape and weight.numel() == torch.Size(shape).numel():
        weight = weight.reshape(shape)  # SpatialConvolutionMM keeps them in a matrix
    parameters = _parameters(fields, weight)
    row = {
        "layer": "conv",
        "inputs": inputs,
        "outputs": outputs,
        "kernel": kernel,
        "stride": _pair(fields, "d", 1),
        "padding": _pair(fields, "pad", 0),
        "groups": groups,
        "bias": len(parameters) == 2,
    }
    return [row], parameters


def _full_convolution(fields: Mapping[Any, Any]) -> Translated:
    parameters = _parameters(fields, _tensor(fields, "weight"))
    row = {
        "layer": "deconv",
        "inputs": _integer(fields, "nInputPlane"),
        "outputs": _integer(fields, "nOutputPlane"),
        "kernel": _pair(fields, "k"),
        "stride": _pair(fields, "d", 1),
        "padding": _pair(fields, "pad", 0),
        "extra": _pair(fields, "adj", 0),
        "bias": len(parameters) == 2,
    }
    return [row], parameters


def _padding(mode: str) -> Callable[[Mapping[Any, Any]], Translated]:
    def translate(fields: Mapping[Any, Any]) -> Translated:
        names = {"left": "pad_l", "right": "pad_r", "top": "pad_t", "bottom": "pad_b"}
        sides = {side: _integer(fields, name) for side, name in names.items()}
        return [{"layer": "pad", "mode": mode, **sides}], []

    return translate


def _instance_norm(fields: Mapping[Any, Any]) -> Translated:
    weight, bias = _tensor(fields, "weight"), _tensor(fields, "bias")
    eps = float(fields.get("eps", 1e-5))
    return [{"layer": "instance", "channels": len(weight), "eps": eps}], [weight, bias]


def _batch_norm(fields: Mapping[Any, Any]) -> Translated:
    """In use a batch norm is fixed: γ(x − μ)/√(σ² + ε) + β, a factor and a sum for each channel."""
    mean, eps = _tensor(fields, "running_mean").double(), float(fields.get("eps", 1e-5))
    if "running_var" in fields:
        inverse = (_tensor(fields, "running_var").double() + eps).rsqrt()
    else:  # older files keep 1/√(σ² + ε)
        inverse = _tensor(fields, "running_std").double()
    weight = _tensor(fields, "weight") if fields.get("weight") is not None else mean.new_ones(1)
    bias = _tensor(fields, "bias") if fields.get("bias") is not None else mean.new_zeros(1)
    scale = (weight * inverse).expand_as(mean)
    return [{"layer": "affine", "channels": len(mean)}], [scale, bias - mean * scale]


def _translate_nothing(fields: Mapping[Any, Any]) -> Translated:
    return [], []


def _parameterless(name: str) -> Callable[[Mapping[Any, Any]], Translated]:
    return lambda fields: ([{"layer": name}], [])


def _multiply(fields: Mapping[Any, Any]) -> Translated:
    factor = fields.get("constant_scalar")
    if isinstance(factor, bool) or not isinstance(factor, (int, float)):
        raise _Unfit("a MulConstant has no number")
    return [{"layer": "multiply", "factor": float(factor)}], []


_MODULES: dict[str, Callable[[Mapping[Any, Any]], Translated]] = {
    "SpatialConvolution": _convolution,
    "SpatialConvolutionMM": _convolution,
    "SpatialFullConvolution": _full_convolution,
    "SpatialReflectionPadding": _padding("reflect"),
    "SpatialReplicationPadding": _padding("replicate"),
    "SpatialZeroPadding": _padding("zero"),
    "SpatialUpSamplingNearest": lambda fields: (
        [{"layer": "upsample", "factor": _integer(fields, "scale_factor")}],
        [],
    ),
    "InstanceNormalization": _instance_norm,
    "SpatialBatchNormalization": _batch_norm,
    "ShaveImage": lambda fields: ([{"layer": "crop", "amount": _integer(fields, "size")}], []),
    "ReLU": _parameterless("relu"),
    "Tanh": _parameterless("tanh"),
    "Sigmoid": _parameterless("sigmoid"),
    "MulConstant": _multiply,
    "Identity": _translate_nothing,
    "TotalVariation": _translate_nothing,  # it only changes gradients
    "Dropout": _translate_nothing,
    "SpatialDropout": _translate_nothing,
}


def load_pth(path: Path) -> ImageTransformNet:
    """The network in a `.pth` (or `.model`) of PyTorch's fast_neural_style, or a generator of
    CycleGAN, pix2pix or CUT; frozen, on the CPU.

    Widths and the number of residual blocks are read off the weights.

    Raises:
        WeightsError: the file is damaged, or is of another network.
    """
    state = _state(path)
    if is_generator(state):
        return _load_generator(path, state)
    if FIRST not in state:
        _name_other(path, state)
    blocks = len({match[1] for name in state if (match := re.match(r"res(\d+)\.", name))})
    try:
        widths = [len(state[f"conv{number}.conv2d.weight"]) for number in (1, 2, 3)]
        kernel = state[FIRST].shape[-1]
        names = list(_names(blocks))
        tensors = [state.pop(f"{name}.{kind}").float() for name in names for kind in _PARAMETERS]
    except (KeyError, TypeError, IndexError) as error:
        raise WeightsError(
            f"{path} is no network of PyTorch's fast_neural_style: it lacks {error}"
        ) from error
    if state:
        raise WeightsError(f"{path} has {next(iter(state))}, which fast_neural_style does not have")
    try:
        rows = johnson_rows(widths, blocks, kernel=kernel)
        network = _build(rows, "levels", tensors, path)
    except (ValueError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} has a layer that makes no sense: {error}") from error
    return check_output(_fill(network, tensors, path), path)


def _load_generator(path: Path, state: Mapping[str, Tensor]) -> ImageTransformNet:
    try:
        rows, tensors = translate_generator(state)
        network = _build(rows, "signed", tensors, path)
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError) as error:
        raise WeightsError(
            f"{path} looks like a generator of CycleGAN, pix2pix or CUT, but {error}"
        ) from error
    return check_output(_fill(network, tensors, path), path)


def _name_other(path: Path, state: Mapping[str, Tensor]) -> None:
    """Say which network it is, where that can be told."""
    guess = guess_architecture({name: x.shape for name, x in state.items()})
    own = OURS.get(guess, "")
    if own in names_of("backbone"):
        advice = f"run: belamy models import {own} {path}"
    else:
        advice = (
            "of other programs' .pth, styles of fast_neural_style and generators of CycleGAN, "
            "pix2pix and CUT are run here"
        )
    if guess:
        raise WeightsError(f"{path} looks like {guess}; {advice}")


_PARAMETERS = ("weight", "bias")
# Instance norm kept these once, and never used them in this network.
_UNUSED = ("running_mean", "running_var", "num_batches_tracked")


def _names(blocks: int) -> Iterator[str]:
    """The parts of the example's network that have weights, in the order they are run."""
    for number in (1, 2, 3):
        yield from (f"conv{number}.conv2d", f"in{number}")
    for number in range(1, blocks + 1):
        for half in (1, 2):
            yield from (f"res{number}.conv{half}.conv2d", f"res{number}.in{half}")
    yield from ("deconv1.conv2d", "in4", "deconv2.conv2d", "in5", "deconv3.conv2d")


def _state(path: Path) -> dict[str, Tensor]:
    """The state dict, without what wrappers put before the names."""
    state = unwrap(path, read_container(path), (FIRST, "deconv3.conv2d.bias")).state
    return {name: tensor for name, tensor in state.items() if not name.endswith(_UNUSED)}
