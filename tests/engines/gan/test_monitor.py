"""Each alarm is provoked, and none is raised where all is well."""

from __future__ import annotations

import torch
from torch import Tensor

from belamy.engines.gan.monitor import Alarms


def pictures(count: int = 60, side: int = 16) -> Tensor:
    chance = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 4, 4, generator=chance)
    return torch.nn.functional.interpolate(coarse, side)


def bytes_of(images: Tensor) -> Tensor:
    return (images * 255).byte().permute(0, 2, 3, 1)


def looks(alarms: Alarms, samples: Tensor, seen: int = 100_000) -> list[list[str]]:
    return [alarms.look(samples, seen)[1] for _ in range(4)]


def test_alarm_collapse() -> None:
    alarms = Alarms(bytes_of(pictures()))
    same = pictures(1).expand(40, -1, -1, -1) + torch.rand(40, 3, 16, 16) / 50
    said = looks(alarms, same.flip(-2))
    assert [len(one) for one in said] == [0, 0, 1, 0]  # once, after three looks
    assert said[2][0].startswith("collapse: the samples differ")


def test_alarm_collapse_within_kinds() -> None:
    """One picture of each kind: far apart, and yet alike."""
    kinds = torch.arange(60) % 4
    alarms = Alarms(bytes_of(pictures() / 4 + kinds.view(-1, 1, 1, 1) / 5), kinds)
    drawn = torch.arange(40) % 4
    grain = torch.rand((40, 3, 16, 16), generator=torch.Generator().manual_seed(1)) / 50
    same = pictures(1).flip(-2) / 4 + drawn.view(-1, 1, 1, 1) / 5 + grain
    measures = [alarms.look(same, 100_000, labels)[0] for labels in (drawn, None)]
    assert measures[0]["diversity"] < 0.2 < 1 < measures[1]["diversity"]
    said = [alarms.look(same, 100_000, drawn)[1] for _ in range(3)]
    assert said[2][0].startswith("collapse: the samples differ")


def test_alarm_copying() -> None:
    alarms = Alarms(bytes_of(pictures()))
    said = looks(alarms, pictures()[:40].flip(-1))  # mirrored copies are copies
    assert said[2][0].startswith("copying: 100% of the samples")


def test_alarm_critic_has_won() -> None:
    alarms = Alarms(bytes_of(pictures()))
    others = 1 - pictures(100)[60:]
    said = []
    for _ in range(3):
        for _ in range(10):
            alarms.watch(1.0)
        said.append(alarms.look(others, 100_000)[1])
    assert said[2][0].startswith("the critic has won: it knows 100.0%")


def test_no_alarm_where_all_is_well() -> None:
    alarms = Alarms(bytes_of(pictures()))
    alarms.watch(0.6)
    others = pictures(100)[60:]
    assert looks(alarms, others) == [[], [], [], []]
    measures, _ = alarms.look(others, 100_000)
    assert 0.8 < measures["diversity"] < 1.2
    assert measures["novelty"] > 0.8


def test_no_alarm_before_anything_was_learned() -> None:
    alarms = Alarms(bytes_of(pictures()))
    assert looks(alarms, torch.full((40, 3, 16, 16), 0.5), seen=100) == [[], [], [], []]
