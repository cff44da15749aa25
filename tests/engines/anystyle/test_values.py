"""Any style is held to its formulas: transfer, decoding, blends, and what is learned."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import belamy
from belamy.devices import make_rng
from belamy.engines.anystyle import render, synthesis, train
from belamy.engines.anystyle.api import AnyStyleConfig, AnyStyleOptions, any_style
from belamy.engines.anystyle.encoder import encode_moments
from belamy.engines.anystyle.options import resolve
from belamy.engines.anystyle.synthesis import (
    CELL_SIDE,
    Codec,
    TransferSettings,
    encode_regions,
    transfer_style,
)
from belamy.engines.anystyle.task import _WEIGHTS, AnyStyleTask, permute_colors
from belamy.engines.style.inputs import Pictures
from belamy.engines.style.targets import StyleImage
from belamy.networks.image_to_image.arbitrary_style import IMAGE, LAYERS
from belamy.objectives.adain_losses import log_moment_loss, normalized_content_loss
from belamy.objectives.laplacian_color import band_moments, transfer_band_moments
from belamy.objectives.patch_match import extract_patches, project_features, swap_patches
from belamy.objectives.perceptual_losses import total_variation_loss
from belamy.objectives.style_losses import Moments, blend_moments, moments_of
from belamy.objectives.whitening import whitening_coloring
from belamy.pixels.colors import LUMA, keep_colors
from belamy.renamed import CONFIGS, current_options
from belamy.training.crops import resample, sample_crops
from belamy.training.processes import choose_accelerator

STRIDES = {LAYERS[0]: 8, LAYERS[1]: 4}


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return 0.2 + 0.6 * torch.rand((1, 3, height, width), generator=make_rng(seed, "noise"))


class Squares:
    """Stands for a feature extractor: means of squares at an eighth and a quarter of the size."""

    tiling = None

    def features(self, image: Tensor, layers: Any) -> dict[str, Tensor]:
        return {x: nn.functional.avg_pool2d(image.square(), STRIDES[x]) for x in layers}


@dataclass
class Recorder:
    """Stands for a decoder: notes what it gets, and draws its pixels half as light."""

    mixing: dict[str, float] = field(
        default_factory=lambda: {IMAGE: 1.0, LAYERS[0]: 0.0, LAYERS[1]: 0.7}
    )
    basis: Tensor = field(default_factory=lambda: torch.eye(2, 3))
    calls: list[tuple[dict[str, Tensor], Any]] = field(default_factory=list)

    def __call__(self, features: dict[str, Tensor], codes: Any) -> Tensor:
        self.calls.append((dict(features), codes))
        return 0.5 * features[IMAGE]


@pytest.fixture(autouse=True)
def without_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moments of a content, taken whole: what tiles add up to is tested elsewhere."""

    def measure(extractor: Squares, style: StyleImage, layers: Any) -> dict[str, Moments]:
        features = extractor.features(style.image, layers)
        return {x: moments_of(y, weights(style.mask, y)) for x, y in features.items()}

    monkeypatch.setattr(synthesis, "measure_moments", measure)


def weights(mask: Tensor | None, features: Tensor) -> Tensor | None:
    if mask is None:
        return None
    side = mask.shape[-1] // features.shape[-1]
    return nn.functional.avg_pool2d(mask, side)[0, 0]


def all_features(image: Tensor) -> dict[str, Tensor]:
    return {IMAGE: image, **Squares().features(image, LAYERS)}


def all_moments(image: Tensor, mask: Tensor | None = None) -> dict[str, Moments]:
    return {x: moments_of(y, weights(mask, y)) for x, y in all_features(image).items()}


def project(features: dict[str, Tensor], moments: dict[str, Moments]) -> Tensor:
    """What positions are compared by: combinations of the deepest features, and twice the luma."""
    deep = project_features(features[LAYERS[0]], moments[LAYERS[0]], torch.eye(2, 3))
    colours = nn.functional.avg_pool2d(features[IMAGE], 8)
    light = project_features(colours, moments[IMAGE], torch.tensor([LUMA]))
    return torch.cat([deep, 2 * light], dim=1)


