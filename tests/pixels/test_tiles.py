from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from belamy.errors import OptionError
from belamy.pixels.tiles import (
    apply_tiled,
    available_memory,
    blend_tiles,
    plan,
    random_offset,
    tile_for_memory,
)

# What `network` below sees: 3 +1 (pool) +4 (conv) +2 (pool) +8 (conv), at a stride of 2 · 2.
RECEPTIVE_FIELD, STRIDE = 18, 4


def network() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 6, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 4, 3, padding=1),
    ).double()


def gradient(picture: Tensor) -> Tensor:
    picture = picture.detach().requires_grad_()
    network()(picture).square().sum().backward()
    assert picture.grad is not None
    return picture.grad


def noise(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(height)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    inner=st.integers(1, 30),
    margin=st.integers(0, 12),
    offset=st.tuples(st.integers(-99, 99), st.integers(-99, 99)),
    align=st.sampled_from([1, 2, 8]),
)
@settings(deadline=None)
def test_any_plan_covers_the_picture_once_with_its_margins(
    size: tuple[int, int], inner: int, margin: int, offset: tuple[int, int], align: int
) -> None:
    tile = inner + 2 * margin + align - 1
    covered = torch.zeros(size)
    for part in plan(*size, tile, margin, offset, align):
        covered[part.keep] += 1
        for crop, keep, side, length in zip(part.crop, part.keep, part.inner, size, strict=True):
            assert crop.start % align == 0
            assert crop.start == 0 or crop.start <= keep.start - margin
            assert crop.stop == min(length, keep.stop + margin) or length <= tile
            assert crop.stop - crop.start <= tile
            assert (side.start + crop.start, side.stop + crop.start) == (keep.start, keep.stop)
    assert covered.eq(1).all()


def test_a_picture_no_larger_than_a_tile_is_one_tile() -> None:
    (part,) = plan(40, 30, tile=40, margin=16, offset=(7, 9), align=8)
    assert part.crop == part.keep == (slice(0, 40), slice(0, 30))


def test_offsets_move_the_cuts() -> None:
    def cuts(offset: int) -> set[int]:
        return {part.keep[1].start for part in plan(8, 64, 24, 4, (0, offset))}

    assert cuts(0) == {0, 16, 32, 48}
    assert cuts(5) == {0, 5, 21, 37, 53}


def test_plan_refuses_a_tile_that_is_all_margin_and_names_one_that_is_not() -> None:
    with pytest.raises(OptionError, match="take 33 or more"):
        plan(100, 100, tile=30, margin=16, offset=(0, 0))
    assert plan(40, 40, tile=33, margin=16, offset=(0, 0))


def test_random_offset_is_reproducible_and_moves_both_ways() -> None:
    generator = torch.Generator().manual_seed(3)
    offsets = [random_offset(64, generator) for _ in range(20)]
    again = torch.Generator().manual_seed(3)
    assert offsets == [random_offset(64, again) for _ in range(20)]
    for axis in zip(*offsets, strict=True):
        assert len(set(axis)) > 5
        assert set(axis) <= set(range(64))


@pytest.mark.parametrize("offset", [(0, 0), (5, 11), (13, 2)])
@pytest.mark.parametrize("size", [(75, 61), (64, 96)])
def test_tiled_gradient_is_the_whole_gradient_up_to_the_border(
    size: tuple[int, int], offset: tuple[int, int]
) -> None:
    image = noise(*size)
    whole = gradient(image)
    found = apply_tiled(gradient, image, 52, RECEPTIVE_FIELD - 1, offset, align=STRIDE)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-12)


