"""The precision in which a frozen network is fastest here, found out by trying."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import nn

from belamy.devices import is_faster_in_bfloat16, name_precision
from belamy.precision import PassPrecision

__all__ = ["choose_pass_precision"]


def choose_pass_precision(
    precision: PassPrecision,
    device: torch.device,
    network: nn.Module,
    run: Callable[[PassPrecision], object],
) -> PassPrecision:
    """What a network computes one pass in, without a way back.

    `auto` is float32 on a processor, unless it has bfloat16 and this network gains by it: small
    networks, and those of depthwise convolutions, wait for memory and gain little. Each shape of a
    network is tried once on a machine, and the answer remembered.

    Args:
        precision: what was asked for.
        network: whose shape is looked at.
        run: one pass in a precision, on a picture of a usual size.

    Raises:
        UnknownName, OptionError: as `belamy.devices.choose_precision`.
    """
    chosen = name_precision(precision, device)
    assert chosen != "float16", "no single pass is computed in it"
    if precision != "auto" or chosen == "float32" or device.type != "cpu":
        return chosen
    with torch.inference_mode():
        faster = is_faster_in_bfloat16(_name_shape(network), run)
    return chosen if faster else "float32"


def _name_shape(network: nn.Module) -> str:
    """The same for networks that differ in their numbers alone."""
    shapes = [(name, tuple(one.shape)) for name, one in network.state_dict().items()]
    return f"{type(network).__name__} {hashlib.sha256(repr(shapes).encode()).hexdigest()[:12]}"