CONTENT, STYLES = noise(64, 128), (noise(64, 64, 1) ** 2, noise(48, 80, 2).sqrt())


def run(
    settings: TransferSettings, images: tuple[Any, ...] = STYLES[:1], **given: Any
) -> tuple[Tensor, Recorder]:
    decoder = Recorder()
    ratios = given.get("weights", [1.0] * len(images))
    styles = [
        StyleImage(one, mask, w)
        for one, mask, w in zip(
            images, given.get("style_masks", [None] * len(images)), ratios, strict=True
        )
    ]
    codec = Codec(decoder, Squares())  # type: ignore[arg-type]
    return transfer_style(codec, CONTENT, styles, given.get("masks", []), settings), decoder


def transform(own: dict[str, Moments], target: dict[str, Moments]) -> dict[str, Tensor]:
    features, mixing = all_features(CONTENT), Recorder().mixing
    return {x: whitening_coloring(own[x], target[x], mixing[x])(y) for x, y in features.items()}


def test_features_get_the_blended_styles_moments() -> None:
    _, decoder = run(TransferSettings(1.0, 0.0), STYLES, weights=[3.0, 1.0])
    own, both = all_moments(CONTENT), [all_moments(one) for one in STYLES]
    target = {x: blend_moments([one[x] for one in both], [0.75, 0.25]) for x in own}
    ((features, codes),) = decoder.calls
    for layer, wanted in transform(own, target).items():
        torch.testing.assert_close(features[layer], wanted)
    ((code, weight),) = codes
    torch.testing.assert_close(code, encode_moments(target))
    assert weight is None


def test_strength_is_a_way_from_the_contents_features_and_code() -> None:
    _, decoder = run(TransferSettings(0.3, 0.0))
    own, target = all_moments(CONTENT), all_moments(STYLES[0])
    (features, codes), (unchanged, own_codes) = decoder.calls
    content = all_features(CONTENT)
    for layer, wanted in transform(own, target).items():
        change = 0.3 * (wanted - content[layer])
        torch.testing.assert_close(features[layer], content[layer] + change)
        torch.testing.assert_close(unchanged[layer], content[layer])
    aim = encode_moments(own).lerp(encode_moments(target), 0.3)
    torch.testing.assert_close(codes[0][0], aim)
    torch.testing.assert_close(own_codes[0][0], encode_moments(own))


def jitter(seed: int) -> Tensor:
    """A number for each of the 1 × 2 cells of the content."""
    rng = make_rng(seed, "pieces")
    return torch.randint(2**24, (1, 1, 1, 2), generator=rng).float()[0, 0].long()


@pytest.mark.parametrize("seed", [0, 5])
def test_patches_are_a_fraction_of_the_transfer(seed: int) -> None:
    assert CELL_SIDE == 64
    _, decoder = run(TransferSettings(1.0, 0.4, seed), STYLES, weights=[1.0, 3.0])
    own, both = all_moments(CONTENT), [all_moments(one) for one in STYLES]
    target = {x: blend_moments([one[x] for one in both], [0.25, 0.75]) for x in own}
    queries = project(all_features(CONTENT), own)
    swapped = [
        swap_patches(
            extract_patches(all_features(one), project(all_features(one), moments), None),
            queries,
            jitter(seed),
        )
        for one, moments in zip(STYLES, both, strict=True)
    ]
    ((features, _),) = decoder.calls
    for layer, wanted in transform(own, target).items():
        patches = 0.25 * swapped[0][layer] + 0.75 * swapped[1][layer]
        torch.testing.assert_close(features[layer], 0.6 * wanted + 0.4 * patches)


