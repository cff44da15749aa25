"""A network learns a style: losses fall, runs resume bit for bit, samples are made."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from belamy.devices import make_rng
from belamy.engines.faststyle import train
from belamy.engines.faststyle.api import StyleTrainConfig, apply_style, train_style
from belamy.errors import DataError, OptionError, RunError, UnknownName
from belamy.networks.architecture import LayerDefaults, PerceptualLayers
from belamy.networks.registry import NETWORKS
from belamy.objectives.perceptual_losses import (
    gram_matrices,
    relative_content_loss,
    relative_gram_loss,
    total_variation_loss,
)
from belamy.training.trainer import Intervals


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painting of stripes, and photographs of blobs in a folder within."""
    place = tmp_path_factory.mktemp("pictures")
    stripes = np.zeros((80, 96, 3), np.uint8)
    stripes[::4, :, 0] = stripes[:, ::6, 2] = 255
    Image.fromarray(stripes).save(place / "stripes.png")
    (place / "photos" / "inner").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(5):
        small = rng.integers(0, 255, (6, 6, 3), np.uint8)
        photo = Image.fromarray(small).resize((100, 90))
        photo.save(place / "photos" / "inner" / f"{number}.png")
    return place


@pytest.fixture
def config(pictures: Path, small_eye: str) -> StyleTrainConfig:
    return StyleTrainConfig(
        painting=str(pictures / "stripes.png"),
        data=str(pictures / "photos"),
        model=small_eye,
        size=64,
        style_size=64,
        width=2,
        blocks=1,
        steps=6,
        batch=2,
        learning_rate=0.01,
        precision="float32",
    )


@pytest.fixture
def small_eye(small_iris: None, tmp_path: Path) -> str:
    """A file of weights of an iris that is very small."""
    from belamy.networks.backbones.iris import Iris, initialise
    from belamy.networks.files.weights import save_weights

    network, path = Iris(2), tmp_path / "eye.safetensors"
    initialise(network, make_rng(0, "weights"))
    told = {"network": "iris", "arguments": {"classes": 2}, "classes": ["a", "b"]}
    colours = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    save_weights(path, network.state_dict(), **told, **colours)  # type: ignore[arg-type]
    return str(path)


def set_perceptual(monkeypatch: pytest.MonkeyPatch, layers: PerceptualLayers | None) -> None:
    row = replace(NETWORKS["iris"], layers=LayerDefaults(perceptual=layers))
    monkeypatch.setitem(NETWORKS, "iris", row)


