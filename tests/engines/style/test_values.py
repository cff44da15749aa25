"""A style transfer is held to its formula: every loss, weight and option, by numbers and signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.engines.style.plain_case import CONTENT, PAINTINGS, PLAIN, STYLE, noise
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.style import render
from belamy.engines.style.api import StyleOptions, style, style_steps
from belamy.engines.style.initial import NOISE_DEVIATION, initial_image
from belamy.engines.style.inputs import Pictures, final_size, read_pictures
from belamy.engines.style.network import set_pooling_and_padding
from belamy.engines.style.optimizers import BETA1, BETA2, EMA, EPSILON, OPTIMIZERS, Adam
from belamy.engines.style.options import resolve
from belamy.engines.style.targets import StyleImage
from belamy.networks.backbone import load_backbone
from belamy.objectives.objective import IMAGE, Objective
from belamy.objectives.priors import nine_point_variation
from belamy.objectives.style_losses import STYLE_LOSSES, Moments, blend_moments, moments_of
from belamy.pixels.colors import color_moments, keep_colors, match_colors
from belamy.pixels.images import resize
from belamy.pixels.tiles import random_offset


def pad(image: Tensor) -> Tensor:
    return F.pad(image, (2, 2, 2, 2), mode="reflect")


def features_of(eye: Path, image: Tensor) -> dict[str, Tensor]:
    layers = {*CONTENT, *STYLE}
    backbone = set_pooling_and_padding(load_backbone(eye, layers=layers), None, "float32")
    return dict(backbone(image, sorted(layers)))


def style_moments(eye: Path, image: Tensor, mask: Tensor | None) -> dict[str, Moments]:
    with torch.no_grad():
        features = features_of(eye, image)
    return {
        layer: moments_of(x, None if mask is None else F.interpolate(mask, x.shape[-2:], mode="area")[0, 0])  # noqa: E501
        for layer, x in features.items()
    }  # fmt: skip


def expected(
    eye: Path,
    content: Tensor,
    start: Tensor,
    styles: Sequence[tuple[dict[str, Moments], float]],
    regions: Sequence[tuple[Sequence[int], Tensor | None]],
    loss: str = "moments",
) -> tuple[dict[str, float], Tensor]:
    """The losses of padded pictures, and their sum's gradient, written out once more by autograd.

    Args:
        styles: moments and weight.
        regions: which styles where, (1, 1, H, W) or None.
    """
    with torch.no_grad():
        aim = features_of(eye, content)
    pixels = start.clone().requires_grad_(True)
    features = features_of(eye, pixels)
    parts: dict[str, Tensor] = {
        "content": 0.3 * torch.stack([
            weight / 4 * (features[layer] - aim[layer]).square().mean()
            / aim[layer].square().mean()
            for layer, weight in CONTENT.items()
        ]).sum(),
        "tv": 0.7 * nine_point_variation()({IMAGE: pixels}),
        "style": torch.zeros(()),
    }  # fmt: skip
    for indices, mask in regions:
        weights = [styles[index][1] for index in indices]
        for layer, weight in STYLE.items():
            target = blend_moments([styles[index][0][layer] for index in indices], weights)
            grid = features[layer].shape[-2:]
            where = None if mask is None else F.interpolate(mask, grid, mode="area")[0, 0]
            size = target.second.diagonal(dim1=-2, dim2=-1).mean()
            area = 1.0 if mask is None else float(mask.mean())
            distance: Objective = STYLE_LOSSES[loss](layer, target, where).objective
            strength = area * sum(weights) / len(weights)
            parts["style"] = parts["style"] + strength * weight / 5 / size * distance(features)
    (gradient,) = torch.autograd.grad(torch.stack(list(parts.values())).sum(), pixels)
    return {name: float(part.detach()) for name, part in parts.items()}, gradient


def after_one_step(start: Tensor, gradient: Tensor, step_size: float) -> Tensor:
    """Adam's first step is as long whatever the gradient is."""
    moved: Tensor = (start - step_size * gradient / (gradient.abs() + EPSILON)).clamp(0, 1)
    return moved[..., 2:-2, 2:-2]


def check_step(step: Any, losses: dict[str, float], picture: Tensor) -> None:
    assert step.losses == pytest.approx(losses, rel=1e-4)
    off = (step.image - picture).abs()
    assert (off > 1e-3).float().mean() < 0.01  # where the gradient's sign is rounding's alone


