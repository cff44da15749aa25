from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.pixels.augment import (
    GREY,
    Transform,
    compose,
    crop_jitter,
    pad,
    pad_grey,
    random_crop,
    random_shift,
    robust,
    robust_same_size,
    roll,
    roll_back,
    roll_jitter,
    rotate,
    same_size,
    scale,
)

TRANSFORMS: dict[str, Transform] = {
    "roll_jitter": roll_jitter(5),
    "crop_jitter": crop_jitter(3),
    "pad": pad(4),
    "pad_grey": pad_grey(4),
    "scale": scale((0.8, 1.0, 1.3)),
    "rotate": rotate((-20, 5, 13)),
    "robust": robust(),
    "robust_same_size": robust_same_size(),
    "random_crop": random_crop((0.3, 0.8), 7, 0.0),
}
SIZES = [(1, 1), (1, 5), (9, 7), (24, 31)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(height: int, width: int, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=seeded(height)).double()


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("size", SIZES)
def test_transforms_are_reproducible_and_work_on_any_size(name: str, size: tuple[int, int]) -> None:
    image = picture(*size, batch=2)
    results = [TRANSFORMS[name](image, seeded(3)) for _ in range(2)]
    assert torch.equal(*results)
    assert results[0].shape[:2] == (2, 3)
    assert min(results[0].shape) >= 1
    assert results[0].min() >= -1e-9
    assert results[0].max() <= 1 + 1e-9


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS) - {"pad", "pad_grey"}))
def test_transforms_vary_with_the_generator(name: str) -> None:
    image, generator = picture(24, 31), seeded()
    results = [TRANSFORMS[name](image, generator) for _ in range(6)]
    assert any(r.shape != results[0].shape or not torch.equal(r, results[0]) for r in results)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_are_differentiable(name: str) -> None:
    image = picture(3, 4)[:, :1].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: TRANSFORMS[name](x, seeded(1)), image)


def test_roll_back_undoes_roll() -> None:
    image, generator = picture(9, 7), seeded()
    for _ in range(10):
        shift = random_shift(32, generator)
        assert all(-32 <= part <= 32 for part in shift)
        assert torch.equal(roll_back(roll(image, shift), shift), image)


def test_roll_moves_down_and_right() -> None:
    image = torch.zeros(1, 1, 5, 6)
    image[..., 1, 1] = 1
    assert roll(image, (2, 3))[..., 3, 4] == 1


def test_random_shift_reaches_both_ends() -> None:
    generator = seeded()
    drawn = {part for _ in range(200) for part in random_shift(2, generator)}
    assert drawn == {-2, -1, 0, 1, 2}


def test_crop_jitter_is_a_window_of_the_picture() -> None:
    image = picture(9, 7)
    windows = image.unfold(2, 6, 1).unfold(3, 4, 1)  # (1,3,4,4,6,4)
    generator = seeded()
    for _ in range(10):
        found = crop_jitter(3)(image, generator)
        assert found.shape == (1, 3, 6, 4)
        assert (windows == found[:, :, None, None]).all(dim=-1).all(dim=-1).all(dim=1).any()


def test_pads() -> None:
    image = picture(3, 3)
    assert pad(5)(image, seeded()).shape == (1, 3, 13, 13)
    grey = pad_grey(2)(image, seeded())
    assert grey[..., 0, :].eq(GREY).all()
    assert torch.equal(grey[..., 2:-2, 2:-2], image)


def test_scale_changes_the_size() -> None:
    assert scale([2.0])(picture(5, 8), seeded()).shape == (1, 3, 10, 16)
    image = picture(5, 8)
    torch.testing.assert_close(scale([1.0])(image, seeded()), image)


def test_rotate_by_a_quarter_is_exact_and_anticlockwise() -> None:
    image = picture(6, 6)
    torch.testing.assert_close(rotate([90])(image, seeded()), torch.rot90(image, 1, (2, 3)))
    torch.testing.assert_close(rotate([0])(image, seeded()), image)


def test_rotate_does_not_stretch_an_oblong_picture() -> None:
    image = torch.zeros(1, 1, 21, 41)
    image[..., 10, 28] = 1  # 8 px right of the middle
    turned = rotate([90], "zeros")(image, seeded())
    assert turned[..., 2, 20] == pytest.approx(1, abs=1e-4)  # 8 px above the middle
    assert rotate([-90], "zeros")(turned, seeded())[..., 10, 28] == pytest.approx(1, abs=1e-4)


def test_rotate_reflects_into_the_corners() -> None:
    white = torch.ones(1, 3, 16, 16)
    assert rotate([30])(white, seeded()).min() == pytest.approx(1)
    assert rotate([30], "zeros")(white, seeded()).min() == 0


def test_compose_applies_in_order() -> None:
    double: Transform = lambda image, _: image * 2  # noqa: E731
    plus: Transform = lambda image, _: image + 1  # noqa: E731
    assert compose(double, plus)(torch.ones(1), seeded()) == 3
    assert compose()(torch.ones(1), seeded()) == 1


@pytest.mark.parametrize("change", [pad(3), crop_jitter(5), scale([0.7]), scale([1.4])])
def test_same_size_brings_the_size_back(change: Transform) -> None:
    image = picture(11, 8)
    assert same_size(change)(image, seeded()).shape == image.shape


def test_same_size_of_a_pad_is_the_picture() -> None:
    image = picture(11, 8)
    assert torch.equal(same_size(pad(3))(image, seeded()), image)


def test_robust_follows_lucid() -> None:
    sides = {robust()(picture(64, 64), seeded(n)).shape[-1] for n in range(60)}
    # 64 + 24 - 8 = 80, times .9 … 1.1, less 4.
    assert min(sides) == 68
    assert max(sides) == 84


def test_a_robust_flat_picture_of_the_same_size_shows_no_edge() -> None:
    white = torch.ones(1, 3, 24, 31)
    for seed in range(10):
        result = robust_same_size()(white, seeded(seed))
        torch.testing.assert_close(result, white)
        assert robust()(white, seeded(seed)).min() < 0.6


def test_a_crop_is_a_square_about_the_middle() -> None:
    ramp = torch.arange(40.0).expand(1, 3, 30, 40)  # each value is its column
    widths, middles = [], []
    for seed in range(200):
        crop = random_crop((0.5, 0.9), 12, 0.0)(ramp, seeded(seed))
        assert crop.shape == (1, 3, 12, 12)
        torch.testing.assert_close(crop[..., 0, :], crop[..., -1, :])
        widths.append(float(crop[..., -1].mean() - crop[..., 0].mean()) * 12 / 11)
        middles.append(float(crop.mean()))
    assert 0.5 * 30 - 1 <= min(widths) < 0.55 * 30
    assert 0.85 * 30 < max(widths) <= 0.9 * 30 + 1
    assert sum(middles) / 200 == pytest.approx(19.5, abs=1)
    assert 2 < torch.tensor(middles).std() < 0.15 * 40 + 1


def test_a_crop_carries_noise() -> None:
    flat = torch.full((2, 3, 64, 64), 0.5)
    crop = random_crop((0.3, 0.8), 64, 0.1)(flat, seeded())
    assert float((crop - flat).std()) == pytest.approx(0.1 * (1 + 1 / 12) ** 0.5, rel=0.05)
