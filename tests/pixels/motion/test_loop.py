from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from belamy.pixels.motion.loop import Return
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.motion.resample import move

FIRST = RenderedFilm(64, 96).frame(0)
WAY = Return(frames=60, fps=12.0, zoom=1.08, degrees=2.0, shift=(1.5, -0.5))
INNER = (..., slice(20, -20), slice(30, -30))


def moved(image: Tensor, way: Return) -> Tensor:
    return move(image, zoom=way.zoom, degrees=way.degrees, shift=way.shift)


def test_the_first_frame_moves_as_the_journey_does_until_it_is_there() -> None:
    ahead = [WAY._ahead(FIRST, left) for left in (3, 2, 1)]
    for before, now in zip(ahead, [*ahead[1:], FIRST], strict=True):
        assert float((moved(before, WAY) - now)[INNER].abs().mean()) < 0.01


@pytest.mark.parametrize("left", [1, 3, 6])
def test_what_counts_as_the_first_frame_lies_where_it_lies(left: int) -> None:
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(96.0), indexing="ij")
    ball = (-((columns - 60) ** 2 + (rows - 25) ** 2) / 50).exp()[None, None].expand(1, 3, -1, -1)
    there = WAY._ahead(ball, left)[0, 0]
    y, x = divmod(int(there.argmax()), 96)
    distance = WAY._distance(FIRST, left)
    across, along = abs(60 - 47.5) / 48, abs(25 - 31.5) / 32
    assert float(distance[y, x]) == pytest.approx((across**4 + along**4) ** 0.25, abs=0.08)


def test_it_begins_small_and_ends_as_the_first_frame_alone() -> None:
    grey = torch.full_like(FIRST, 0.5)
    way = Return(frames=120, fps=12.0, zoom=1.08, degrees=0.0, shift=(0.0, 0.0))
    assert way.length == 28  # in which it becomes 8 times as large
    assert torch.equal(way.put(grey, FIRST, 29), grey)
    image, shares = grey, []
    for left in range(28, 0, -1):
        image = way.put(moved(image, way).clamp(0, 1), FIRST, left)
        shares.append(float(way._opacity(FIRST, left, left).mean()))
    assert shares[5] < 0.01
    assert shares[-1] > 0.98
    assert max(b - a for a, b in pairwise(shares)) < 0.2
    assert float((image - way._ahead(FIRST, 1)).abs().mean()) < 0.01
    # where the two meet, neither shows the mirrored picture beyond the first frame's borders
    half = way._opacity(FIRST, 14, 14)
    assert float(half[0].max()) == 0 == float(half[:, 0].max())


@pytest.mark.parametrize(
    ("zoom", "length"), [(1.0, 12), (0.95, 12), (1.001, 12), (1.02, 60), (1.08, 28)]
)
def test_a_zoom_that_is_too_slow_for_it_fades_in_a_second(zoom: float, length: int) -> None:
    assert Return(120, 12.0, zoom, 0.0, (0.0, 0.0)).length == length
