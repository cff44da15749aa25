"""Each alarm is provoked, and none is raised where all is well."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.engines.gan.monitor import CollapseMonitor


def pictures(count: int = 60, side: int = 16) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 4, 4, generator=rng)
    return torch.nn.functional.interpolate(coarse, side)


def bytes_of(images: Tensor) -> Tensor:
    return (images * 255).byte().permute(0, 2, 3, 1)


def looks(monitor: CollapseMonitor, samples: Tensor, seen: int = 100_000) -> list[list[str]]:
    return [monitor.check(samples, seen)[1] for _ in range(4)]


def test_alarm_collapse() -> None:
    monitor = CollapseMonitor(bytes_of(pictures()))
    same = pictures(1).expand(40, -1, -1, -1) + torch.rand(40, 3, 16, 16) / 50
    said = looks(monitor, same.flip(-2))
    assert [len(one) for one in said] == [0, 0, 1, 0]  # once, after three looks
    assert said[2][0].startswith("collapse: the samples differ")


def test_alarm_collapse_within_kinds() -> None:
    """One picture of each kind: far apart, and yet alike."""
    labels = torch.arange(60) % 4
    monitor = CollapseMonitor(bytes_of(pictures() / 4 + labels.view(-1, 1, 1, 1) / 5), labels)
    drawn = torch.arange(40) % 4
    noise = torch.rand((40, 3, 16, 16), generator=torch.Generator().manual_seed(1)) / 50
    same = pictures(1).flip(-2) / 4 + drawn.view(-1, 1, 1, 1) / 5 + noise
    measures = [monitor.check(same, 100_000, labels)[0] for labels in (drawn, None)]
    assert measures[0]["diversity"] < 0.2 < 1 < measures[1]["diversity"]
    said = [monitor.check(same, 100_000, drawn)[1] for _ in range(3)]
    assert said[2][0].startswith("collapse: the samples differ")


def test_alarm_copying() -> None:
    monitor = CollapseMonitor(bytes_of(pictures()))
    said = looks(monitor, pictures()[:40].flip(-1))  # mirrored copies are copies
    assert said[2][0].startswith("copying: 100% of the samples")


def test_alarm_discriminator_has_won() -> None:
    monitor = CollapseMonitor(bytes_of(pictures()))
    others = 1 - pictures(100)[60:]
    said = []
    for _ in range(3):
        for _ in range(10):
            monitor.count(1.0)
        said.append(monitor.check(others, 100_000)[1])
    assert said[2][0].startswith("the discriminator has won: it tells 100.0%")


def test_no_alarm_where_all_is_well() -> None:
    monitor = CollapseMonitor(bytes_of(pictures()))
    monitor.count(0.6)
    others = pictures(100)[60:]
    assert looks(monitor, others) == [[], [], [], []]
    measures, _ = monitor.check(others, 100_000)
    assert 0.8 < measures["diversity"] < 1.2
    assert measures["novelty"] > 0.8


def test_no_alarm_before_anything_was_learned() -> None:
    monitor = CollapseMonitor(bytes_of(pictures()))
    assert looks(monitor, torch.full((40, 3, 16, 16), 0.5), seen=100) == [[], [], [], []]


@pytest.mark.parametrize(("spread", "collapsed"), [(0.30, True), (0.40, False)])
def test_collapse_is_below_35_hundredths_of_the_real_distances(
    spread: float, collapsed: bool
) -> None:
    monitor = CollapseMonitor(bytes_of(pictures()))
    others = pictures(100)[60:]
    scale = spread / monitor.check(others, 100_000)[0]["diversity"]
    samples = others.mean(0) + scale * (others - others.mean(0))
    assert monitor.check(samples, 100_000)[0]["diversity"] == pytest.approx(spread, rel=1e-3)
    said = [line for lines in looks(monitor, samples) for line in lines]
    assert any(line.startswith("collapse") for line in said) == collapsed


@pytest.mark.parametrize(("copies", "alarmed"), [(12, True), (8, False)])
def test_a_quarter_of_copies_is_copying(copies: int, alarmed: bool) -> None:
    monitor = CollapseMonitor(bytes_of(pictures()))
    samples = torch.cat([pictures()[:copies], pictures(100)[60 + copies :]])
    said = [line for lines in looks(monitor, samples) for line in lines]
    assert any(line.startswith("copying") for line in said) == alarmed


@pytest.mark.parametrize(("mean", "won"), [(0.97, True), (0.95, False)])
def test_a_discriminator_has_won_that_tells_98_of_100(mean: float, won: bool) -> None:
    monitor = CollapseMonitor(bytes_of(pictures()))
    others, said = pictures(100)[60:], []
    for _ in range(3):
        monitor.count(mean)
        said += monitor.check(others, 100_000)[1]
    assert any(line.startswith("the discriminator has won") for line in said) == won


def test_novelty_is_one_where_samples_are_as_far_as_pictures_from_each_other() -> None:
    real = pictures()
    monitor = CollapseMonitor(bytes_of(real))
    assert monitor.check(real[:40], 0)[0]["novelty"] == pytest.approx(0, abs=0.05)
    assert monitor.check(pictures(100)[60:], 0)[0]["novelty"] == pytest.approx(1, abs=0.15)