@pytest.mark.parametrize("loss", ["moments", "gram"])
def test_a_step_goes_down_the_sum_of_all_losses(eye: Path, photo: Tensor, loss: str) -> None:
    weights = [3.0, 1.0]
    (step,) = style_steps(
        photo, list(PAINTINGS), model=eye, style_weight=weights, style_loss=loss, seed=4, **PLAIN
    )  # type: ignore[arg-type]
    size = (step.image.shape[-2], step.image.shape[-1])
    content = pad(resize(photo, size))
    start = (0.5 + 0.15 * torch.randn((1, 3, *size), generator=make_rng(4, "init"))).clamp(0, 1)
    shrunk = [resize(one, final_size(one.shape[-2], one.shape[-1], min(40, max(one.shape)))) for one in PAINTINGS]  # noqa: E501 # fmt: skip
    styles = [(style_moments(eye, one, None), w) for one, w in zip(shrunk, weights, strict=True)]
    losses, gradient = expected(eye, content, pad(start), styles, [((0, 1), None)], loss)
    check_step(step, losses, after_one_step(pad(start), gradient, 0.05))


def test_each_region_has_its_style_and_its_fraction_of_the_loss(eye: Path, photo: Tensor) -> None:
    mask = torch.zeros(1, 1, 61, 83)
    mask[..., :60] = 1
    mask[..., 40:60] = 0.5
    style_masks = [noise(30, 44, 5)[:, :1], noise(36, 28, 6)[:, :1]]
    (step,) = style_steps(
        photo, list(PAINTINGS), model=eye, style_weight=[2.0, 0.5], mask=mask,
        style_mask=style_masks, style_size=24, **PLAIN,
    )  # fmt: skip
    size = (step.image.shape[-2], step.image.shape[-1])
    content = pad(resize(photo, size))
    drawn = (0.5 + 0.15 * torch.randn((1, 3, *size), generator=make_rng(0, "init"))).clamp(0, 1)
    first = resize(mask, size)
    masks = [pad(first), pad(resize(1 - resize(mask, size), size))]
    styles = []
    for one, own, weight in zip(PAINTINGS, style_masks, (2.0, 0.5), strict=True):
        small = final_size(one.shape[-2], one.shape[-1], 24)
        styles.append((style_moments(eye, resize(one, small), resize(own, small)), weight))
    regions: list[tuple[Sequence[int], Tensor | None]] = [((0,), masks[0]), ((1,), masks[1])]
    losses, gradient = expected(eye, content, pad(drawn), styles, regions)
    check_step(step, losses, after_one_step(pad(drawn), gradient, 0.05))


def test_a_grey_mask_slows_what_it_covers_and_confines_the_start(eye: Path, photo: Tensor) -> None:
    """The first step of Adam is whole wherever anything is painted; the result is blended."""
    mask = torch.full((1, 1, 61, 83), 0.25)
    mask[..., 40:] = 0
    settings = {**PLAIN, "init": "grey", "step_size": 1e-6}
    (step,) = style_steps(photo, PAINTINGS[0], model=eye, mask=mask, **settings)
    size = (step.image.shape[-2], step.image.shape[-1])
    ground, cover = resize(photo, size), resize(mask, size)
    start = ground + cover * (0.5 - ground)  # where it begins; shown, it is blended once more
    torch.testing.assert_close(step.image, ground + cover * (start - ground), atol=1e-4, rtol=0)


