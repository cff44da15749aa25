"""Everything that a training is, as named tensors and a little JSON, and back.

Optimisers keep their state in nested dictionaries, which torch pickles. Nothing is ever unpickled
here, so they are flattened: tensors by a path, all else in a JSON structure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from belamy.errors import RunError

__all__ = ["BUFFERS", "LOOP", "State", "pack", "rename", "unpack"]

BUFFERS = "memory"  # the first part of the names of a task's buffers, in a checkpoint
LOOP = "trainer"  # the training loop's own entry there, beside those of the optimisers

State = tuple[dict[str, Tensor], dict[str, Any]]
Modules = Mapping[str, nn.Module]
Optimizers = Mapping[str, torch.optim.Optimizer]


def pack(networks: Modules, averages: Modules, optimizers: Optimizers) -> State:
    """All of it, ready for one safetensors file; the tensors are views of what is trained."""
    tensors: dict[str, Tensor] = {}
    structure: dict[str, Any] = {}
    for prefix, modules in (("network", networks), ("average", averages)):
        for name, module in modules.items():
            for key, value in module.state_dict().items():
                tensors[f"{prefix}/{name}/{key}"] = value.detach()
    for name, optimizer in optimizers.items():
        flat, shape = _flatten_optimizer(optimizer)
        tensors.update({f"optimizer/{name}/{key}": value for key, value in flat.items()})
        structure[name] = shape
    return tensors, structure


def unpack(state: State, networks: Modules, averages: Modules, optimizers: Optimizers) -> None:
    """Put a packed state back, in place.

    Raises:
        RunError: it was packed from other networks or optimisers.
    """
    tensors, structure = state
    try:
        for prefix, modules in (("network", networks), ("average", averages)):
            for name, module in modules.items():
                module.load_state_dict(_under(tensors, f"{prefix}/{name}/"))
        for name, optimizer in optimizers.items():
            flat = _under(tensors, f"optimizer/{name}/")
            _restore_optimizer(optimizer, flat, structure[name])
    except (RuntimeError, LookupError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(
            f"the checkpoint is of another network ({reason}); start a new run"
        ) from error


def rename(state: State, names: Mapping[str, str], measures: Mapping[str, str]) -> State:
    """A state that was packed under old names, under those of today.

    Args:
        state: as it was saved.
        names: old → new, of networks, optimisers and buffers.
        measures: old → new, of losses and measures.
    """

    def current(path: str) -> str:
        kind, *rest = path.split("/", 2)
        return "/".join((kind, *(names.get(part, part) for part in rest[:1]), *rest[1:]))

    tensors = {current(path): tensor for path, tensor in state[0].items()}
    structure = {names.get(name, name): value for name, value in state[1].items()}
    meter = structure.get(LOOP, {}).get("meter", {})
    for part, values in meter.items():
        if isinstance(values, dict):
            meter[part] = {measures.get(key, key): x for key, x in values.items()}
    return tensors, structure


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}


def _flatten_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], Any]:
    packed = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for index, values in packed["state"].items():
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{index}/{key}"] = value.detach()
            else:
                plain.setdefault(str(index), {})[key] = value
    return tensors, {"groups": packed["param_groups"], "plain": plain}


def _restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], structure: Any
) -> None:
    state: dict[int, dict[str, Any]] = {}
    for path, value in tensors.items():
        index, key = path.split("/", 1)
        state.setdefault(int(index), {})[key] = value
    for index, values in structure["plain"].items():
        state.setdefault(int(index), {}).update(values)
    optimizer.load_state_dict({"state": state, "param_groups": structure["groups"]})
    for parameter, values in optimizer.state.items():
        for key, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                # In memory as the parameter lies there (channels last), as in an unbroken run:
                # sums in another order would not be bit-equal, and mixed orders are slow.
                values[key] = torch.empty_like(parameter, requires_grad=False).copy_(value)
