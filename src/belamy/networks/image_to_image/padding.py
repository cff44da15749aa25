"""Borders around activations in the numbers that these are in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

__all__ = ["ReflectionPad", "ReplicationPad"]


class ReflectionPad(nn.ReflectionPad2d):
    """A picture (N, C, H, W) that goes on at its borders as in a mirror.

    Autocast has torch's own pad in float32, though nothing is computed: twice the memory, and two
    conversions, before a convolution turns it to bfloat16 again. Where no gradient is wanted it
    stays as it is, and what the convolution sees is the same to the bit; gradients of places that
    were mirrored are added up in float32 as before.
    """

    def forward(self, x: Tensor) -> Tensor:
        with _without_autocast(x):
            return super().forward(x)


class ReplicationPad(nn.ReplicationPad2d):
    """The same, with its border repeated; see `ReflectionPad`."""

    def forward(self, x: Tensor) -> Tensor:
        with _without_autocast(x):
            return super().forward(x)


def _without_autocast(x: Tensor) -> AbstractContextManager[object]:
    """Where no gradient is wanted; tensors without numbers (meta) know no autocast."""
    if x.is_meta or torch.is_grad_enabled() or not torch.is_autocast_enabled(x.device.type):
        return nullcontext()
    return torch.autocast(x.device.type, enabled=False)
