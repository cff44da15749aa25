"""Strokes follow the picture's size; a painting is compared, and painted, at several scales."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.compact import CompactPicture
from belamy.engines.faststyle import apply, train
from belamy.engines.faststyle.api import ApplyStyleOptions, StyleTrainConfig, apply_style
from belamy.engines.faststyle.stroke_sizes import list_sizes, paint_by_sizes
from belamy.engines.faststyle.task import FastStyleTask, PerceptualLoss
from belamy.engines.faststyle.variation import add_variation
from belamy.errors import OptionError, UnknownName
from belamy.networks.image_to_image.load import save_image_net
from belamy.networks.image_to_image.network import build_johnson_net, initialise
from belamy.objectives.perceptual_losses import (
    gram_matrices,
    relative_content_loss,
    relative_gram_loss,
)
from belamy.pixels.images import resize
from belamy.renamed import CONFIGS, current_options
from belamy.training.processes import choose_accelerator


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand((1, 3, height, width), generator=make_rng(seed, "noise"))


@pytest.mark.parametrize(
    ("size", "first", "expected"),
    [
        ((48, 64), 64, [(48, 64)]),
        ((48, 64), 50, [(48, 64)]),  # nearly alike
        ((96, 128), 64, [(48, 64), (96, 128)]),
        ((90, 120), 40, [(30, 40), (45, 60), (90, 120)]),
        ((1, 300), 100, [(1, 100), (1, 150), (1, 300)]),
    ],
)
def test_sizes_double_from_the_first(
    size: tuple[int, int], first: float, expected: list[tuple[int, int]]
) -> None:
    assert list_sizes(size, first) == expected


def test_the_first_painting_stays_and_details_are_added() -> None:
    image, seen = noise(96, 128), []

    def paint(given: Tensor) -> Tensor:
        seen.append(tuple(given.shape[-2:]))
        if len(seen) == 1:
            return torch.full_like(given, 0.4)
        return given * 0 + 0.9 + 0.1 * (noise(*seen[-1], 5) - 0.5)

    painted = paint_by_sizes(paint, CompactPicture.of(image), 32)
    assert seen == [(24, 32), (48, 64), (96, 128)]
    assert float(painted.mean()) == pytest.approx(0.4, abs=0.01)  # not 0.9: of that the details
    own = painted - resize(resize(painted, (48, 64)), (96, 128))
    grain = 0.1 * noise(96, 128, 5)
    details = grain - resize(resize(grain, (48, 64)), (96, 128))
    cosine = nn.functional.cosine_similarity(own.flatten(), details.flatten(), dim=0)
    assert float(cosine) > 0.9


def test_the_photographs_details_come_to_be_painted() -> None:
    image = noise(96, 128)
    same = paint_by_sizes(lambda given: given, CompactPicture.of(image), 32)
    assert float((same - image).square().mean()) < 0.1 * float(image.var())


def test_variation_is_smooth_noise_by_its_seed() -> None:
    grey = torch.full((2, 3, 96, 130), 0.5)
    varied = add_variation(grey, 0.05, make_rng(0, "x"))
    assert torch.equal(varied, add_variation(grey, 0.05, make_rng(0, "x")))
    assert not torch.equal(varied, add_variation(grey, 0.05, make_rng(1, "x")))
    change = varied - grey
    assert float(change.std()) == pytest.approx(0.05, rel=0.3)
    assert torch.equal(change[:, 0], change[:, 1])
    assert float(change.diff(dim=-1).std()) < 0.3 * float(change.std())
    assert not torch.equal(change[0], change[1])
    assert add_variation(grey, 0.0, make_rng(0, "x")) is grey


@pytest.fixture
def network(tmp_path: Path) -> Callable[..., str]:
    def save(name: str = "own", widths: tuple[int, ...] = (2, 2, 2), **words: str) -> str:
        net = build_johnson_net(widths, 1)
        initialise(net, make_rng(0, "weights"))
        path = tmp_path / f"{name}.safetensors"
        arguments = {"widths": list(widths), "blocks": 1}
        save_image_net(
            path, net, network="johnson", arguments=arguments, style="x", trained_on="", notes=words
        )
        return str(path)

    return save


def test_what_a_network_has_learned_is_what_it_is_given(network: Callable[..., str]) -> None:
    image = noise(390, 520)
    name = network(style_size="512", variation="0.1")
    usual = apply_style(image, network=name).image
    explicit = apply_style(image, network=name, variation=0.1, stroke_size=1.0).image
    assert torch.equal(usual, explicit)
    others: list[dict[str, Any]] = [
        {"variation": 0.0}, {"stroke_size": 1.5}, {"stroke_size": 2.0}, {"seed": 1}
    ]  # fmt: skip
    for other in others:
        assert not torch.equal(usual, apply_style(image, network=name, **other).image), other
    plain = apply_style(image, network=network("plain")).image  # it says nothing
    told: dict[str, Any] = {"variation": 0.0}
    assert torch.equal(plain, apply_style(image, network=network("plain"), **told).image)
    fixed = apply_style(image, network=network("plain"), stroke_size="fixed").image
    assert not torch.equal(plain, fixed)
    small, told["stroke_size"] = noise(120, 160), "fixed"  # small ones have the strokes they have
    as_it_is = apply_style(small, network=network("plain")).image
    assert torch.equal(as_it_is, apply_style(small, network=network("plain"), **told).image)


@pytest.mark.parametrize("word", ["", "nan", "-3", "inf", "soon"])
def test_nonsense_in_a_file_is_as_nothing(word: str) -> None:
    assert apply._read_number(word, 7.0) == 7.0


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match="variation"):
        ApplyStyleOptions(network="starry-night", variation=2.0)
    with pytest.raises((OptionError, UnknownName), match="fixed"):
        ApplyStyleOptions(network="starry-night", stroke_size="broad")  # type: ignore[arg-type]


def test_older_recipes_and_runs_go_on_as_before() -> None:
    old = current_options("faststyle", {"network": "starry-night"})
    assert (old["stroke_size"], old["variation"]) == ("fixed", 0.0)
    run = current_options("style", {"steps": 3}, CONFIGS)
    assert (run["scales"], run["variation"]) == (1, 0.0)


class Halves(nn.Module):
    """Stands for a backbone: the picture, and its squares."""

    name = "halves"

    def forward(self, image: Tensor, layers: Any) -> dict[str, Tensor]:
        return {layer: {"near": image, "deep": image.square()}[layer] for layer in layers}


def test_styles_are_compared_at_each_scale_and_content_at_half() -> None:
    painting, painted, photograph = noise(48, 40, 3), noise(32, 32, 1), noise(32, 32, 2)
    loss = PerceptualLoss.of(Halves(), painting, ("near", "deep"), ("deep",), 3)  # type: ignore[arg-type]
    found, net = loss(painted, photograph), Halves()
    styles = []
    for scale in (1, 2, 4):
        seen, target = (
            net(nn.functional.avg_pool2d(image, scale), ("near", "deep"))
            for image in (painted, painting)
        )
        styles.append(relative_gram_loss(seen, gram_matrices(target)))
    torch.testing.assert_close(found["style"], torch.stack(styles).mean())
    own, other = (
        net(nn.functional.avg_pool2d(image, 2), ("deep",)) for image in (painted, photograph)
    )
    torch.testing.assert_close(found["content"], relative_content_loss(own, other))


CONFIG = StyleTrainConfig(
    "stripes.png", "photos", size=64, width=2, blocks=1, steps=40, batch=1, precision="float32",
)  # fmt: skip


def make_task(config: StyleTrainConfig, folder: Path, start: Any = None) -> FastStyleTask:
    photographs = (255 * noise(96, 96).permute(0, 2, 3, 1)).byte().repeat(3, 1, 1, 1)
    loss = PerceptualLoss.of(Halves(), noise(48, 40, 3), ("near",), ("deep",), config.scales)  # type: ignore[arg-type]
    return FastStyleTask(config, photographs, loss, folder, choose_accelerator("cpu"), start)


def test_a_training_goes_on_from_another_style_and_does_not_copy(
    network: Callable[..., str], tmp_path: Path
) -> None:
    config = replace(CONFIG, start=network("start", (2, 4, 8)))
    start = train._load_start(config)
    task = make_task(config, tmp_path, start)
    for name, value in task.networks["painter"].state_dict().items():
        torch.testing.assert_close(value, start[name].to(value))
    for one, copies in ((task, False), (make_task(CONFIG, tmp_path), True)):
        net, photographs = one.networks["painter"].train(), one._batch(0)
        with torch.no_grad():  # what is painted has been varied, what it is held to has not
            copying = (net(one._vary(photographs, 0)) - photographs).abs().mean()
            unvaried = (net(photographs) - photographs).abs().mean()
        loss = one.step(0, lambda loss: loss.backward())["loss"].detach()
        assert bool(loss.isclose(copying)) == copies
        assert not bool(loss.isclose(unvaried))


def test_some_of_the_start_is_kept(network: Callable[..., str]) -> None:
    config = replace(CONFIG, start=network("start", (2, 4, 8)), keep=0.75)
    start, learned = train._load_start(config), build_johnson_net((2, 4, 8), 1)
    for name, value in train._keep_some(config, learned).state_dict().items():
        own = learned.state_dict()[name]
        torch.testing.assert_close(value, 0.25 * own + 0.75 * start[name])
    assert train._keep_some(CONFIG, learned) is learned
    with pytest.raises(OptionError, match="keep"):
        replace(CONFIG, keep=0.5)


def test_a_start_of_another_width_is_refused(network: Callable[..., str]) -> None:
    with pytest.raises(OptionError, match="is not of width 2"):
        train._load_start(replace(CONFIG, start=network("wide", (3, 6, 12))))


def test_the_configuration_comes_back_from_json() -> None:
    assert StyleTrainConfig(**json.loads(json.dumps(vars(CONFIG)))) == CONFIG