def test_a_style_mask_is_what_counts_of_moments_and_patches() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32] = 1
    _, decoder = run(TransferSettings(1.0, 1.0), style_masks=[mask])
    style, own = STYLES[0], all_moments(CONTENT)
    target = all_moments(style, mask)
    allowed = weights(mask, all_features(style)[LAYERS[0]])
    assert allowed is not None
    bank = extract_patches(
        all_features(style), project(all_features(style), target), allowed >= 0.5
    )
    wanted = swap_patches(bank, project(all_features(CONTENT), own), jitter(0))
    ((features, codes),) = decoder.calls
    for layer, patches in wanted.items():
        torch.testing.assert_close(features[layer], patches)
    torch.testing.assert_close(codes[0][0], encode_moments(target))


def test_regions_are_added_by_their_fraction_of_each_pixel() -> None:
    left = torch.linspace(1, 0, 128).expand(1, 1, 64, 128)
    masks = [left, torch.full_like(left, 0.5)]
    _, decoder = run(TransferSettings(1.0, 0.0), STYLES, masks=masks)
    content = all_features(CONTENT)
    wanted = {layer: x.clone() for layer, x in content.items()}
    ((features, codes),) = decoder.calls
    total = masks[0] + masks[1]
    for number, (style, mask) in enumerate(zip(STYLES, masks, strict=True)):
        own, target = all_moments(CONTENT, mask), all_moments(style)
        for layer, x in transform(own, target).items():
            side = 128 // x.shape[-1]
            wanted[layer] += nn.functional.avg_pool2d(mask / total, side) * (x - content[layer])
        torch.testing.assert_close(codes[number][0], encode_moments(target))
        torch.testing.assert_close(codes[number][1], mask / total)
    for layer, x in wanted.items():
        torch.testing.assert_close(features[layer], x)


def test_what_the_decoder_loses_is_given_back_and_colours_follow() -> None:
    made, decoder = run(TransferSettings(0.3, 0.0))
    drawn = 0.5 * decoder.calls[0][0][IMAGE] + 0.7 * (CONTENT - 0.5 * CONTENT)
    drawn = drawn.clamp(0, 1)
    target = []
    for content, style in zip(band_moments(CONTENT), band_moments(STYLES[0]), strict=True):
        mean = 0.7 * content.mean + 0.3 * style.mean
        covariance = 0.7 * content.covariance + 0.3 * style.covariance
        target.append(Moments(mean, covariance + mean[:, :, None] * mean[:, None, :]))
    wanted = transfer_band_moments(drawn, band_moments(drawn), target)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=1e-4)


def test_colours_change_in_each_region_by_itself() -> None:
    mask = torch.zeros(1, 1, 64, 128)
    mask[..., :64] = 1
    codec = Codec(Recorder(), Squares())  # type: ignore[arg-type]
    styles = [StyleImage(one, None, 1.0) for one in STYLES]
    regions = encode_regions(codec, CONTENT, styles, [mask, 1 - mask])
    painted = noise(64, 128, 7)
    made = synthesis._transfer_colours(painted, regions, 1.0)
    wanted = painted.clone()
    for style, where in zip(STYLES, (mask, 1 - mask), strict=True):
        change = transfer_band_moments(painted, band_moments(painted, where), band_moments(style))
        wanted += where * (change - painted)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=1e-4)


def test_what_is_shown_is_painted_where_masks_are_white() -> None:
    mask = torch.rand((1, 1, 64, 128), generator=make_rng(0, "mask"))
    painted = noise(64, 128, 5) * 1.5
    plain = AnyStyleOptions(CONTENT, STYLES[0])
    whole = Pictures(CONTENT, None, (), (), "")
    assert torch.equal(render._finish(whole, painted, plain), painted.clamp(0, 1))
    masked = Pictures(CONTENT, None, (), (mask,), "")
    wanted = CONTENT + mask * (painted.clamp(0, 1) - CONTENT)
    torch.testing.assert_close(render._finish(masked, painted, plain), wanted)
    luma = AnyStyleOptions(CONTENT, STYLES[0], keep_colors="luma")
    wanted = keep_colors(CONTENT, painted.clamp(0, 1))
    torch.testing.assert_close(render._finish(whole, painted, luma), wanted)


