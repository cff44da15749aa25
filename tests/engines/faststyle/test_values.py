"""Feed-forward style is held to its formulas: blends, tiles, every term of the loss."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines import feedforward
from belamy.engines.faststyle import apply, train
from belamy.engines.faststyle.api import ApplyStyleOptions, StyleTrainConfig, apply_style
from belamy.engines.faststyle.apply import StyleApplier
from belamy.engines.faststyle.task import FastStyleTask, PerceptualLoss
from belamy.networks.image_to_image.geometry import Geometry
from belamy.networks.registry import NETWORKS
from belamy.objectives.perceptual_losses import (
    gram_matrices,
    relative_content_loss,
    relative_gram_loss,
    total_variation_loss,
)
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import load_image, resize, save_image
from belamy.precision import PassPrecision
from belamy.renamed import current_options
from belamy.training.crops import sample_crops
from belamy.training.processes import choose_accelerator


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand((1, 3, height, width), generator=make_rng(seed, "noise"))


GEOMETRY = Geometry(stride=4, margin=12, floats=10.0)


@dataclass(frozen=True)
class Darker:
    """Stands for a runtime: half as light, and a ninth of a neighbour 9 px to the left."""

    geometry: Geometry = GEOMETRY
    side: int | None = None
    precision: PassPrecision = "float32"

    def __call__(self, image: Tensor) -> Tensor:
        return 0.5 * image + image.roll(9, -1) / 9

    def fix_statistics(self, image: Tensor) -> Darker:
        assert image.shape[1] == 3
        return self


@pytest.fixture
def darker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A file that is loaded as `Darker`."""
    path = tmp_path / "darker.safetensors"
    path.write_bytes(b"nothing")
    monkeypatch.setattr(feedforward, "find_network", lambda network, kind: path)
    monkeypatch.setattr(feedforward, "load_runtime", lambda *arguments: Darker())
    monkeypatch.setattr(apply, "read_metadata", lambda path: {})
    return str(path)


def inner(x: Tensor) -> Tensor:
    return x[..., 12:-12]


def test_a_picture_is_blended_with_its_painting(darker: str) -> None:
    image = noise(64, 80)
    painted = Darker()(image)
    for strength in (0.25, 1.0):
        made = apply_style(image, network=darker, strength=strength).image
        torch.testing.assert_close(inner(made), inner(image + strength * (painted - image)))
        kept = apply_style(image, network=darker, strength=strength, keep_colors=True).image
        wanted = image + strength * (keep_colors(image, painted.clamp(0, 1)) - image)
        torch.testing.assert_close(inner(kept), inner(wanted))


def test_transparency_and_size_are_the_images(darker: str) -> None:
    alpha = torch.rand((1, 1, 64, 80), generator=make_rng(0, "alpha"))
    both = torch.cat([noise(64, 80), alpha], dim=1)
    made = apply_style(both, network=darker)
    assert made.alpha is not None
    torch.testing.assert_close(made.alpha, alpha)
    small = apply_style(both, network=darker, size=40)
    assert small.alpha is not None
    torch.testing.assert_close(small.alpha, resize(alpha, (32, 40)))
    assert small.image.shape[-2:] == (32, 40)


@pytest.mark.parametrize("tile", [None, 168])
def test_tiles_see_as_far_as_the_network_does(tile: int | None) -> None:
    image = noise(180, 404)
    made = feedforward.repaint(Darker(), image, tile)
    torch.testing.assert_close(inner(made), inner(Darker()(image)))


def test_auto_tiles_by_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedforward, "available_memory", lambda device: 160 * 2 * 600**2)
    image = noise(16, 1000)
    tile = feedforward._choose_tile("auto", Darker(), image)  # type: ignore[arg-type]
    assert tile is not None
    assert tile == pytest.approx(600, abs=8)  # 16 bytes for each of 10 numbers, of half of it
    assert feedforward._choose_tile("none", Darker(), image) is None  # type: ignore[arg-type]
    assert feedforward._choose_tile(1000, Darker(), image) is None  # type: ignore[arg-type]
    assert feedforward._choose_tile(999, Darker(), image) == 999  # type: ignore[arg-type]


def test_recipes_of_before_say_runtime_now(darker: str) -> None:
    made = apply_style(noise(64, 64), network=darker, runtime="torch").recipe
    assert made is not None
    options = json.loads(made.to_json())["options"]
    before = {"engine" if name == "runtime" else name: one for name, one in options.items()}
    assert current_options("faststyle", before) == options
    assert made.weights.keys() == {"darker.safetensors"}


def test_one_that_is_loaded_paints_its_own_image_too(darker: str) -> None:
    applier = StyleApplier(ApplyStyleOptions(noise(64, 64), network=darker))
    assert torch.equal(applier().image, applier(noise(64, 64)).image)


class TwoLayers(nn.Module):
    """Stands for a backbone: the picture's squares, and its halves at half the size."""

    name = "two"

    def forward(self, image: Tensor, layers: Any) -> dict[str, Tensor]:
        known = {"deep": nn.functional.avg_pool2d(image, 2) - 0.5, "near": image.square()}
        return {layer: known[layer] for layer in layers}


PAINTING = noise(48, 40, 3)
CONFIG = StyleTrainConfig(
    "stripes.png", "photos", size=64, width=2, blocks=1, steps=40, batch=2, precision="float32",
    style_weight=2.0, content_weight=0.3, smoothness=0.7, learning_rate=0.01,
    scales=1, variation=0.0, border=0,
)  # fmt: skip


