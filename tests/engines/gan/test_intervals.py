"""How often a generator's training reports, draws its samples and saves."""

from __future__ import annotations

import pytest

from belamy.engines.gan.train import choose_intervals
from belamy.training.trainer import Intervals


@pytest.mark.parametrize(
    ("steps", "intervals"),
    [
        (1, Intervals(1, 1, 1)),
        (60, Intervals(1, 1, 5)),
        (240, Intervals(2, 4, 20)),
        (6_000, Intervals(50, 100, 500)),
        (60_000, Intervals(50, 1_000, 500)),
    ],
)
def test_sixty_looks_and_a_checkpoint_every_500_steps(steps: int, intervals: Intervals) -> None:
    assert choose_intervals(steps) == intervals
