"""The step that is shown number by number is the step that torch would make."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from belamy.basics.mlp import parameters
from belamy.basics.worked import round_network, take_step


@pytest.mark.parametrize("loss", ["absolute", "squared"])
@pytest.mark.parametrize("seed", range(5))
def test_every_number_is_that_of_torch(seed: int, loss: str) -> None:
    network = round_network(np.random.default_rng(seed))
    worked = take_step(network, np.array([0.5, -1.0]), 0.9, 0.7, loss)
    tensors = [torch.tensor(array, requires_grad=True) for array in parameters(network)]
    w, b, v, c = tensors
    hidden = torch.sigmoid(torch.tensor([0.5, -1.0], dtype=torch.float64) @ w + b)
    output = torch.sigmoid(hidden @ v + c)
    error = (output - 0.9).abs().sum() if loss == "absolute" else ((output - 0.9) ** 2).sum() / 2
    error.backward()
    assert worked.answers[0] == pytest.approx(hidden.detach().numpy(), abs=1e-12)
    assert worked.output == pytest.approx(output.item(), abs=1e-12)
    assert worked.error == pytest.approx(error.item(), abs=1e-12)
    gradients = [array for pair in worked.gradients for array in pair]
    for ours, theirs in zip(gradients, tensors, strict=True):
        assert ours == pytest.approx(theirs.grad.numpy(), abs=1e-10)
    for new, old in zip(parameters(worked.after), tensors, strict=True):
        assert new == pytest.approx((old - 0.7 * old.grad).detach().numpy(), abs=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_a_short_step_makes_the_error_smaller(seed: int) -> None:
    network = round_network(np.random.default_rng(seed))
    worked = take_step(network, np.array([0.5, 1.0]), 1.0, 0.1, "absolute")
    assert worked.new_error < worked.error


def test_weights_have_one_digit_and_none_is_nothing() -> None:
    for array in parameters(round_network(np.random.default_rng(0))):
        assert array == pytest.approx(np.round(array, 1))
        assert (array != 0).all()


def test_the_network_stays_as_it_was() -> None:
    network = round_network(np.random.default_rng(0))
    kept = [array.copy() for array in parameters(network)]
    take_step(network, np.array([0.5, 1.0]), 1.0, 0.5, "squared")
    for array, before in zip(parameters(network), kept, strict=True):
        assert np.array_equal(array, before)
