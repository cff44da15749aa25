"""A network as a row of stages: what every file of this folder that sees gives."""

from __future__ import annotations

import copy
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

Stages = list[tuple[str, nn.Module]]


@runtime_checkable
class Chain(Protocol):
    """A network as `belamy.networks.backbone` describes it."""

    def stages(self) -> Stages:
        """(stage name, module), in order, each fed by the one before."""


def follow(stages: Stages, x: Tensor) -> Tensor:
    """`x` through every stage: the forward pass of a whole network."""
    for _, module in stages:
        x = module(x)
    return x


def weightless(module: nn.Module) -> nn.Module:
    """A copy of `module` that takes next to no memory.

    For what only shapes decide, with an empty batch (0, C, H, W) on the CPU. (torch's meta device
    would do, but its first use loads torch's compiler, which takes most of a second.)
    """
    stand_ins: dict[int, Any] = {id(tensor): _hollow(tensor) for tensor in module.buffers()}
    for parameter in module.parameters():
        stand_ins[id(parameter)] = nn.Parameter(_hollow(parameter), requires_grad=False)
    return copy.deepcopy(module, stand_ins).eval()


def _hollow(tensor: Tensor) -> Tensor:
    """One zero, seen many times; but a convolution would copy that, so it gets unwritten memory."""
    if tensor.dim() == 4:
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
    return torch.zeros((), dtype=tensor.dtype, device="cpu").expand(tensor.shape)
