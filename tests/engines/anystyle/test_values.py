"""Any style is held to its formulas: transfer, decoding, blends, and what is learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import belamy
from belamy.devices import make_rng
from belamy.engines.anystyle import render, synthesis
from belamy.engines.anystyle.api import AnyStyleOptions, any_style
from belamy.engines.anystyle.encoder import encode_moments
from belamy.engines.anystyle.options import resolve
from belamy.engines.anystyle.synthesis import (
    CELL_SIDE,
    Codec,
    TransferSettings,
    encode_regions,
    transfer_style,
)
from belamy.engines.style.inputs import Pictures
from belamy.engines.style.targets import StyleImage
from belamy.networks.image_to_image.arbitrary_style import IMAGE, LAYERS
from belamy.objectives.laplacian_color import band_moments, transfer_band_moments
from belamy.objectives.patch_match import extract_patches, project_features, swap_coherently
from belamy.objectives.style_losses import Moments, blend_moments, moments_of
from belamy.objectives.whitening import whitening_coloring
from belamy.pixels.colors import LUMA, keep_colors
from belamy.renamed import CONFIGS, current_options

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
        swap_coherently(
            extract_patches(all_features(one), project(all_features(one), moments), None),
            queries,
            jitter(seed),
            soft=False,
        ).features
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
    wanted = swap_coherently(
        bank, project(all_features(CONTENT), own), jitter(0), soft=False
    ).features
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
        options = AnyStyleOptions(
            CONTENT, CONTENT, strength=0.7, patches=0.2, seed=9, strokes=0.5, **one
        )
        render._paint(None, pictures, options)  # type: ignore[arg-type]
    assert [size for size, _ in notes] == [(64, 128), (32, 64), (100, 200), (512, 1024)]
    assert {settings for _, settings in notes} == {TransferSettings(0.7, 0.2, 9, 0.5)}


def test_one_that_loaded_once_paints_as_one_that_loads_each_time() -> None:
    stylist = belamy.AnyStylist(AnyStyleOptions(CONTENT, STYLES[0], size=64))
    flipped = CONTENT.flip(-1)
    assert torch.equal(stylist(flipped).image, any_style(flipped, STYLES[0], size=64).image)
    assert torch.equal(stylist().image, stylist(CONTENT).image)


def test_pieces_are_patches_now() -> None:
    assert current_options("anystyle", {"pieces": 0.3}) == {
        "patches": 0.3,
        "strokes": 0.0,
        "precision": "float32",
    }
    assert current_options("any-style", {"pieces": 0.3}, CONFIGS) == {"patches": 0.3}
    options = resolve(AnyStyleOptions(CONTENT, STYLES[0], size="80+", style_weight=2))
    assert (options.size, options.style_weight, options.patches) == ("80+", [2.0], 0.6)