def test_without_alignment_or_margin_tiles_are_not_exact() -> None:
    image = noise(75, 61)
    whole = gradient(image)
    unaligned = apply_tiled(gradient, image, 49, RECEPTIVE_FIELD - 1, (5, 11))
    assert (unaligned - whole).abs().max() > 1e-6
    narrow = apply_tiled(gradient, image, 32, RECEPTIVE_FIELD // 2 - 1, (5, 11), align=STRIDE)
    assert (narrow - whole).abs().max() > 1e-6


def test_tiled_takes_its_channels_and_dtype_from_the_function() -> None:
    image = noise(20, 30).float()
    result = apply_tiled(lambda crop: crop[:, :1].double(), image, 12, 2)
    assert result.dtype == torch.float64
    torch.testing.assert_close(result, image[:, :1].double(), rtol=0, atol=0)


@pytest.mark.parametrize("shift", [(0, 0), (5, -9), (-31, 40), (7, 0)])
@pytest.mark.parametrize("tile", [20, 64])
def test_a_rolled_picture_is_cut_without_being_copied(tile: int, shift: tuple[int, int]) -> None:
    image = torch.rand(1, 3, 41, 47, generator=torch.Generator().manual_seed(2))
    seen, found = list[Tensor](), list[Tensor]()

    def look(crop: Tensor, into: list[Tensor]) -> Tensor:
        into.append(crop.clone())
        return crop * len(into)  # what each crop gives is its own

    rolled = torch.roll(image, shift, dims=(-2, -1))
    expected = apply_tiled(lambda crop: look(crop, seen), rolled, tile, 4, (3, 6), 2)
    own = apply_tiled(lambda crop: look(crop, found), image, tile, 4, (3, 6), 2, shift)
    assert torch.equal(torch.roll(own, shift, dims=(-2, -1)), expected)
    assert all(torch.equal(a, b) for a, b in zip(found, seen, strict=True))


def test_tiled_carries_no_gradient() -> None:
    image = noise(20, 20).requires_grad_()
    assert not apply_tiled(lambda crop: crop * 2, image, 12, 2).requires_grad


@pytest.mark.parametrize("offset", [(0, 0), (3, 8)])
@pytest.mark.parametrize("margin", [0, 1, 5])
def test_blending_equal_parts_gives_the_picture(margin: int, offset: tuple[int, int]) -> None:
    image = noise(41, 33)
    blended = blend_tiles(lambda crop: crop, image, 20, margin, offset, align=2)
    torch.testing.assert_close(blended, image)


def test_blending_fades_where_hard_cuts_would_jump() -> None:
    def shade(crop: Tensor) -> Tensor:
        calls.append(crop)
        return torch.full_like(crop, float(len(calls) % 2))

    calls: list[Tensor] = []
    hard = apply_tiled(shade, noise(16, 64), 24, 4).diff(dim=-1).abs().max()
    calls.clear()
    soft = blend_tiles(shade, noise(16, 64), 24, 4).diff(dim=-1).abs().max()
    assert hard == 1
    assert soft < 0.2


def test_two_crops_fade_over_twice_the_margin() -> None:
    calls: list[Tensor] = []

    def shade(crop: Tensor) -> Tensor:
        calls.append(crop)
        return torch.full_like(crop, float(len(calls) - 1))

    blended = blend_tiles(shade, noise(4, 36), 24, 6, (0, 12))  # cut at 24 of 36, by 12 each
    cut = [(part.crop[1].start, part.crop[1].stop) for part in plan(4, 36, 24, 6, (0, 12))]
    assert cut == [(0, 18), (6, 30), (18, 36)]
    first = blended[0, 0, 0, :18].float()
    torch.testing.assert_close(first[:6], torch.zeros(6))
    # both fall straight over 12 pixels, one as the other rises
    expected = (torch.arange(12) + 0.5) / 12
    torch.testing.assert_close(first[6:18], expected)


def test_tile_for_memory_uses_half_and_grows_with_it() -> None:
    assert tile_for_memory(1000, 2 * 1000 * 300**2) == 300
    assert tile_for_memory(1000, 2 * 1000 * 300**2, align=16) == 288
    assert tile_for_memory(1000, 8 * 1000 * 300**2) == 600
    assert tile_for_memory(1000, 10) == 128
    assert tile_for_memory(1000, 10, smallest=32) == 32


def machine(root: Path, files: dict[str, str]) -> Path:
    files = {"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable: 4000 kB\n", **files}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_available_memory_without_groups(tmp_path: Path) -> None:
    assert available_memory(torch.device("cpu"), machine(tmp_path, {})) == 4000 * 1024


def test_available_memory_in_a_group_of_version_2(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "proc/self/cgroup": "0::/outer/inner\n",
            "sys/fs/cgroup/outer/inner/memory.max": "max\n",
            "sys/fs/cgroup/outer/inner/memory.current": "5\n",
            "sys/fs/cgroup/outer/memory.max": "100000\n",
            "sys/fs/cgroup/outer/memory.current": "40000\n",
            "sys/fs/cgroup/outer/memory.stat": "anon 30000\ninactive_file 10000\n",
        },
    )
    assert available_memory(torch.device("cpu"), root) == 70000


def test_available_memory_in_a_group_of_version_1(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "proc/self/cgroup": "8:pids:/\n4:cpu,memory:/job\n0::/\n",
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "9000\n",
            "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "9500\n",
        },
    )
    assert available_memory(torch.device("cpu"), root) == 0


def test_available_memory_of_this_machine_and_of_an_unknown_one(tmp_path: Path) -> None:
    assert available_memory(torch.device("cpu")) > 0
    assert available_memory(torch.device("cpu"), tmp_path) > 0


@pytest.mark.gpu
def test_available_memory_of_a_card() -> None:
    assert available_memory(torch.device("cuda")) > 0
