"""A backbone out of whatever stands for one: a name, a file, a torch module, one of timm's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeAlias

import torch
from torch import nn

from belamy.devices import choose_device, name_precision
from belamy.errors import OptionError, RecipeError
from belamy.networks.backbone import Backbone
from belamy.networks.files.well_known import is_timm
from belamy.networks.find import list_backbones, name_network, suggest_backbone
from belamy.networks.modules.module_backbone import ModuleBackbone, main_paths
from belamy.networks.modules.timm_networks import load_timm
from belamy.networks.modules.torch_network import AnyModule, TorchNetwork
from belamy.networks.recent import share_backbone
from belamy.precision import Precision

__all__ = [
    "Model",
    "choose_model_precision",
    "describe_model",
    "is_module",
    "list_models",
    "name_model",
    "open_backbone",
    "say_no_layer",
    "suggest_model",
]

Model: TypeAlias = "str | os.PathLike[str] | AnyModule"
"""What may stand for a network that looks: a name, a file, a module, a name of timm's."""

_RECORDED = "module "  # begins what a recipe says of somebody's own module


def is_module(model: object) -> bool:
    """Whether a model is a torch module or one of timm's, rather than one of belamy's own.

    Raises:
        OptionError: it is nothing that could be a network.
        RecipeError: it is a recipe's word for a module, which no recipe can hold.
    """
    if isinstance(model, (nn.Module, TorchNetwork)):
        return True
    if not isinstance(model, (str, os.PathLike)):
        raise OptionError(
            f"model is a {type(model).__name__}; it must be a name, a file or a torch.nn.Module"
        )
    text = os.fspath(model)
    if text.startswith(_RECORDED):
        raise RecipeError(
            f"this was made with {text!r}, a module of somebody's own, which no recipe can hold; "
            "make it again from Python, with model=module"
        )
    return is_timm(text)


def open_backbone(
    model: Model,
    *,
    layers: Iterable[str] | None = None,
    device: str | torch.device | None = None,
) -> Backbone:
    """A network with its weights, looked through by the names of its layers.

    Args:
        model: a name, a file or a run, as `load_backbone` takes them; a torch module, or a
            `TorchNetwork` that says how it takes pictures; or `timm:NAME`, `timm:NAME@FILE`.
        layers: what will be asked for; None for everything.
        device: where it goes; None for the CPU.

    Raises:
        UnknownName: no such network, or no such layer.
        WeightsError: weights missing, damaged, or of another network.
        OptionError: no such device, or a module that cannot be looked through.
        MissingExtra: timm is not installed.
    """
    place = choose_device(str(device or "cpu"))
    if not is_module(model):
        assert isinstance(model, (str, os.PathLike))
        return share_backbone(os.fspath(model), layers=layers, device=place)
    if isinstance(model, (nn.Module, TorchNetwork)):
        return ModuleBackbone(_describe(model), layers=layers, device=place)
    name = os.fspath(model)
    return ModuleBackbone(load_timm(name), layers=layers, name=name, device=place)


def choose_model_precision(
    model: Model, backbone: Backbone, precision: Precision, device: torch.device
) -> Precision:
    """What a model is to compute in; `auto` is what `belamy.devices.choose_precision` chooses.

    But on processors networks of depthwise convolutions, which do little with each number that they
    read, are no faster in bfloat16 and stay in float32 (EfficientNet-Lite 2 at 512 px, import and
    all: 5.4 CPU seconds against 5.0; iris 8.0 against 10.2).

    Raises:
        OptionError: a half for a module, whose own numbers would change.
    """
    if not is_module(model):
        if precision != "auto":
            return precision
        depthwise = device.type == "cpu" and any(map(_is_depthwise, backbone.modules()))
        return "float32" if depthwise else name_precision(precision, device)
    if precision not in ("auto", "float32"):
        raise OptionError(
            f"precision {precision} would change the module's own numbers; "
            "leave it out, or give it a module in that precision"
        )
    return "float32"


def _is_depthwise(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1


def list_models(model: Model) -> tuple[Model, ...]:
    """The model; for `auto` all backbones whose weights are here, the best first."""
    if is_module(model):
        return (model,)
    assert isinstance(model, (str, os.PathLike))
    return list_backbones(model)


def name_model(model: Model) -> str:
    """What the registry calls a backbone; empty of a module, which it does not know.

    Raises:
        UnknownName, WeightsError: there is no such model, or its weights are not here.
    """
    if is_module(model):
        return ""
    assert isinstance(model, (str, os.PathLike))
    return name_network(model, "backbone")


def suggest_model(model: Model) -> str:
    """What would look better than what `auto` finds here, as a line for the user; or nothing."""
    return suggest_backbone(model) if isinstance(model, (str, os.PathLike)) else ""


def _describe(model: nn.Module | TorchNetwork) -> TorchNetwork:
    return model if isinstance(model, TorchNetwork) else TorchNetwork(model)


def describe_model(model: Model, backbone: Backbone) -> str:
    """What a recipe says of the model."""
    if isinstance(backbone, ModuleBackbone):
        return backbone.described
    assert isinstance(model, (str, os.PathLike))
    return os.fspath(model)


def say_no_layer(model: Model, option: str) -> str:
    """That no layer of a module is anybody's favourite; it names those that could be taken."""
    if isinstance(model, (nn.Module, TorchNetwork)):
        module = _describe(model).module
        name, paths = type(module).__name__, main_paths(module)
        shown = ", ".join(paths[:12]) + (", …" if len(paths) > 12 else "")
        return f"{name} has no favourite layer; name one with {option}: it has {shown}"
    shown = os.fspath(model)
    return (
        f"{shown} has no favourite layer; name one with {option}: belamy models show "
        f"{shown.partition('@')[0]} lists them"
    )
