from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from belamy.errors import UnknownName
from belamy.pixels.canvas import (
    BOUNDS,
    CANVASES,
    EDGE,
    LUCID_CONTRAST,
    FourierCanvas,
    MacoCanvas,
    PixelCanvas,
    natural_magnitude,
)
from belamy.pixels.colors import decorrelate_colors

SIZES = [(1, 1), (1, 5), (5, 1), (9, 7), (8, 6), (16, 33)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(height: int, width: int) -> Tensor:
    image = torch.rand(1, 3, height, width, generator=seeded(height))
    return (1.4 * image - 0.2).clamp(0, 1)  # some pixels are 0 or 1


@pytest.mark.parametrize("name", CANVASES)
@pytest.mark.parametrize("size", SIZES)
def test_noise_is_a_reproducible_picture(name: str, size: tuple[int, int]) -> None:
    image = CANVASES[name].from_noise(*size, rng=seeded())()
    assert image.shape == (1, 3, *size)
    assert image.dtype == torch.float32
    assert image.min() > 0
    assert image.max() < 1
    assert torch.equal(image, CANVASES[name].from_noise(*size, rng=seeded())())
    assert not torch.equal(image, CANVASES[name].from_noise(*size, rng=seeded(1))())


@pytest.mark.parametrize("name", CANVASES)
def test_a_batch_starts_differently_in_each_picture(name: str) -> None:
    images = CANVASES[name].from_noise(8, 9, rng=seeded(), batch=3)()
    assert images.shape == (3, 3, 8, 9)
    assert not torch.equal(images[0], images[1])


@pytest.mark.parametrize("name", CANVASES)
@pytest.mark.parametrize("size", SIZES)
def test_a_canvas_starts_from_a_picture(name: str, size: tuple[int, int]) -> None:
    image = picture(*size)
    canvas = CANVASES[name].from_image(image)
    torch.testing.assert_close(
        canvas().clamp(EDGE, 1 - EDGE), image.clamp(EDGE, 1 - EDGE), rtol=0, atol=1e-3
    )


@pytest.mark.parametrize("name", CANVASES)
@pytest.mark.parametrize("size", SIZES)
def test_an_optimiser_reaches_another_picture(name: str, size: tuple[int, int]) -> None:
    target = 0.2 + 0.6 * torch.rand(1, 3, *size, generator=seeded(7))
    canvas = CANVASES[name].from_noise(*size, rng=seeded())
    optimiser = torch.optim.Adam(canvas.parameters(), lr=0.05)
    before = (canvas() - target).square().mean().item()
    for _ in range(60):
        optimiser.zero_grad()
        loss = (canvas() - target).square().mean()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.8 * before
    assert canvas().min() >= 0
    assert canvas().max() <= 1


@pytest.mark.parametrize("name", CANVASES)
def test_only_the_picture_is_a_parameter(name: str) -> None:
    canvas = CANVASES[name].from_noise(6, 5, rng=seeded())
    assert len(list(canvas.parameters())) == 1
    assert len(canvas.state_dict()) == 1
    other = CANVASES[name].from_noise(6, 5, rng=seeded(1))
    other.load_state_dict(canvas.state_dict())
    assert torch.equal(other(), canvas())


@pytest.mark.parametrize("bound", BOUNDS)
def test_the_picture_given_is_not_changed_by_the_canvas(bound: str) -> None:
    image = picture(5, 5)
    kept = image.clone()
    canvas = PixelCanvas.from_image(image, bound)
    with torch.no_grad():
        canvas.values.add_(1)
    assert torch.equal(image, kept)


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_bound_keeps_the_picture_in_range_whatever_the_values(bound: str) -> None:
    canvas = PixelCanvas(picture(4, 4), bound)
    with torch.no_grad():
        canvas.values.mul_(1e9).sub_(3e8)
    assert canvas().min() >= 0
    assert canvas().max() <= 1


def test_unknown_bounds_are_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'clamp'"):
        PixelCanvas(picture(2, 2), "clmp")


def test_a_clamped_pixel_comes_back_but_goes_no_further() -> None:
    canvas = PixelCanvas(torch.full((1, 3, 1, 3), 0.5))
    with torch.no_grad():
        canvas.values[..., 1], canvas.values[..., 2] = 1.5, -0.5
    assert canvas()[0, 0, 0].tolist() == [0.5, 1.0, 0.0]
    (canvas().sum()).backward()  # descent darkens: right for the one over white alone
    assert canvas.values.grad is not None
    assert canvas.values.grad[0, 0, 0].tolist() == [1, 1, 0]
    canvas.values.grad = None
    (-canvas().sum()).backward()
    assert canvas.values.grad[0, 0, 0].tolist() == [-1, 0, -1]
    with torch.no_grad():
        assert canvas().shape == (1, 3, 1, 3)


def test_the_spectrum_is_weighed_by_one_over_frequency() -> None:
    canvas = FourierCanvas.from_noise(16, 24, rng=seeded())
    assert canvas.weights.shape == (16, 13)
    assert canvas.weights[0, 0] == pytest.approx(24)  # the mean counts as one wave over 24 px
    assert canvas.weights[0, 2] == pytest.approx(24 / 2)
    assert canvas.weights[4, 0] == pytest.approx(16 / 4)
    assert canvas.weights[-4, 0] == pytest.approx(16 / 4)


def test_fourier_noise_is_smooth_and_of_the_same_contrast_on_every_size() -> None:
    small, large = (
        FourierCanvas.from_noise(side, side, rng=seeded(), batch=8)() for side in (64, 256)
    )
    assert small.std().item() == pytest.approx(large.std().item(), rel=0.5)
    steps = large.diff(dim=-1).square().mean().sqrt()
    assert steps < large.std()  # white noise has √2 times its deviation


@pytest.mark.parametrize("size", [(3, 4), (3, 5), (1, 5)])
def test_canvases_are_differentiable(size: tuple[int, int]) -> None:
    canvas = FourierCanvas.from_image(picture(*size).double()).double()

    def draw(spectrum: Tensor) -> Tensor:
        result = torch.func.functional_call(canvas, {"spectrum": spectrum}, ())
        assert isinstance(result, Tensor)
        return result

    assert torch.autograd.gradcheck(draw, canvas.spectrum.detach().requires_grad_())


@pytest.mark.parametrize("make", [lambda x: PixelCanvas(x, "logit"), FourierCanvas.from_image])
def test_black_and_white_start_half_a_level_of_8_bits_inside(
    make: Callable[[Tensor], nn.Module],
) -> None:
    image = torch.rand(1, 3, 12, 10, generator=seeded())
    image[..., :3], image[..., 3:5] = 0, 1
    shown = make(image)()
    torch.testing.assert_close(shown, image.clamp(1 / 512, 511 / 512), rtol=0, atol=1e-5)
    assert torch.equal((255 * shown).round(), (255 * image).round())


def free_spectrum(image: Tensor) -> Tensor:
    """Of the decorrelated colours of a picture, before the sigmoid."""
    free = LUCID_CONTRAST * decorrelate_colors(image.double().logit())
    return torch.fft.rfft2(free, norm="ortho")


def test_a_maco_canvas_keeps_its_magnitudes_wherever_its_phases_go() -> None:
    canvas = MacoCanvas.from_noise(14, 11, rng=seeded(), batch=2)
    with torch.no_grad():
        canvas.phase.add_(torch.randn(canvas.phase.shape, generator=seeded(1)))
        seen = free_spectrum(canvas()).abs()
    expected = natural_magnitude(14, 11).double().expand_as(seen)
    inner = (..., slice(1, 7), slice(1, None))  # the real ones on the edge have their sign alone
    torch.testing.assert_close(seen[inner], expected[inner], rtol=1e-3, atol=1e-3)


def test_a_maco_canvas_of_a_picture_keeps_the_pictures_magnitudes() -> None:
    image = picture(9, 8).clamp(0.1, 0.9)
    canvas = MacoCanvas.from_image(image)
    torch.testing.assert_close(
        canvas.magnitude.double(), free_spectrum(image).abs(), rtol=1e-3, atol=1e-3
    )


def test_phases_have_a_gradient() -> None:
    canvas = MacoCanvas.from_image(picture(4, 5).double()).double()

    def draw(phase: Tensor) -> Tensor:
        result = torch.func.functional_call(canvas, {"phase": phase}, ())
        assert isinstance(result, Tensor)
        return result

    assert torch.autograd.gradcheck(draw, canvas.phase.detach().requires_grad_())


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 2), (64, 48), (400, 300)])
def test_photos_fall_with_the_frequency(size: tuple[int, int]) -> None:
    magnitude = natural_magnitude(*size)
    assert magnitude.shape == (3, size[0], size[1] // 2 + 1)
    assert bool((magnitude > 0).all())
    assert magnitude.dtype == torch.float32
    if min(size) > 40:
        law = magnitude[0, 8, 0] * 8 / (magnitude[0, 16, 0] * 16)
        assert 0.8 < float(law) < 1.6
        # Up and down are as strong as left and right, and more so than askew.
        assert magnitude[0, 12, 0] > magnitude[0, 12, 12] * 2**0.5
        torch.testing.assert_close(magnitude[:, 5, 0], magnitude[:, -5, 0])


def test_a_table_entry_is_read_where_it_stands() -> None:
    # 3 cycles in 192 pixels across: the first row and column of the table, 1.42, over 1/64
    assert float(natural_magnitude(192, 192)[0, 0, 3]) == pytest.approx(1.42 * 64, rel=1e-5)
    assert float(natural_magnitude(64, 128)[0, 0, 2]) == pytest.approx(1.42 * 64, rel=1e-5)
    assert float(natural_magnitude(192, 192)[1, 0, 0]) == pytest.approx(5.498 * 192, rel=1e-5)


def test_phases_drawn_anew_have_the_contrast_of_photos_on_every_size() -> None:
    for side in (64, 256):
        clouds = MacoCanvas.from_noise(side, side, seeded(), batch=4)()
        assert 0.15 < clouds.std().item() < 0.3
