"""A torch module of anybody's, and how it takes pictures."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from belamy.checks import show_value
from belamy.errors import OptionError, WeightsError
from belamy.networks.backbones import imagenet

__all__ = [
    "AnyModule",
    "Preprocessing",
    "TorchNetwork",
    "copy_module",
    "hash_state",
    "preprocessing_of",
    "unwrap",
]

_WRAPPERS = ("module", "_orig_mod")  # where DataParallel and torch.compile keep what they wrap
_IMAGENET_CLASSES = 1000
_ASSUMED = "ImageNet's, as nothing is said"


@dataclass(frozen=True)
class TorchNetwork:
    """A torch module with its weights, and how it takes pictures: for `model` in place of a name.

    What is None stands in the module's own `pretrained_cfg` or `default_cfg` (timm's have one);
    without one it is what torchvision's networks take: ImageNet's mean and deviation.

    Args:
        module: (N, 3, H, W) → anything; it is neither changed nor trained.
        mean: of red, green and blue, subtracted from every picture.
        std: what each of the three is divided by then.
        value_range: what black and white are before that; with it alone, mean and std are 0 and 1.
        side: pixels of a square that it takes.
        classes: names of its last layer's outputs, in order.

    Raises:
        OptionError: it is no module, or a number makes no sense.
    """

    module: nn.Module
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    value_range: tuple[float, float] | None = None
    side: int | None = None
    classes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.module, nn.Module):
            raise OptionError(f"module is {show_value(self.module)}; it must be a torch.nn.Module")
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if numbers is not None and not _are_finite(numbers, 3):
                raise OptionError(f"{name} is {show_value(numbers)}; it must be three numbers")
        if self.std is not None and min(self.std) <= 0:
            raise OptionError(f"std is {show_value(self.std)}; it must be three numbers above 0")
        ends = self.value_range
        if ends is not None and not (_are_finite(ends, 2) and ends[0] < ends[1]):
            raise OptionError(
                f"value_range is {show_value(ends)}; it must be black and white, as (-1, 1)"
            )
        if self.side is not None and not 1 <= self.side <= 4096:
            raise OptionError(f"side is {show_value(self.side)}; it must be from 1 to 4096 pixels")


def _are_finite(numbers: Sequence[float], count: int) -> bool:
    try:
        return len(numbers) == count and all(math.isfinite(number) for number in numbers)
    except TypeError:
        return False


AnyModule: TypeAlias = "nn.Module | TorchNetwork"


@dataclass(frozen=True)
class Preprocessing:
    """How pictures in [0, 1] are shown to a module: (picture − mean) / std.

    Args:
        source: who says so, in words.
        side: pixels of a square that it takes, where that is known.
        classes: names of its outputs, where they are known.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str
    side: int | None = None
    classes: tuple[str, ...] = ()

    @property
    def assumed(self) -> bool:
        """Whether nobody says how pictures are shown."""
        return self.source == _ASSUMED


def preprocessing_of(network: TorchNetwork) -> Preprocessing:
    """What the network says, else its module's own configuration, else ImageNet's."""
    described = _configuration(network.module)
    mean, std, source = network.mean, network.std, "given"
    if network.value_range is not None:
        mean, std = mean or (0.0,) * 3, std or (1.0,) * 3
    elif mean is None and std is None:
        source = (
            "its own configuration" if "mean" in described else "ImageNet's, as nothing is said"
        )
    mean = mean or described.get("mean") or imagenet.MEAN
    std = std or described.get("std") or imagenet.STD
    black, white = network.value_range or (0.0, 1.0)
    spread = white - black
    return Preprocessing(
        tuple((float(number) - black) / spread for number in mean),
        tuple(float(number) / spread for number in std),
        source,
        network.side or _side(described),
        tuple(network.classes) or _classes(described),
    )


def _configuration(module: nn.Module) -> Mapping[str, Any]:
    """timm's notes on how a module was trained; empty where there are none that make sense."""
    for name in ("pretrained_cfg", "default_cfg"):
        found = getattr(module, name, None)
        if isinstance(found, Mapping) and found:
            colours = {key: found[key] for key in ("mean", "std") if _is_color(found.get(key))}
            rest = {key: found.get(key) for key in ("input_size", "num_classes")}
            return {**rest, **colours}
    return {}


def _is_color(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and _are_finite(value, 3)


def _side(described: Mapping[str, Any]) -> int | None:
    size = described.get("input_size")
    if isinstance(size, (tuple, list)) and len(size) == 3 and isinstance(size[-1], int):
        return size[-1]
    return None


def _classes(described: Mapping[str, Any]) -> tuple[str, ...]:
    known = described.get("num_classes") == _IMAGENET_CLASSES
    return tuple(imagenet.class_names()) if known else ()


def unwrap(module: nn.Module) -> nn.Module:
    """What DataParallel or torch.compile wrap."""
    for name in _WRAPPERS:
        inner = getattr(module, name, None)
        if isinstance(inner, nn.Module) and type(module).__module__.startswith("torch."):
            return unwrap(inner)
    return module


def copy_module(module: nn.Module) -> nn.Module:
    """A frozen copy in evaluation mode that shares the weights' memory with the original.

    Nothing that is done to the copy is seen in the original: its mode, its hooks and what its
    parameters ask for stay as they are. No ReLU of the copy works in place.

    Raises:
        OptionError: it cannot be copied, or has no weights yet.
    """
    module = unwrap(module)
    name = type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        raise OptionError(f"{name} is compiled TorchScript; give the torch.nn.Module behind it")
    tensors = [*module.parameters(), *module.buffers()]
    if any(tensor.is_meta or isinstance(tensor, _UNMADE) for tensor in tensors):
        raise WeightsError(f"{name} has parameters without numbers; load its weights first")
    shared: dict[int, Any] = {}
    for part in module.modules():
        for value in vars(part).values():
            if isinstance(value, Tensor):  # as old weight norms keep them, which no copy takes
                shared[id(value)] = value.detach()
    for buffer in module.buffers():
        shared[id(buffer)] = buffer.detach().clone()
    for parameter in module.parameters():
        shared[id(parameter)] = nn.Parameter(parameter.detach(), requires_grad=False)
    try:
        twin = copy.deepcopy(module, shared)
    # Whatever a stranger's module holds may refuse in its own way.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise OptionError(f"{name} cannot be copied to be looked through: {reason}") from error
    for part in twin.modules():
        if getattr(part, "inplace", False) is True:
            part.inplace = False  # type: ignore[assignment]
    return twin.eval().requires_grad_(False)


_UNMADE = (nn.parameter.UninitializedParameter, nn.parameter.UninitializedBuffer)


def hash_state(module: nn.Module) -> str:
    """SHA-256 of a module's names, types, shapes and numbers; the same on every device."""
    digest = hashlib.sha256()
    for name, tensor in sorted(unwrap(module).state_dict().items()):
        if isinstance(tensor, Tensor):
            plain = tensor.detach().cpu().contiguous()
            digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}\n".encode())
            digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
