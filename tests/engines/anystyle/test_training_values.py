"""What the training of an any-style network computes, against its formulas."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import belamy
from belamy.devices import make_rng
from belamy.engines.anystyle import render, train
from belamy.engines.anystyle.api import AnyStyleConfig, AnyStyleOptions
from belamy.engines.anystyle.encoder import encode_moments
from belamy.engines.anystyle.task import _WEIGHTS, AnyStyleTask, permute_colors
from belamy.networks.image_to_image.arbitrary_style import IMAGE, LAYERS
from belamy.objectives.adain_losses import log_moment_loss, normalized_content_loss
from belamy.objectives.patch_match import extract_patches, project_features, swap_patches
from belamy.objectives.perceptual_losses import total_variation_loss
from belamy.objectives.style_losses import moments_of
from belamy.objectives.whitening import whitening_coloring
from belamy.training.crops import resample, sample_crops
from belamy.training.processes import choose_accelerator


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return 0.2 + 0.6 * torch.rand((1, 3, height, width), generator=make_rng(seed, "noise"))


CONTENT, STYLES = noise(64, 128), (noise(64, 64, 1) ** 2, noise(48, 80, 2).sqrt())


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
        self.mixing = {IMAGE: 1.0, LAYERS[0]: 0.0, LAYERS[1]: 0.7}
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
    basis = train._compute_basis(2, backbone, [one.byte() for one in some], 64)  # type: ignore[arg-type]
    assert values[2] > values[1] > values[0]
    torch.testing.assert_close(basis.abs(), vectors[:, 1:].T.float().abs(), atol=1e-4, rtol=1e-3)


def test_the_margin_of_tiles_covers_all_that_a_pixel_depends_on() -> None:
    stylist = belamy.AnyStylist(AnyStyleOptions(CONTENT, STYLES[0]))
    rows = [stylist.encoder.layers[stylist.encoder.resolve(layer)] for layer in LAYERS]
    field = max(row.receptive_field or 1 for row in rows)
    # decoder, strokes; a patch's own half twice, a message about seams, a cell and a half and
    # two positions around its middle
    reach = field // 2 + 48 + 24 + 2 * 8 + 8 + 96 + 2 * 8
    tiling = render._choose_tiling(2048, stylist.encoder, torch.zeros(1, 3, 4000, 10))
    assert tiling is not None
    assert tiling.margin == -(-reach // 64) * 64
    assert (tiling.tile, tiling.align) == (2048, 64)
    assert render._choose_tiling(2048, stylist.encoder, torch.zeros(1, 3, 2048, 10)) is None
