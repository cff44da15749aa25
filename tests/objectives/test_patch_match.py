"""Pieces of a style: a picture is laid of itself as it was; flat ones are laid of stretches."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.objectives import patch_match
from belamy.objectives.patch_match import (
    CELL_SIZE,
    PatchBank,
    extract_patches,
    project_features,
    swap_coherently,
    swap_patches,
)
from belamy.objectives.style_losses import moments_of

BASIS = torch.eye(4, 6)


def features(seed: int, height: int = 12, width: int = 15) -> dict[str, Tensor]:
    """A deep layer, and a finer one that says where it is."""
    deep = torch.randn(1, 6, height, width, generator=make_rng(seed, "features"))
    rows, columns = (
        torch.arange(2 * height)[:, None].expand(2 * height, 2 * width),
        torch.arange(2 * width).expand(2 * height, 2 * width),
    )
    return {"deep": deep, "fine": torch.stack([rows, columns])[None].float()}


def projected(some: dict[str, Tensor]) -> Tensor:
    return project_features(some["deep"], moments_of(some["deep"]), BASIS)


def patches(some: dict[str, Tensor], mask: Tensor | None = None) -> PatchBank:
    return extract_patches(some, projected(some), mask)


def numbers(height: int, width: int, seed: int = 0) -> Tensor:
    size = -(-height // CELL_SIZE), -(-width // CELL_SIZE)
    return torch.randint(2**24, size, generator=make_rng(seed, "cells"))


def test_coordinates_forget_the_moments() -> None:
    x = features(0)["deep"]
    changed = 3 * x + torch.arange(6.0).view(1, 6, 1, 1)
    found = project_features(x, moments_of(x), BASIS)
    torch.testing.assert_close(project_features(changed, moments_of(changed), BASIS), found)
    torch.testing.assert_close(found.mean(dim=(2, 3)), torch.zeros(1, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std(dim=(2, 3), correction=0), torch.ones(1, 4))


def test_a_picture_of_itself_is_itself() -> None:
    some = features(0)
    made = swap_patches(patches(some), projected(some))
    assert made.keys() == some.keys()
    for layer, wanted in some.items():
        torch.testing.assert_close(made[layer], wanted)


def test_what_is_found_elsewhere_is_laid_here() -> None:
    style = features(0)
    content = {"deep": style["deep"].roll((3, 4), (2, 3))}
    made = swap_patches(patches(style), projected(content))["fine"]
    rolled = style["fine"].roll((6, 8), (2, 3))
    torch.testing.assert_close(made[..., 10:20, 12:26], rolled[..., 10:20, 12:26])


def test_nothing_is_taken_where_it_is_not_allowed() -> None:
    style, content = features(0), features(1)
    mask = torch.zeros(12, 15, dtype=torch.bool)
    mask[4:8, 4:8] = True
    made = swap_patches(patches(style, mask), projected(content), numbers(12, 15))["fine"]
    # a piece is three places wide: its middle is mask
    assert float(made.min()) >= 2 * 3
    assert float(made.max()) <= 2 * 8 + 1


def test_a_flat_picture_is_laid_of_stretches() -> None:
    """What stands on two neighbours stood together in the style nearly everywhere."""
    style = features(0, 40, 40)
    style["deep"] = torch.nn.functional.interpolate(style["deep"][..., :6, :6], 40, mode="bicubic")
    flat = 0.01 * torch.randn(1, 4, 32, 32, generator=make_rng(3, "flat")) + 0.5
    alone = swap_patches(patches(style), flat)["fine"]
    together = swap_patches(patches(style), flat, numbers(32, 32))["fine"]

    def going_on(made: Tensor) -> float:
        steps = made[0, 1, :, 2::2] - made[0, 1, :, 1:-1:2]  # from one place to the next
        return float(((steps - 1).abs() < 1e-3).float().mean())

    assert going_on(together) > 0.15 > 0.05 > going_on(alone)
    assert len(set(together[0, 1].flatten().tolist())) > 2 * 16


def test_numbers_of_cells_choose_other_stretches() -> None:
    style, flat = features(0, 40, 40), torch.full((1, 4, 32, 32), 0.5)
    first, second = (swap_patches(patches(style), flat, numbers(32, 32, n))["fine"] for n in (0, 1))
    assert not torch.equal(first, second)
    assert torch.equal(first, swap_patches(patches(style), flat, numbers(32, 32))["fine"])


def test_edges_do_not_give_way_to_stretches() -> None:
    style = features(0)
    made = swap_patches(patches(style), projected(style), numbers(12, 15))
    torch.testing.assert_close(made["fine"], style["fine"])


def test_pictures_smaller_than_a_piece() -> None:
    style, content = features(0, 1, 2), features(1, 2, 1)
    made = swap_patches(patches(style), projected(content), numbers(2, 1))
    assert made["fine"].shape == (1, 2, 4, 2)
    assert all(bool(x.isfinite().all()) for x in made.values())


def test_large_styles_are_looked_through_sparsely() -> None:
    style = features(0, 100, 90)
    assert len(patches(style).positions) < 4096
    assert patches(style).grid == (100, 90)


def spots(height: int, width: int) -> list[tuple[int, int]]:
    return [(y, x) for y in range(height) for x in range(width)]


def hashed(cell: int, position: int) -> float:
    """In [0, 1), the same wherever it is computed."""
    number = (cell * 0x9E3779B1 + position * 0x85EBCA6B) % 2**32
    number = ((number ^ number >> 15) * 0x2C1B3C6D) % 2**32
    number = ((number ^ number >> 13) * 0x297A2D39) % 2**32
    return (number ^ number >> 16) / 2**32


def matches(bank: PatchBank, content: Tensor, cells: Tensor) -> dict[tuple[int, int], int]:
    """Spot of the content → position of the style, step by step."""
    height, width = content.shape[-2:]
    rows, columns = bank.grid
    beyond = torch.nn.functional.pad(content[0], [1] * 4, mode="replicate")
    patch = {(y, x): beyond[:, y : y + 3, x : x + 3] for y, x in spots(height, width)}
    query = {spot: one.flatten() / one.norm() for spot, one in patch.items()}
    relief = {spot: one.flatten(1).var(1, correction=0).mean() for spot, one in patch.items()}
    flat = {spot: math.exp(-float(one) / 0.6**2) for spot, one in relief.items()}
    keys = bank.keys[bank.positions]

    def middle(cell: tuple[int, int]) -> tuple[int, int]:
        return min(8 * cell[0] + 4, height - 1), min(8 * cell[1] + 4, width - 1)

    origin = {}
    for cell in spots(*cells.shape):
        noise = [hashed(int(cells[cell]), int(one)) for one in bank.positions]
        amount = 0.3 + 0.6 * flat[middle(cell)]
        around = mean_around(flat, middle(cell), (height, width))
        restless = (around - bank.flatness[bank.positions]).clamp_min(0)
        score = keys @ query[middle(cell)] + amount * torch.tensor(noise) - 0.1 * restless
        origin[cell] = divmod(int(bank.positions[int(score.argmax())]), columns)
    found: dict[tuple[int, int], list[tuple[int, float]]] = {}  # four candidates, and their costs
    for y, x in spots(height, width):
        above, left = (1 if place % 8 >= 4 else -1 for place in (y, x))
        found[y, x] = []
        for down, right in ((0, 0), (0, left), (above, 0), (above, left)):
            cell = (
                min(max(y // 8 + down, 0), cells.shape[0] - 1),
                min(max(x // 8 + right, 0), cells.shape[1] - 1),
            )
            row, column = (
                start + place - centre
                for start, place, centre in zip(origin[cell], (y, x), middle(cell), strict=True)
            )
            source = row * columns + column
            inside = 0 <= row < rows and 0 <= column < columns
            source = source if inside else 0
            inside = inside and bool(bank.mask[source])
            cosine = float(query[y, x] @ bank.keys[source]) if inside else -2.0
            found[y, x].append((source, (0.05 if (down, right) != (0, 0) else 0) - cosine))
    chosen = cut_seams(bank, found, flat)
    result = {}
    for spot in spots(height, width):
        source, cost = found[spot][chosen[spot]]
        alone = keys @ query[spot]
        goes_on = -cost > float(alone.max()) - 0.7 * flat[spot]
        result[spot] = source if goes_on else int(bank.positions[int(alone.argmax())])
    return result


def mean_around(
    flat: dict[tuple[int, int], float], spot: tuple[int, int], size: tuple[int, int]
) -> float:
    """Of five by five; edges go on."""
    reach = range(-2, 3)
    values = [
        flat[min(max(spot[0] + y, 0), size[0] - 1), min(max(spot[1] + x, 0), size[1] - 1)]
        for y, x in itertools.product(reach, reach)
    ]
    return sum(values) / len(values)


def cut_seams(
    bank: PatchBank,
    found: dict[tuple[int, int], list[tuple[int, float]]],
    flat: dict[tuple[int, int], float],
) -> dict[tuple[int, int], int]:
    """Spot → the candidate that a message from each neighbour prefers."""
    last = len(bank.keys) - 1

    def seam(here: int, there: int, step: int) -> float:
        """Between a candidate and one of the neighbour to the right, or below."""
        going_on, coming_from = (
            bank.keys[min(max(place, 0), last)] for place in (here + step, there - step)
        )
        alike = going_on @ bank.keys[there] + bank.keys[here] @ coming_from
        return 0.3 * (2 - float(alike))

    ways = {(0, 1): 1, (0, -1): 1, (1, 0): bank.grid[1], (-1, 0): bank.grid[1]}
    arrived = {(spot, way): [0.0] * 4 for spot in found for way in ways}  # by where they go
    for _ in range(1):
        sent = {}
        for spot, (way, step) in itertools.product(found, ways.items()):
            to = spot[0] + way[0], spot[1] + way[1]
            if to not in found:
                continue
            own = [
                cost + sum(arrived[spot, one][k] for one in ways if one != (-way[0], -way[1]))
                for k, (_, cost) in enumerate(found[spot])
            ]
            ahead = sum(way) > 0
            weight = min(flat[spot], flat[to])
            message = [
                min(
                    one + weight * (seam(here, there, step) if ahead else seam(there, here, step))
                    for one, (here, _) in zip(own, found[spot], strict=True)
                )
                for there, _ in found[to]
            ]
            sent[to, way] = [one - min(message) for one in message]
        arrived |= sent
    totals = {
        spot: [
            cost + sum(arrived[spot, way][k] for way in ways)
            for k, (_, cost) in enumerate(found[spot])
        ]
        for spot in found
    }
    return {spot: total.index(min(total)) for spot, total in totals.items()}


@pytest.mark.parametrize("masked", [False, True])
def test_stretches_are_chosen_step_by_step(masked: bool) -> None:
    style, height, width = features(0, 20, 22), 19, 21
    mask = None
    if masked:
        mask = torch.rand(20, 22, generator=make_rng(1, "mask")) < 0.8
    bank = patches(style, mask)
    content = projected(features(1, height, width))
    content[..., 6:] *= torch.linspace(1, 0.1, 15)  # flatter and flatter to the right
    cells = numbers(height, width)
    match = matches(bank, content, cells)
    expected = torch.zeros(2, height, width)
    deep = style["deep"][0, :2]
    for y, x in spots(height, width):
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            near = min(max(y - down, 0), height - 1), min(max(x - right, 0), width - 1)
            row, column = divmod(match[near], 22)
            row, column = row + y - near[0], column + x - near[1]
            weight = (0.6 if down == 0 else 0.2) * (0.6 if right == 0 else 0.2)
            expected[:, y, x] += weight * deep[:, min(max(row, 0), 19), min(max(column, 0), 21)]
    torch.testing.assert_close(swap_patches(bank, content, cells)["deep"][0, :2], expected)


def test_overlaps_are_blended_without_a_step() -> None:
    """Two plains side by side: what is laid goes from the one to the other, and never jumps."""
    style = {"deep": torch.zeros(1, 6, 12, 12), "fine": torch.zeros(1, 1, 96, 96)}
    style["deep"][:, :, :, 6:] = 1.0
    style["fine"][..., 48:] = 1.0
    style["deep"] += 0.01 * torch.randn(1, 6, 12, 12, generator=make_rng(0, "grain"))
    content = projected(style).flip(3)  # the plains in each other's place
    made = swap_patches(patches(style), content)["fine"][0, 0, 48]
    assert float(made[0]) == pytest.approx(1)
    assert float(made[-1]) == pytest.approx(0)
    assert float(made.diff().abs().max()) < 0.13  # of an eighth of a position


def test_something_is_seldom_laid_in_the_midst_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A style that is half plain and half wild: a plain picture takes of the plain half."""
    wild = features(0, 40, 40)["deep"]
    wild[..., 20:] = 0.02 * wild[..., 20:]
    rows = torch.arange(40.0).expand(1, 1, 40, 40)  # which column it is from
    bank = patches({"deep": wild, "fine": rows.clone()})
    flat = 0.01 * torch.randn(1, 4, 32, 32, generator=make_rng(3, "flat"))

    def part_of_the_plain(weight: float) -> float:
        monkeypatch.setattr(patch_match, "_RESTLESS", weight)
        made = swap_patches(bank, flat, numbers(32, 32))["fine"]
        return float((made > 19).float().mean())

    assert part_of_the_plain(2.0) > 0.8 > 0.6 > part_of_the_plain(0.0)


def test_hard_overlaps_are_means_of_nine_patches_and_soft_ones_are_not() -> None:
    bank, content = patches(features(6, 7)), projected(features(6, 7))
    hard, soft = (
        swap_coherently(bank, content, soft=one).features["fine"] for one in (False, True)
    )
    assert not torch.equal(hard, soft)
    torch.testing.assert_close(hard.mean(), soft.mean(), atol=0.1, rtol=0.1)