def test_the_style_is_as_large_as_asked_for_and_settings_arrive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notes: list[tuple[tuple[int, int], TransferSettings]] = []

    def noted(codec: Any, content: Tensor, styles: Any, masks: Any, settings: Any) -> Tensor:
        notes.append((tuple(styles[0].image.shape[-2:]), settings))
        return content

    monkeypatch.setattr(render, "transfer_style", noted)
    large = StyleImage(noise(600, 1200, 1), None, 1.0)
    pictures = Pictures(CONTENT, None, (large,), (), "")
    given: list[dict[str, Any]] = [{}, {"style_scale": 0.5}, {"style_size": 200}, {"style_scale": 100}]  # noqa: E501 # fmt: skip
    for one in given:
        options = AnyStyleOptions(CONTENT, CONTENT, strength=0.7, patches=0.2, seed=9, **one)
        render._paint(None, pictures, options)  # type: ignore[arg-type]
    assert [size for size, _ in notes] == [(64, 128), (32, 64), (100, 200), (512, 1024)]
    assert {settings for _, settings in notes} == {TransferSettings(0.7, 0.2, 9)}


def test_one_that_loaded_once_paints_as_one_that_loads_each_time() -> None:
    stylist = belamy.AnyStylist(AnyStyleOptions(CONTENT, STYLES[0], size=64))
    flipped = CONTENT.flip(-1)
    assert torch.equal(stylist(flipped).image, any_style(flipped, STYLES[0], size=64).image)
    assert torch.equal(stylist().image, stylist(CONTENT).image)


def test_pieces_are_patches_now() -> None:
    assert current_options("anystyle", {"pieces": 0.3}) == {"patches": 0.3}
    assert current_options("any-style", {"pieces": 0.3}, CONFIGS) == {"patches": 0.3}
    options = resolve(AnyStyleOptions(CONTENT, STYLES[0], size="80+", style_weight=2))
    assert (options.size, options.style_weight, options.patches) == ("80+", [2.0], 0.6)


class Backbone(nn.Module):
    """Stands for the encoder of a training."""

    name = "squares"

    def forward(self, image: Tensor, layers: Any) -> dict[str, Tensor]:
        known = {"conv1": 2, "conv2b": 4, "mixed3a": 8, "mixed3b": 4, "mixed4a": 8}
        return {x: nn.functional.avg_pool2d((image + known[x] / 8).square(), known[x]) for x in layers}  # noqa: E501 # fmt: skip


