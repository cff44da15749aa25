"""Box means and guided filters: against plain loops, and what a person would see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import OptionError
from belamy.pixels.guided import box_filter, denoise, guided_filter, guided_upsample


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=make_rng(seed, "test"))


def step_edge(side: int = 40) -> Tensor:
    """Dark on the left, light on the right."""
    image = torch.full((1, 3, side, side), 0.2)
    image[..., side // 2 :] = 0.8
    return image


@pytest.mark.parametrize("radius", [0, 1, 3, 50])
def test_box_means_by_hand(radius: int) -> None:
    image = noise(1, 2, 9, 13)
    wanted = torch.empty_like(image)
    for y in range(9):
        for x in range(13):
            window = image[..., max(0, y - radius) : y + radius + 1, max(0, x - radius) :]
            wanted[..., y, x] = window[..., : min(x, radius) + radius + 1].mean(dim=(-2, -1))
    assert torch.allclose(box_filter(image, radius), wanted, atol=1e-6)


def test_sums_over_long_rows_keep_their_digits() -> None:
    image = torch.full((1, 1, 2, 20_000), 0.7)
    assert torch.allclose(box_filter(image, 2), image, atol=1e-6)


def dense(guide: Tensor, target: Tensor, radius: int, epsilon: float) -> Tensor:
    """The paper's equations, window by window."""
    height, width = guide.shape[-2:]
    g, t = guide[0].double().numpy(), target[0, 0].double().numpy()
    sums, counts = np.zeros((height, width)), np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            part = np.s_[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            colours, values = g[(slice(None), *part)].reshape(len(g), -1), t[part].reshape(-1)
            spread = np.cov(colours, bias=True).reshape(len(g), len(g)) + epsilon * np.eye(len(g))
            shared = (colours * values).mean(1) - colours.mean(1) * values.mean()
            slope = np.linalg.solve(spread, shared)
            offset = values.mean() - slope @ colours.mean(1)
            sums[part] += np.tensordot(slope, g[(slice(None), *part)], 1) + offset
            counts[part] += 1
    return torch.from_numpy(sums)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_equations_of_the_paper(channels: int) -> None:
    guide, target = noise(1, channels, 12, 15), noise(1, 1, 12, 15, seed=1)
    ours = guided_filter(guide, target, radius=30, epsilon=0.01)
    # With one window for all pixels the means over windows fall away.
    wanted = dense(guide, target, 30, 0.01) / (12 * 15)
    assert torch.allclose(ours[0, 0].double(), wanted, atol=1e-5)


def test_small_windows_away_from_the_borders() -> None:
    guide, target = noise(1, 3, 16, 17), noise(1, 1, 16, 17, seed=1)
    ours = guided_filter(guide, target, radius=2, epsilon=0.01)
    wanted = dense(guide, target, 2, 0.01) / 25
    inner = (slice(4, -4), slice(4, -4))
    assert torch.allclose(ours[0, 0].double()[inner], wanted[inner], atol=1e-5)


def test_noise_is_smoothed_and_edges_of_the_guide_stay() -> None:
    guide = step_edge()
    target = guide[:, :1] + 0.1 * (noise(1, 1, 40, 40) - 0.5)
    ours = guided_filter(guide, target, radius=6, epsilon=1e-3)
    assert float((ours - guide[:, :1]).abs().mean()) < 0.2 * float(
        (target - guide[:, :1]).abs().mean()
    )
    assert float(ours[..., 20].mean() - ours[..., 19].mean()) > 0.55


def test_three_channels_see_edges_between_equally_bright_colours() -> None:
    guide = torch.zeros(1, 3, 30, 30)
    guide[:, 0, :, :15], guide[:, 1, :, 15:] = 0.6, 0.6
    target = (torch.arange(30) >= 15).float().expand(1, 1, 30, 30)
    in_colour = guided_filter(guide, target, radius=5, epsilon=1e-3)
    in_grey = guided_filter(guide.mean(1, keepdim=True), target, radius=5, epsilon=1e-3)
    assert float(in_colour[..., 15].mean() - in_colour[..., 14].mean()) > 0.9
    assert float(in_grey[..., 15].mean() - in_grey[..., 14].mean()) < 0.3


def test_subsampled_it_is_nearly_the_same() -> None:
    guide = F.interpolate(noise(1, 3, 12, 16), (96, 128), mode="bicubic").clamp(0, 1)
    target = guide.mean(1, keepdim=True).square()
    whole = guided_filter(guide, target, radius=16, epsilon=1e-3)
    fast = guided_filter(guide, target, radius=16, epsilon=1e-3, subsample=4)
    assert fast.shape == whole.shape
    assert float((fast - whole).abs().max()) < 0.08
    assert float((fast - whole).abs().mean()) < 0.01


def test_a_small_map_is_enlarged_along_the_edges() -> None:
    guide = step_edge(64)
    small = F.interpolate(guide[:, :1], (9, 9), mode="area")
    enlarged = guided_upsample(guide, small, radius=2, epsilon=1e-4)
    plain = F.interpolate(small, (64, 64), mode="bilinear")
    truth = guide[:, :1]
    assert float((enlarged - truth).abs().mean()) < 0.5 * float((plain - truth).abs().mean())


def test_grain_goes_and_edges_and_fine_texture_stay() -> None:
    grainy = step_edge(96) + 0.004 * (noise(1, 3, 96, 96) - 0.5)
    made = denoise(grainy, radius=12, noise=0.01)
    far = made[..., :20]  # from the edge
    assert float(far.std()) < 0.5 * float(grainy[..., :20].std())
    assert float(made[..., 48].mean() - made[..., 47].mean()) > 0.59
    stripes = (torch.arange(96) % 2).float().expand(1, 3, 96, 96) * 0.5
    assert torch.allclose(denoise(stripes, radius=12, noise=0.01), stripes, atol=1e-3)
    pixel = torch.full((1, 3, 1, 1), 0.3)
    assert torch.allclose(denoise(pixel, radius=12, noise=0.01), pixel)


def test_a_flat_guide_and_one_pixel() -> None:
    flat = torch.full((1, 3, 1, 7), 0.5)
    assert torch.allclose(guided_filter(flat, flat, radius=3, epsilon=1e-4), flat, atol=1e-5)
    pixel = flat[..., :1]
    fast = guided_filter(pixel, pixel, radius=3, epsilon=1e-4, subsample=4)
    assert torch.allclose(fast, pixel, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"radius": -1, "epsilon": 0.1}, "radius is -1"),
        ({"radius": 2, "epsilon": 0.0}, "epsilon is 0"),
        ({"radius": 2, "epsilon": 0.1, "subsample": 0}, "subsample is 0"),
    ],
)
def test_bad_arguments(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        guided_filter(noise(1, 3, 8, 8), noise(1, 1, 8, 8), **arguments)  # type: ignore[arg-type]


def test_bad_pictures() -> None:
    with pytest.raises(OptionError, match="guide is 8×8"):
        guided_filter(noise(1, 3, 8, 8), noise(1, 1, 8, 9), radius=2, epsilon=0.1)
    with pytest.raises(OptionError, match="2 channels"):
        guided_filter(noise(1, 2, 8, 8), noise(1, 1, 8, 8), radius=2, epsilon=0.1)
    with pytest.raises(OptionError, match="smaller than the map"):
        guided_upsample(noise(1, 3, 4, 4), noise(1, 1, 8, 8), radius=2, epsilon=0.1)
