from __future__ import annotations

import pytest
import torch

from belamy.engines.film.schedule import Schedule, blend_stops
from belamy.objectives.objective import Objective


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_weights_add_up_and_each_stop_is_alone_in_the_middle_of_its_part(
    count: int, loop: bool
) -> None:
    for tick in range(41):
        stops = blend_stops(count, tick / 40, loop)
        assert sum(weight for _, weight in stops) == pytest.approx(1)
        assert {index for index, _ in stops} <= set(range(count))
    for index in range(count):
        ((found, weight),) = blend_stops(count, (index + 0.5) / count, loop)
        assert (found, weight) == (index, 1)


def test_a_loop_passes_from_the_last_stop_to_the_first() -> None:
    assert dict(blend_stops(3, 0.0, True)) == pytest.approx({2: 0.5, 0: 0.5})
    assert dict(blend_stops(3, 0.0, False)) == {0: 1}
    assert blend_stops(0, 0.5, True) == []


def test_parts_count_alike_whatever_their_numbers() -> None:
    loud = Objective(lambda a: -1000 * a["x"].square().mean(), frozenset({"x"}), "loud")
    calm = Objective(lambda a: -a["y"].square().mean(), frozenset({"y"}), "calm")
    schedule = Schedule([[loud], [calm]], [], loop=False)
    x, y = (torch.full((1, 1, 2, 2), 2.0, requires_grad=True) for _ in range(2))
    schedule.at(0.5)({"x": x, "y": y}).backward()
    assert x.grad is not None
    assert y.grad is not None
    torch.testing.assert_close(x.grad, y.grad)
    assert schedule.at(0.0) is loud
