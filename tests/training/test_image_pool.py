"""The pool of made pictures."""

from __future__ import annotations

import torch

from belamy.devices import make_rng
from belamy.training.image_pool import ImagePool


def flat(*levels: float) -> torch.Tensor:
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)


def test_it_fills_first_and_then_gives_older_ones_back_half_of_the_time() -> None:
    buffers: dict[str, torch.Tensor] = {}
    pool = ImagePool(buffers, "judge", 10, 4)
    for step in range(10):
        fresh = flat(float(step))
        assert torch.equal(pool.exchange(fresh, make_rng(0, step)), fresh)
    older = 0
    for step in range(10, 210):
        (shown,) = pool.exchange(flat(float(step)), make_rng(0, step))
        older += int(shown.mean() != step)
    assert 70 < older < 130
    assert buffers["judge-filled"].tolist() == [10]
    assert buffers["judge-pictures"].mean(dim=(1, 2, 3)).max() > 150  # it is kept up to date


def test_what_is_shown_does_not_change_with_the_pool() -> None:
    pool = ImagePool({}, "judge", 1, 4)
    pool.exchange(flat(1.0), make_rng(0))
    shown = [pool.exchange(flat(float(n)), make_rng(0, n)) for n in range(2, 12)]
    levels = [float(one.mean()) for one in shown]
    assert all(float(one.std()) == 0 for one in shown)
    assert levels != sorted(levels) or 1.0 in levels


def test_the_same_chance_gives_the_same() -> None:
    found = []
    for _ in range(2):
        pool = ImagePool({}, "judge", 2, 4)
        found.append([pool.exchange(flat(n, n + 0.5), make_rng(3, n)) for n in range(8)])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def test_a_pool_of_nothing_hands_all_through() -> None:
    buffers: dict[str, torch.Tensor] = {}
    pool = ImagePool(buffers, "judge", 0, 4)
    for step in range(5):
        assert float(pool.exchange(flat(float(step)), make_rng(0)).mean()) == step
    assert buffers == {}