def task(tmp_path: Path, config: StyleTrainConfig = CONFIG) -> FastStyleTask:
    photographs = (255 * noise(96, 96).permute(0, 2, 3, 1)).byte().repeat(3, 1, 1, 1)
    loss = PerceptualLoss.of(TwoLayers(), PAINTING, ("near", "deep"), ("deep",))  # type: ignore[arg-type]
    return FastStyleTask(config, photographs, loss, tmp_path, choose_accelerator("cpu"))


def test_the_perceptual_loss_compares_style_and_content_where_it_says() -> None:
    loss = PerceptualLoss.of(TwoLayers(), PAINTING, ("near", "deep"), ("deep",))  # type: ignore[arg-type]
    painted, photographs = noise(16, 16, 1), noise(16, 16, 2)
    both, network = loss(painted, photographs), TwoLayers()
    grams = gram_matrices(network(PAINTING, ("near", "deep")))
    features = network(painted, ("near", "deep"))
    torch.testing.assert_close(both["style"], relative_gram_loss(features, grams))
    target = network(photographs, ("deep",))
    torch.testing.assert_close(both["content"], relative_content_loss(features, target))
    assert loss(photographs, photographs)["content"] == 0


@pytest.mark.parametrize("index", [1, 30])
def test_the_loss_is_the_weighted_sum_and_a_copy_at_first(index: int, tmp_path: Path) -> None:
    one = task(tmp_path)
    painter = one.networks["painter"]
    photographs = one._batch(index)
    with torch.no_grad():
        painter.train()
        painted = painter(photographs)
        assert float(painted.max()) > 1 or float(painted.min()) < 0 or index == 1
        parts = one.perceptual_loss(painted, photographs)
        excess = (painted - painted.clamp(0, 1)).square().mean()
        wanted = 2.0 * parts["style"] + 0.3 * parts["content"] + 10.0 * excess
        wanted = wanted + 0.7 * total_variation_loss(painted)
        copying = (painted - photographs).abs().mean()
    backwards: list[Tensor] = []
    losses = one.step(index, lambda loss: backwards.append(loss) or loss.backward())  # type: ignore[func-returns-value]
    torch.testing.assert_close(losses["loss"].detach(), copying if index == 1 else wanted)
    assert backwards == [losses["loss"]]
    for name, part in parts.items():
        torch.testing.assert_close(losses[name].detach(), part)


def test_colours_that_no_picture_has_cost_ten_times_their_square(tmp_path: Path) -> None:
    nothing = {"style": torch.zeros(()), "content": torch.zeros(())}
    flat = torch.full((1, 3, 4, 4), 1.5)
    assert float(task(tmp_path)._loss(flat, nothing)) == pytest.approx(10 * 0.25)
    assert float(task(tmp_path)._loss(-flat, nothing)) == pytest.approx(10 * 2.25)
    assert float(task(tmp_path)._loss(flat / 2, nothing)) == 0


def test_it_copies_for_a_twentieth_of_the_steps(tmp_path: Path) -> None:
    one = task(tmp_path)
    for index, copies in ((1, True), (2, False)):
        painted = one.networks["painter"](one._batch(index)).detach()
        copying = (painted - one._batch(index)).abs().mean()
        loss = one.step(index, lambda loss: loss.backward())["loss"].detach()
        assert torch.allclose(loss, copying) == copies


def test_the_learning_rate_rises_and_falls_along_a_cosine(tmp_path: Path) -> None:
    one = task(tmp_path, replace(CONFIG, steps=200))
    for index in (0, 24, 49, 120, 199):
        one.step(index, lambda loss: loss.backward())
        cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * index / 200)) / 2
        rate = one.optimizers["painter"].param_groups[0]["lr"]
        assert rate == pytest.approx(0.01 * cosine * min(1, (index + 1) / 50))


def test_the_painting_is_twice_as_large_as_a_square_unless_said() -> None:
    assert replace(CONFIG, style_size=None).painting_side == 128
    assert replace(CONFIG, style_size=80).painting_side == 80


def test_a_batch_is_crops_by_the_seed(tmp_path: Path) -> None:
    one = task(tmp_path, replace(CONFIG, seed=3, ema=0.7))
    crops, _ = sample_crops(
        one.photographs, 5, batch=2, size=64, area=(1 / 2.25, 1.0), seed=3, rank=0, world_size=1
    )
    torch.testing.assert_close(one._batch(5), crops)
    assert (one.ema_decay, one.total_steps, one.seed) == (0.7, 40, 3)


@pytest.mark.parametrize("named", [False, True])
def test_the_target_is_the_painting_at_its_size_in_the_networks_layers(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []

    def load(model: str, *, layers: set[str], device: torch.device) -> Any:
        asked.append(layers)
        return lambda image, names: {name: nn.functional.avg_pool2d(image, 3) for name in names}

    monkeypatch.setattr(train, "load_backbone", load)
    save_image(PAINTING, tmp_path / "painting.png")
    own = {"style_layers": ("a", "b"), "content_layers": ("c",)} if named else {}
    config = replace(CONFIG, painting=str(tmp_path / "painting.png"), style_size=72, **own)  # type: ignore[arg-type]
    loss = train._make_loss(config, torch.device("cpu"))
    known = NETWORKS["iris"].layers.perceptual
    assert known is not None
    style, content = (("a", "b"), ("c",)) if named else (known.style, known.content)
    assert asked == [{*style, *content}]
    assert (tuple(loss.style[0]), loss.content) == (style, content)
    painting = resize(load_image(tmp_path / "painting.png"), (72, 60))
    gram = gram_matrices({"x": nn.functional.avg_pool2d(painting, 3)})["x"]
    for found in loss.style[0].values():
        torch.testing.assert_close(found, gram)