def test_the_gradient_is_scaled_by_the_mask(
    eye: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half as much under half a mask, and nothing where the content stays."""
    gradients: list[Tensor] = []

    class Noting(Adam):
        def step(self, gradient_at: Any) -> dict[str, float]:
            gradients.append(gradient_at(torch.full_like(self.image, 0.4))[0])
            return super().step(gradient_at)

    monkeypatch.setitem(OPTIMIZERS, "adam", Noting)
    monkeypatch.setattr(
        render, "style_gradient", lambda a, b, image, *rest: (torch.ones_like(image), {})
    )
    mask = torch.full((1, 1, 61, 83), 0.5)
    mask[..., 40:] = 0
    for one in ({}, {"mask": mask}):
        list(style_steps(photo, PAINTINGS[0], model=eye, **PLAIN, **one))  # type: ignore[arg-type]
    whole, masked = gradients  # of a flat picture, so that smoothing adds nothing
    assert torch.equal(whole, torch.ones_like(whole))
    size = (whole.shape[-2] - 4, whole.shape[-1] - 4)
    torch.testing.assert_close(masked, pad(resize(mask, size)).expand_as(masked))


def test_smoothing_alone_is_the_gradient_of_the_variation() -> None:
    image = noise(9, 12, 3)
    pixels = image.clone().requires_grad_(True)
    value = nine_point_variation()({IMAGE: pixels})
    (gradient,) = torch.autograd.grad(value, pixels)
    found, loss = render._variation_gradient(2.5, image)
    torch.testing.assert_close(found, 2.5 * gradient)
    assert loss == pytest.approx(2.5 * float(value.detach()))


def test_the_style_is_as_large_as_asked_for(
    eye: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, int]] = []
    exact = render.loss_terms

    def noted(*arguments: Any) -> Any:
        sizes.append(arguments[-1][0].styles[0].image.shape[-2:])
        return exact(*arguments)

    monkeypatch.setattr(render, "loss_terms", noted)
    painting = noise(90, 120, 1)
    options: list[dict[str, Any]] = [{}, {"style_scale": 0.5}, {"style_size": 100}, {"style_size": 500}]  # noqa: E501 # fmt: skip
    for one in options:
        list(style_steps(photo, painting, model=eye, **PLAIN, **one))
    assert sizes == [(30, 40), (15, 20), (75, 100), (90, 120)]  # never enlarged


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_tiles_move_by_the_seed_and_halves_are_scaled(
    precision: str, eye: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[tuple[tuple[int, int], float, tuple[int, int]]] = []

    def noted(extractor: Any, terms: Any, image: Tensor, offset: Any, scale: float) -> Any:
        notes.append((offset, scale, (image.shape[-2], image.shape[-1])))
        return torch.ones_like(image), {"content": 0.0, "style": 0.0}

    monkeypatch.setattr(render, "style_gradient", noted)
    list(
        style_steps(
            photo, photo, model=eye, tile=96, size=128, min_size=90, iterations=2, seed=3,
            style_layer="conv1", content_layer="conv2a", precision=precision,
        )  # type: ignore[arg-type]
    )  # fmt: skip
    wanted = [random_offset(96, make_rng(3, "tiles", k, n)) for k in range(2) for n in range(2)]
    assert [offset for offset, _, _ in notes] == wanted
    for _, scale, (height, width) in notes:
        assert scale == (height * width if precision == "float16" else 1)


def test_colours_are_kept_from_the_content(eye: Path, photo: Tensor) -> None:
    free, kept = (
        style(photo, PAINTINGS[0], model=eye, keep_colors=way, **PLAIN).image
        for way in (None, "luma")
    )  # type: ignore[arg-type]
    ground = resize(photo, (kept.shape[-2], kept.shape[-1]))
    torch.testing.assert_close(kept, keep_colors(ground, free))


def read(**options: Any) -> Pictures:
    given = StyleOptions(**{"content": photo_of(0), "style": list(PAINTINGS), **options})
    return read_pictures(resolve(replace(given, size=40)), torch.device("cpu"))


def photo_of(seed: int) -> Tensor:
    return noise(61, 83, 10 + seed)


def test_matched_styles_have_the_contents_colours() -> None:
    pictures = read(keep_colors="match")
    for found, painting in zip(pictures.styles, PAINTINGS, strict=True):
        torch.testing.assert_close(found.image, match_colors(painting, pictures.content))
    assert torch.equal(read(keep_colors="luma").styles[0].image, PAINTINGS[0])


def test_masks_of_styles_and_their_transparency_multiply() -> None:
    clear = torch.rand((1, 1, 30, 44), generator=make_rng(0, "alpha"))
    drawn = torch.rand((1, 1, 30, 44), generator=make_rng(1, "alpha"))
    both = torch.cat([PAINTINGS[0], clear], dim=1)
    (found,) = read(style=both, style_mask=drawn, style_weight=2.5).styles
    assert found.mask is not None
    torch.testing.assert_close(found.mask, clear * drawn)
    assert found.weight == 2.5
    assert [one.weight for one in read().styles] == [1, 1]


def test_a_mask_is_brightness_and_the_second_style_has_the_rest() -> None:
    drawn = noise(61, 83, 4)
    first, second = read(mask=drawn).masks
    torch.testing.assert_close(first, resize(drawn.mean(dim=1, keepdim=True), (29, 40)))
    torch.testing.assert_close(second, 1 - first)
    cover = read(mask=[drawn, drawn]).cover((29, 40))
    assert cover is not None
    torch.testing.assert_close(cover, (2 * first).clamp(0, 1))


def test_transparency_is_that_of_the_content(eye: Path, photo: Tensor) -> None:
    alpha = torch.rand((1, 1, *photo.shape[-2:]), generator=make_rng(0, "alpha"))
    made = style(torch.cat([photo, alpha], dim=1), PAINTINGS[0], model=eye, **PLAIN)
    assert made.alpha is not None
    torch.testing.assert_close(made.alpha, resize(alpha, (29, 40)), atol=1e-5, rtol=0)


def test_starts_are_what_they_are_called() -> None:
    styles = tuple(
        StyleImage(one, None, weight) for one, weight in zip(PAINTINGS, (3.0, 1.0), strict=True)
    )
    pictures = Pictures(photo_of(0), None, styles, (), "")
    size = (150, 200)
    drawn = torch.randn((1, 3, *size), generator=make_rng(7, "init"))
    assert torch.equal(
        initial_image("noise", pictures, size, 7), (0.5 + NOISE_DEVIATION * drawn).clamp(0, 1)
    )
    assert NOISE_DEVIATION == 0.15
    assert torch.equal(initial_image("grey", pictures, size, 7), torch.full((1, 3, *size), 0.5))
    assert torch.equal(initial_image("content", pictures, size, 7), resize(photo_of(0), size))
    assert torch.equal(initial_image(photo_of(1), pictures, size, 7), resize(photo_of(1), size))
    mean, covariance = color_moments(initial_image("style-statistics", pictures, size, 7))
    own = [color_moments(one) for one in PAINTINGS]
    aim = 0.75 * own[0][0] + 0.25 * own[1][0]
    torch.testing.assert_close(mean, aim, atol=2e-3, rtol=0)
    second = sum(p * (c + torch.outer(m, m)) for p, (m, c) in zip((0.75, 0.25), own, strict=True))
    torch.testing.assert_close(covariance, second - torch.outer(aim, aim), atol=1e-3, rtol=0.03)


def test_adam_is_torchs_but_in_the_unit_range() -> None:
    start = noise(5, 6, 1)
    gradients = [noise(5, 6, 20 + index) - 0.5 for index in range(6)]
    own = Adam(start.clone(), 0.01)
    parameter = torch.nn.Parameter(start.clone())
    theirs = torch.optim.Adam([parameter], lr=0.01, betas=(0.9, 0.99), eps=EPSILON)
    for gradient in gradients:
        losses = own.step(lambda image, g=gradient: (g, {"style": 2.0}))  # type: ignore[misc]
        parameter.grad = gradient.clone()
        theirs.step()
        assert losses == {"style": 2.0}
    torch.testing.assert_close(own.image, parameter.detach())
    assert (BETA1, BETA2) == (0.9, 0.99)
    far = Adam(start.clone(), 5.0)
    far.step(lambda image: (torch.ones_like(image), {}))
    assert torch.equal(far.image, torch.zeros_like(start))


def test_adams_moments_go_along_to_the_next_scale() -> None:
    before = Adam(noise(5, 6, 1), 0.01)
    for seed in (1, 2):
        before.step(lambda image, s=seed: (noise(5, 6, s), {}))  # type: ignore[misc]
    after = Adam(noise(9, 11, 1), 0.01, before)
    assert after.count == 2
    torch.testing.assert_close(after.mean, F.interpolate(before.mean, (9, 11), mode="bicubic"))
    torch.testing.assert_close(
        after.square, F.interpolate(before.square, (9, 11), mode="bilinear").clamp(0)
    )


@pytest.mark.parametrize(("steps", "decay"), [(1, 0.0), (5, 0.0), (50, 0.9), (500, 0.99), (4000, 0.99)])  # noqa: E501 # fmt: skip
def test_the_average_is_corrected_for_its_start(steps: int, decay: float) -> None:
    average = EMA(steps)
    assert average.decay == pytest.approx(decay)
    pictures = [noise(4, 5, seed) for seed in range(4)]
    for count, picture in enumerate(pictures, start=1):
        found = average.add(picture)
        weights = [decay ** (count - 1 - index) for index in range(count)]
        wanted = sum(w * one for w, one in zip(weights, pictures, strict=False)) / sum(weights)
        torch.testing.assert_close(found, wanted)


def test_what_is_shown_is_the_average_from_each_scales_start(eye: Path, photo: Tensor) -> None:
    """Of 50 steps a tenth is new; the start counts as a picture."""
    settings = {**PLAIN, "iterations": 50, "init": "content", "step_size": 0.01}
    steps = style_steps(photo, PAINTINGS[0], model=eye, **settings)
    first = next(steps)
    ground = resize(photo, (29, 40))
    moved = (first.image - ground).abs()
    assert 0.01 / 1.9 - 1e-3 < float(moved.median()) < 0.01 / 1.9 + 1e-3  # 1 / (1 + 0.9)
