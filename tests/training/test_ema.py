"""Moving averages of weights against their formula."""

from __future__ import annotations

import torch
from torch import nn

from belamy.training.ema import copy_networks, decay_at, update_ema


def line(weight: float) -> nn.BatchNorm1d:
    network = nn.BatchNorm1d(1)
    nn.init.constant_(network.weight, weight)
    return network


def test_an_average_starts_as_a_copy_that_learns_no_more() -> None:
    networks = {"a": line(2.0).train()}
    average = copy_networks(networks)["a"]
    assert average is not networks["a"]
    assert not average.training
    assert networks["a"].training
    assert not any(weight.requires_grad for weight in average.parameters())
    assert all(weight.requires_grad for weight in networks["a"].parameters())


def test_the_decay_is_ramped_up() -> None:
    assert [decay_at(0.5, step) for step in (0, 1, 5, 8, 9, 1000)] == [
        1 / 10,
        2 / 11,
        6 / 15,
        0.5,
        0.5,
        0.5,
    ]
    assert decay_at(0.999, 8990) == 8991 / 9000
    assert decay_at(0.999, 8991) == 0.999


def test_an_average_keeps_its_decay_and_takes_the_rest() -> None:
    network = line(1.0)
    averages = copy_networks({"a": network})
    nn.init.constant_(network.weight, 3.0)
    network.get_buffer("running_mean").fill_(10.0)
    network.get_buffer("num_batches_tracked").fill_(7)
    update_ema(averages, {"a": network, "other": line(0.0)}, 0.8, 10_000)
    state = averages["a"].state_dict()
    torch.testing.assert_close(state["weight"], torch.tensor([0.8 * 1 + 0.2 * 3]))
    torch.testing.assert_close(state["running_mean"], torch.tensor([2.0]))
    assert int(state["num_batches_tracked"]) == 7
    update_ema(averages, {"a": network}, 0.8, 0)  # a tenth of what was, at first
    torch.testing.assert_close(averages["a"].state_dict()["weight"], torch.tensor([2.84]))
    assert network.weight.item() == 3.0