class Decoder(nn.Module):
    """One weight: how light the moved pixels are drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.light = nn.Parameter(torch.tensor(1.7))
        self.mixing = Recorder().mixing
        self.basis = torch.eye(2, 3)
        self.codes: list[Tensor] = []

    def forward(self, features: dict[str, Tensor], codes: Any) -> Tensor:
        self.codes.append(codes[0][0])
        return self.light * features[IMAGE] + 0.01 * features[LAYERS[1]].mean()


CONFIG = AnyStyleConfig(
    "paintings", "photos", size=64, width=1, steps=200, batch=5, precision="float32",
    style_weight=2.0, content_weight=0.3, identity_weight=7.0, smoothness=0.6, patches=0.5,
    learning_rate=0.01,
)  # fmt: skip


def task(tmp_path: Path, config: AnyStyleConfig = CONFIG) -> AnyStyleTask:
    photographs, paintings = (
        (255 * torch.cat([noise(96, 96, seed + n) for n in range(3)])).byte().permute(0, 2, 3, 1)
        for seed in (20, 30)
    )
    return AnyStyleTask(
        config, photographs, paintings, Decoder(), Backbone(), tmp_path, choose_accelerator("cpu")
    )  # type: ignore[arg-type]


def test_the_loss_is_the_sum_by_the_weights_of_the_options(tmp_path: Path) -> None:
    one = task(tmp_path)
    backwards: list[Tensor] = []
    losses = one.step(60, lambda loss: backwards.append(loss) or loss.backward())  # type: ignore[func-returns-value]
    scales = {"style": 2.0, "content": 0.3, "identity": 7.0, "roughness": 0.6, "excess": 5.0}
    assert {name: weight(CONFIG) for name, weight in _WEIGHTS.items()} == scales
    wanted = sum(scales[name] * float(loss.detach()) for name, loss in losses.items())
    assert losses.keys() == scales.keys()
    assert float(backwards[0].detach()) == pytest.approx(wanted, rel=1e-5)


def test_each_loss_is_what_it_is_called(tmp_path: Path) -> None:
    one = task(tmp_path)
    contents, styles, fractions = one._batch(60)
    with torch.no_grad():
        losses = one._losses(one.networks["painter"], contents, styles, fractions)
        features = [one._extract(some) for some in (contents, styles)]
        painted = one._paint(one.networks["painter"], *features, fractions)
        seen = one._extract(painted)
        names = ("conv1", "conv2b", "mixed3a", "mixed3b", "mixed4a")
        found, aim = ({x: moments_of(some[x]) for x in names} for some in (seen, features[1]))
        wanted = {
            "style": log_moment_loss(found, aim),
            "content": normalized_content_loss(
                seen, {x: features[0][x] for x in ("mixed3b", "mixed4a")}
            ),
            "identity": (painted[:2] - contents[:2]).square().mean(),
            "roughness": total_variation_loss(painted),
            "excess": (painted - painted.clamp(0, 1)).square().mean(),
        }
    assert float(wanted["excess"]) > 0
    for name, value in wanted.items():
        torch.testing.assert_close(losses[name], value)


def test_a_batch_is_a_fourth_of_its_own_style_and_patches_in_random_fractions(
    tmp_path: Path,
) -> None:
    one = task(tmp_path)
    contents, styles, fractions = one._batch(60)
    rng = make_rng(0, "part", 60, 0)
    torch.testing.assert_close(fractions, 0.5 * torch.rand(5, generator=rng))
    alike = [torch.equal(a, b) for a, b in zip(contents, styles, strict=True)]
    assert alike == [True, True, False, False, False]
    plain = task(tmp_path, CONFIG)._batch(61)[0]
    assert not torch.equal(plain, contents)


def test_features_are_mixed_with_patches_by_the_fraction(tmp_path: Path) -> None:
    one = task(tmp_path)
    contents, styles = noise(64, 64, 1), noise(64, 64, 2) ** 2
    features = [one._extract(some) for some in (contents, styles)]
    none, half, full = (one._transfer(*features, torch.tensor([f])) for f in (0.0, 0.5, 1.0))
    for layer, amount in one.mixing.items():
        own, aim = (moments_of(some[layer]) for some in features)
        torch.testing.assert_close(none[layer], whitening_coloring(own, aim, amount)(features[0][layer]))  # noqa: E501 # fmt: skip
        torch.testing.assert_close(half[layer], (none[layer] + full[layer]) / 2)
    levels = [{layer: some[layer] for layer in one.mixing} for some in features]
    query, key = (
        project_features(some[LAYERS[0]], moments_of(some[LAYERS[0]]), one.basis) for some in levels
    )
    for layer, patches in swap_patches(extract_patches(levels[1], key), query).items():
        torch.testing.assert_close(full[layer], patches)
    decoder = one.networks["painter"]
    assert isinstance(decoder, Decoder)
    one._paint(decoder, *features, torch.tensor([0.0]))
    aims = {x: moments_of(y) for x, y in features[1].items()}
    torch.testing.assert_close(decoder.codes[-1], encode_moments(aims))


def test_the_learning_rate_rises_and_falls_along_a_cosine(tmp_path: Path) -> None:
    one = task(tmp_path)
    for index in (0, 24, 49, 120, 199):
        one.step(index, lambda loss: loss.backward())
        cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * index / 200)) / 2
        rate = one.optimizers["painter"].param_groups[0]["lr"]
        assert rate == pytest.approx(0.01 * cosine * min(1, (index + 1) / 50))


def test_a_large_gradient_is_clipped_to_five(tmp_path: Path) -> None:
    one = task(tmp_path)
    one.step(60, lambda loss: (1000 * loss).backward())
    gradient = one.networks["painter"].light.grad
    assert isinstance(gradient, Tensor)
    assert float(gradient.abs()) == pytest.approx(5.0, rel=1e-4)


def test_every_other_pictures_colours_are_permuted() -> None:
    images = torch.rand((4, 3, 2, 2), generator=make_rng(0, "pictures"))
    made = permute_colors(images, make_rng(1, "palette"))
    rng = make_rng(1, "palette")
    for index in (0, 2):
        order = torch.randperm(3, generator=rng)
        assert torch.equal(made[index], images[index, order])
    assert torch.equal(made[1::2], images[1::2])


def test_samples_are_measured_with_patches_as_in_use(tmp_path: Path) -> None:
    one = task(tmp_path)
    measures = one.evaluate(one.networks, 3)
    assert measures.keys() == {"shown_style", "shown_content"}
    contents, styles = (resample(some, 192).div(255) for some in (one.photographs, one.paintings))
    features = [one._extract(some) for some in (contents, styles)]
    painted = one._paint(one.networks["painter"], *features, torch.full((3,), 0.6)).clamp(0, 1)
    wanted = one._distances(painted, *features)
    for name, value in wanted.items():
        assert measures[f"shown_{name}"] == pytest.approx(float(value.detach()), rel=1e-5)
    assert (tmp_path / "step-0000003.png").exists()


def test_contents_are_crops_of_photographs_and_styles_of_paintings(tmp_path: Path) -> None:
    one = task(tmp_path)
    contents, styles, _ = one._batch(61)
    crops = [
        sample_crops(
            pictures, 61, batch=5, size=64, area=area, rank=0, world_size=1,
            seed=make_rng(0, name).initial_seed(),
        )[0]
        for name, pictures, area in (
            ("photographs", one.photographs, (0.44, 1.0)),
            ("paintings", one.paintings, (0.15, 1.0)),
        )
    ]  # fmt: skip
    permuted = permute_colors(crops[1], make_rng(0, "palette", 61, 0))
    torch.testing.assert_close(contents[2:], crops[0][2:])
    torch.testing.assert_close(styles[2:], permuted[2:])
    torch.testing.assert_close(contents[0], crops[0][0])  # of odd steps the second is a painting
    torch.testing.assert_close(contents[1], permuted[1])


def test_positions_are_compared_by_what_varies_most() -> None:
    some = [
        one.permute(0, 2, 3, 1) for one in (255 * noise(64, 64, 3), 255 * noise(64, 64, 4) ** 3)
    ]
    backbone = Backbone()
    backbone.mean = torch.zeros(1)  # type: ignore[assignment]
    features = [
        backbone(resample(one.byte(), 64).div(255), LAYERS[:1])[LAYERS[0]].double() for one in some
    ]
    covariance = sum(moments_of(x).covariance[0] for x in features)
    assert isinstance(covariance, Tensor)
    values, vectors = torch.linalg.eigh(covariance)
    basis = train._basis(2, backbone, [one.byte() for one in some], 64)  # type: ignore[arg-type]
    assert values[2] > values[1] > values[0]
    torch.testing.assert_close(basis.abs(), vectors[:, 1:].T.float().abs(), atol=1e-4, rtol=1e-3)


def test_the_margin_of_tiles_covers_all_that_a_pixel_depends_on() -> None:
    stylist = belamy.AnyStylist(AnyStyleOptions(CONTENT, STYLES[0]))
    rows = [stylist.encoder.layers[stylist.encoder.resolve(layer)] for layer in LAYERS]
    field = max(row.receptive_field or 1 for row in rows)
    reach = field // 2 + 48 + 2 * 8 + 96  # decoder, a patch's own half twice, a cell and a half
    tiling = render._choose_tiling(2048, stylist.encoder, torch.zeros(1, 3, 4000, 10))
    assert tiling is not None
    assert tiling.margin == -(-reach // 64) * 64
    assert (tiling.tile, tiling.align) == (2048, 64)
    assert render._choose_tiling(2048, stylist.encoder, torch.zeros(1, 3, 2048, 10)) is None
