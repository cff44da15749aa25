"""Learning rates against their formulas, at the first step, in the middle and at the last."""

from __future__ import annotations

import math

import pytest
import torch

from belamy.training.schedules import (
    constant_then_linear,
    cosine_decay,
    linear_warmup,
    one_cycle,
    set_learning_rate,
    set_learning_rates,
    warmup_cosine,
)


def test_a_warmup_is_whole_at_its_last_step_and_stays_so() -> None:
    assert [linear_warmup(step, 4) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert linear_warmup(0, 1) == 1.0


def test_a_cosine_falls_from_one_to_what_is_left() -> None:
    values = [cosine_decay(step, 8, final=0.2) for step in range(9)]
    assert values[0] == 1.0
    assert values[4] == pytest.approx(0.6)
    assert values[2] == pytest.approx(0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2)
    assert values[8] == pytest.approx(0.2)
    assert values == sorted(values, reverse=True)
    assert cosine_decay(7, 8, final=0.2) > 0.2  # the last step that is taken is not the end yet


def test_both_are_multiplied() -> None:
    for step in (0, 10, 49, 50, 99):
        value = warmup_cosine(step, 100, warmup_steps=50, final=0.01)
        fall = 0.01 + 0.99 * (1 + math.cos(math.pi * step / 100)) / 2
        assert value == pytest.approx(fall * min(1, (step + 1) / 50), rel=1e-15)


def test_half_constant_then_a_line_to_nothing() -> None:
    values = [constant_then_linear(step, 8, constant=0.5) for step in range(9)]
    assert values == pytest.approx([1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0])
    assert constant_then_linear(9, 10, constant=0.0) == pytest.approx(0.1)


def test_one_cycle_rises_to_its_peak_in_a_fifth_and_falls_to_nearly_nothing() -> None:
    assert one_cycle(0, 100, 0.5) == pytest.approx(0.02)
    assert one_cycle(10, 100, 0.5) == pytest.approx(0.26)  # half way from 0.02 to 0.5
    assert one_cycle(20, 100, 0.5) == 0.5
    assert one_cycle(60, 100, 0.5) == pytest.approx(0.5 * (1 + 1e-4) / 2)
    assert one_cycle(100, 100, 0.5) == pytest.approx(0.5e-4)
    rates = [one_cycle(step, 100, 0.5) for step in range(100)]
    assert rates.index(max(rates)) == 20


@pytest.mark.parametrize("total", [1, 2, 5])
def test_a_cycle_of_few_steps_is_one_too(total: int) -> None:
    rates = [one_cycle(step, total, 1.0) for step in range(total)]
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[0] == pytest.approx(1 / 25)


def test_every_group_of_every_optimiser_is_set() -> None:
    weights = [torch.zeros(1, requires_grad=True) for _ in range(3)]
    two = torch.optim.SGD([{"params": weights[:1]}, {"params": weights[1:2]}], lr=1.0)
    one = torch.optim.SGD(weights[2:], lr=1.0)
    set_learning_rate(two, 0.5)
    assert [group["lr"] for group in (*two.param_groups, *one.param_groups)] == [0.5, 0.5, 1.0]
    set_learning_rates({"one": one, "two": two}, 0.25)
    assert [group["lr"] for group in (*two.param_groups, *one.param_groups)] == [0.25] * 3
