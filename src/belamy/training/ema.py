"""Exponential moving averages of networks' weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import nn

__all__ = ["copy_networks", "decay_at", "update_ema"]


def copy_networks(networks: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """The averages at their start: the networks as they are, which learn no more."""
    copies = copy.deepcopy(dict(networks))
    return {name: network.eval().requires_grad_(False) for name, network in copies.items()}


def decay_at(decay: float, step: int) -> float:
    """The decay of step `step`, ramped as (1 + step) / (10 + step), as TensorFlow's moving average
    does, so that the first average is not a stale copy of the random start."""
    return min(decay, (1 + step) / (10 + step))


def update_ema(
    averages: Mapping[str, nn.Module],
    networks: Mapping[str, nn.Module],
    decay: float,
    step: int,
) -> None:
    """average ← decay·average + (1 − decay)·network, in place; whole numbers are copied.

    Args:
        averages: some of the networks, by name.
        networks: as step `step` left them.
        decay: per step, once it is ramped up: see `decay_at`.
        step: the one that was just taken, from 0 on.
    """
    weight = 1 - decay_at(decay, step)
    for name, average in averages.items():
        pairs = zip(
            average.state_dict().values(), networks[name].state_dict().values(), strict=True
        )
        for mine, theirs in pairs:
            if mine.is_floating_point():
                mine.lerp_(theirs, weight)
            else:
                mine.copy_(theirs)