@pytest.fixture(autouse=True)
def few_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the small iris has."""
    set_perceptual(monkeypatch, PerceptualLayers(("conv1", "mixed3a"), ("mixed3a",)))


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    often = replace(train.TRAINING, choose_intervals=lambda total: Intervals(1, 3, 2))
    monkeypatch.setattr(train, "TRAINING", often)


def test_a_network_is_trained_and_paints(config: StyleTrainConfig, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    ticks = list(train_style(replace(config, steps=60), folder, device="cpu"))
    assert "stripes on 5 photographs" in ticks[0].note
    assert ticks[-1].losses["style"] < 0.7 * ticks[1].losses["style"]
    samples = sorted(path.name for path in (folder / "samples").iterdir())
    assert samples[0] == "step-0000003.png"
    assert samples[-1] == "step-0000060.png"
    path = folder / "network.safetensors"
    with safe_open(path, framework="pt") as handle:
        told = handle.metadata()
    assert told["network"] == "johnson"
    assert told["style"] == "stripes"
    assert told["trained_on"] == "photos"
    photo = Path(config.data) / "inner" / "0.png"
    assert apply_style(photo, network=str(path)).image.shape == (1, 3, 90, 100)


def test_a_run_that_was_stopped_goes_on_bit_for_bit(
    config: StyleTrainConfig, tmp_path: Path
) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    list(train_style(config, unbroken, device="cpu"))
    stream = train_style(config, broken, device="cpu")
    list(islice(stream, 4))  # to the third step: the last checkpoint is of the second
    stream.close()  # type: ignore[attr-defined]
    ticks = list(train_style(config, broken, device="cpu"))
    assert "going on from step 2" in ticks[0].note
    names = ["network.safetensors", "samples/step-0000003.png", "samples/step-0000006.png"]
    for name in names:
        assert (unbroken / name).read_bytes() == (broken / name).read_bytes(), name


def test_the_folder_of_another_run_is_refused(config: StyleTrainConfig, tmp_path: Path) -> None:
    next(iter(train_style(config, tmp_path / "run", device="cpu")))
    with pytest.raises(RunError, match="was started with seed 0"):
        next(iter(train_style(replace(config, seed=1), tmp_path / "run", device="cpu")))


def test_what_cannot_be_trained_on_is_said(config: StyleTrainConfig, tmp_path: Path) -> None:
    empty, broken = tmp_path / "empty", tmp_path / "broken"
    empty.mkdir()
    broken.mkdir()
    (broken / "photo.jpg").write_bytes(b"no picture")
    for folder, cause in ((empty, "has no pictures"), (broken, "none of its 1 pictures")):
        with pytest.raises(DataError, match=cause):
            next(iter(train_style(replace(config, data=str(folder)), tmp_path / "a", device="cpu")))
    unknown = replace(config, style_layers=("relu9",))
    with pytest.raises(UnknownName):
        next(iter(train_style(unknown, tmp_path / "b", device="cpu")))


def test_layers_must_be_named_for_unknown_networks(
    config: StyleTrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_perceptual(monkeypatch, None)
    with pytest.raises(OptionError, match="--style-layers"):
        next(iter(train_style(config, tmp_path / "run", device="cpu")))
    named = replace(config, style_layers=("conv1",), content_layers=("mixed3a",))
    assert "in conv1;" in next(iter(train_style(named, tmp_path / "run", device="cpu"))).note


@pytest.mark.parametrize(
    "wrong",
    [{"size": 62}, {"size": 32}, {"style_weight": 0.0}, {"content_weight": float("nan")},
     {"width": 0}, {"blocks": -1}, {"steps": 0}, {"batch": 0}, {"learning_rate": 0.0},
     {"ema": 1.0}, {"smoothness": -1.0}, {"style_size": 3}],
    ids=str,
)  # fmt: skip
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=next(iter(wrong)).replace("_", "-")):
        StyleTrainConfig("painting", "data", **wrong)  # type: ignore[arg-type]


def test_a_configuration_comes_back_from_json() -> None:
    config = StyleTrainConfig("painting", "data", style_layers=("conv1",))
    assert config.painting_side == 384
    assert StyleTrainConfig(**json.loads(json.dumps(vars(config)))) == config


def features(seed: int) -> dict[str, torch.Tensor]:
    chance = make_rng(seed, "features")
    return {
        "shallow": torch.randn((2, 3, 8, 6), generator=chance, dtype=torch.float64),
        "deep": torch.randn((2, 5, 4, 3), generator=chance, dtype=torch.float64),
    }


def test_distances_are_zero_at_their_targets_and_two_ways_apart() -> None:
    own, other = features(0), features(1)
    one = {layer: x[:1] for layer, x in own.items()}
    assert relative_gram_loss(one, gram_matrices(one)) == 0
    assert relative_content_loss(own, own) == 0
    doubled = {layer: 2 * x for layer, x in own.items()}
    torch.testing.assert_close(relative_content_loss(doubled, own).item(), 1.0)
    same = {layer: torch.cat([x[:1], x[:1]]) for layer, x in own.items()}
    twice = {layer: 2**0.5 * x for layer, x in same.items()}
    torch.testing.assert_close(relative_gram_loss(twice, gram_matrices(one)).item(), 1.0)
    assert relative_gram_loss(other, gram_matrices(one)) > 0.1


def test_style_does_not_care_where_things_are() -> None:
    own = features(0)
    moved = {layer: x.roll((1, 2), (2, 3)).flip(3) for layer, x in own.items()}
    target = {layer: gram[:1] for layer, gram in gram_matrices(own).items()}
    torch.testing.assert_close(relative_gram_loss(own, target), relative_gram_loss(moved, target))
    assert relative_content_loss(moved, own) > 0.5


def test_roughness_is_of_neighbours() -> None:
    assert total_variation_loss(torch.full((1, 3, 5, 5), 0.3)) == 0
    ramp = torch.arange(5.0).view(1, 1, 1, 5).expand(1, 3, 5, 5)
    assert total_variation_loss(ramp) == 1


def test_half_the_precision_is_near_the_whole(config: StyleTrainConfig, tmp_path: Path) -> None:
    losses = []
    for precision in ("float32", "bfloat16"):
        asked = replace(config, steps=2, precision=precision)
        *_, last = train_style(asked, tmp_path / precision, device="cpu")
        losses.append(last.losses["loss"])
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_an_unknown_precision_is_named(config: StyleTrainConfig) -> None:
    with pytest.raises(UnknownName, match="bfloat16"):
        replace(config, precision="bfloat8")
