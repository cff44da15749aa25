from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from belamy.engines.gan.api import GanConfig, export_gan, plan_gan, train_gan
from belamy.engines.gan.task import GanTask
from belamy.errors import Diverged, OptionError, RunError, WeightsError
from belamy.networks.find import find_network, open_network
from belamy.networks.load import load_network
from belamy.networks.registry import names_of
from belamy.objectives.adversarial import LOSSES
from belamy.pixels.images import load_image
from belamy.training.run_folder import Run
from belamy.training.trainer import TrainingProgress


@pytest.fixture(scope="module")
def config(coloured: Callable[..., Path]) -> GanConfig:
    return GanConfig(
        data=str(coloured("red", "blue")), size=16, enlarge=True, width=0.1, steps=4, batch=4
    )


def trained(config: GanConfig, folder: Path) -> list[TrainingProgress]:
    return list(train_gan(config, folder, device="cpu"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 4}, "size is 4"),
        ({"penalty": -1.0}, "penalty is -1.0"),
        ({"discriminator_steps": 0}, "discriminator-steps is 0"),
        ({"augment": 1.5}, "augment is 1.5"),
        ({"latent": 0}, "latent is 0"),
        ({"batch": 1}, "batch is 1"),
        ({"accumulate": 3}, "accumulate is 3"),
        ({"accumulate": 16}, "accumulate is 16"),
        ({"learning_rate": 0.0}, "learning-rate is 0.0"),
        ({"ema_half_life": 0}, "ema-half-life is 0"),
        ({"freeze_discriminator": 2}, "freeze-discriminator is 2"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        GanConfig(data="x", **options)


def test_penalties_that_were_left_open() -> None:
    told = {loss: GanConfig(data="x", loss=loss).penalty_weight for loss in LOSSES}  # type: ignore[arg-type]
    assert told.pop("relativistic") == 0.3
    assert told.pop("wasserstein") == 10
    assert GanConfig(data="x", size=256).penalty_weight == pytest.approx(0.3 * 16)
    assert set(told.values()) == {0.0}
    assert GanConfig(data="x", loss="wasserstein").penalty_interval == 1


def test_changes_by_the_number_of_pictures() -> None:
    auto, fixed = GanConfig(data="x"), GanConfig(data="x", augment=0.25)
    assert auto.augment_probability(999) == 1
    assert auto.augment_probability(1000) is None
    assert fixed.augment_probability(10) == fixed.augment_probability(10_000) == 0.25


@pytest.mark.parametrize("name", names_of("generator"))
def test_every_architecture_trains(name: str, config: GanConfig, tmp_path: Path) -> None:
    asked = replace(config, architecture=name, latent=None, labels=True)  # type: ignore[arg-type]
    ticks = trained(asked, tmp_path / "run")
    assert [tick.step for tick in ticks] == [0, 1, 2, 3, 4]
    assert "96 pictures" not in ticks[0].note  # the test split is learned from, too
    made = load_network(tmp_path / "run" / "network.safetensors", "generator").network
    assert made.labels == ("test", "train")
    assert load_image(tmp_path / "run" / "samples" / "step-0000004.png").shape == (1, 3, 80, 128)
    assert (tmp_path / "run" / "progress.gif").is_file()


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(loss: Any, config: GanConfig, tmp_path: Path) -> None:
    asked = replace(config, loss=loss, penalty=None)
    weights = []
    for steps in (1, 2):
        ticks = trained(replace(asked, steps=steps), tmp_path / f"{steps}")
        assert (ticks[1].losses["penalty"] > 0) == (loss in ("relativistic", "wasserstein"))
        weights.append(both_weights(tmp_path / f"{steps}"))
    for one, other in zip(*weights, strict=True):
        assert not torch.equal(one, other)  # both networks are trained


def both_weights(folder: Path) -> list[Tensor]:
    with open_network(folder / "network-training.safetensors") as file:
        state = {name: file.read(name).float() for name in file.tensors}
    names = ("before averaging/", "discriminator/")
    return [
        torch.cat([x.flatten() for key, x in state.items() if key.startswith(name)])
        for name in names
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"loss": "hinge"},
        {"penalty": 50.0},
        {"penalty_every": 1},
        {"discriminator_steps": 2},
        {"augment": 0.5},
        {"mirror": False},
        {"latent": 7},
        {"width": 0.2},
        {"learning_rate": 0.01},
        {"ema_half_life": 1},
        {"seed": 1},
        {"labels": True},
        {"batch": 6},
    ],
    ids=lambda change: next(iter(change)),
)
def test_options_change_what_is_learned(
    change: dict[str, Any], config: GanConfig, usual: bytes, tmp_path: Path
) -> None:
    trained(replace(config, steps=2, **change), tmp_path / "run")
    assert (tmp_path / "run" / "network.safetensors").read_bytes() != usual


@pytest.fixture(scope="module")
def usual(config: GanConfig, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What comes of two steps as they are asked for."""
    place = tmp_path_factory.mktemp("usual")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BELAMY_HOME", str(place / "home"))
        trained(replace(config, steps=2), place / "run")
    return (place / "run" / "network.safetensors").read_bytes()


def test_the_same_is_learned_again(config: GanConfig, usual: bytes, tmp_path: Path) -> None:
    trained(replace(config, steps=2), tmp_path / "run")
    assert (tmp_path / "run" / "network.safetensors").read_bytes() == usual


def test_accumulated_batches_are_the_whole_batch(config: GanConfig, tmp_path: Path) -> None:
    """But for its latents, which are drawn a part at a time, and the differences in a batch."""
    asked = replace(config, precision="float32", accumulate=2, augment=0.0)
    ticks = trained(asked, tmp_path / "parts")
    assert all(torch.isfinite(torch.tensor(list(tick.losses.values()))).all() for tick in ticks[1:])
    assert both_weights(tmp_path / "parts")[0].isfinite().all()


def test_precision(config: GanConfig, tmp_path: Path) -> None:
    full = trained(replace(config, precision="float32"), tmp_path / "full")[-1]
    auto = trained(config, tmp_path / "auto")[-1]
    assert auto.losses["generator"] == pytest.approx(full.losses["generator"], rel=0.1)


def test_going_on_from_a_network(config: GanConfig, tmp_path: Path) -> None:
    trained(config, tmp_path / "first")
    further = str(tmp_path / "first" / "network-training.safetensors")
    asked = replace(config, start=str(tmp_path / "first"), freeze_discriminator=2, seed=3)
    trained(asked, tmp_path / "second")
    with open_network(Path(further)) as file:
        before = {name: file.read(name).float() for name in file.tensors}
    with open_network(tmp_path / "second" / "network-training.safetensors") as file:
        after = {name: file.read(name).float() for name in file.tensors}
    same = {
        key
        for key in before
        if key.startswith("discriminator/") and torch.equal(before[key], after[key])
    }
    frozen = ("discriminator/stem", "discriminator/blocks.0")
    unmoved = "discriminator/logit.bias"  # a relativistic discriminator has no zero
    assert same == {key for key in before if key.startswith(frozen)} | {unmoved}
    from_painter = replace(config, start=str(tmp_path / "first" / "network.safetensors"))
    assert trained(from_painter, tmp_path / "third")[-1].step == 4


def test_going_on_from_the_painter_inside(config: GanConfig, tmp_path: Path) -> None:
    asked = replace(config, start="portraits", size=64, width=1.0, steps=1, batch=2)
    trained(asked, tmp_path / "run")
    first, second = (
        torch.cat(
            [weight.flatten() for weight in load_network(path, "generator").network.parameters()]
        )
        for path in (find_network("portraits"), tmp_path / "run" / "network.safetensors")
    )
    assert not torch.equal(first, second)
    torch.testing.assert_close(first, second, atol=0.01, rtol=1e-3)  # a step of the slow start
    with pytest.raises(WeightsError, match="is a light of 64 px"):
        trained(replace(config, start="portraits"), tmp_path / "other")


def test_a_run_goes_on_when_what_it_started_from_is_gone(config: GanConfig, tmp_path: Path) -> None:
    trained(config, tmp_path / "first")
    asked = replace(config, start=str(tmp_path / "first"))
    stream = train_gan(asked, tmp_path / "second", device="cpu")
    while next(stream).step < 3:
        pass
    stream.close()  # type: ignore[attr-defined]
    (tmp_path / "first").rename(tmp_path / "elsewhere")
    assert [tick.step for tick in trained(asked, tmp_path / "second")] == [3, 4]


def test_networks_that_cannot_be_gone_on_from(config: GanConfig, tmp_path: Path) -> None:
    trained(config, tmp_path / "first")
    file = str(tmp_path / "first" / "network.safetensors")
    for change, said in (
        ({"start": str(tmp_path / "nowhere.safetensors")}, "there is no such file"),
        ({"start": file, "width": 0.2}, "is a light of 16 px, latent 128, width 0.1;"),
        ({"start": file, "architecture": "dcgan"}, "is a light of 16 px"),
        ({"start": file, "labels": True}, "is a light of 16 px"),
        ({"start": file, "freeze_discriminator": 1}, "no discriminator to freeze"),
    ):
        with pytest.raises(WeightsError, match=said):
            trained(replace(config, **change), tmp_path / "second")
    everything = replace(config, start=str(tmp_path / "first"), freeze_discriminator=9)
    with pytest.raises(OptionError, match="must be below"):
        trained(everything, tmp_path / "second")


def test_sizes_that_an_architecture_has_not(config: GanConfig, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"light paints 16, 32, 48, .* px, not 40"):
        trained(replace(config, size=40), tmp_path / "run")
    with pytest.raises(OptionError, match=r"dcgan paints 16, 32, 64, .* px, not 48"):
        trained(replace(config, size=48, architecture="dcgan"), tmp_path / "run")


def test_a_run_of_something_else(config: GanConfig, tmp_path: Path) -> None:
    trained(config, tmp_path / "run")
    with pytest.raises(RunError, match=r"started with width 0\.1, not 0\.3"):
        trained(replace(config, width=0.3), tmp_path / "run")


def test_export_before_the_end(config: GanConfig, tmp_path: Path) -> None:
    stream = train_gan(config, tmp_path / "run", device="cpu")
    next(stream)
    with pytest.raises(RunError, match="no checkpoint yet"):
        export_gan(tmp_path / "run")
    while next(stream).step < 3:
        pass
    stream.close()  # type: ignore[attr-defined]
    path = export_gan(tmp_path / "run", tmp_path / "early.safetensors")
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["steps"] == "3"
    trained(config, tmp_path / "run")
    end = tmp_path / "run" / "network.safetensors"
    final = load_network(end, "generator").network
    again = load_network(
        export_gan(tmp_path / "run", tmp_path / "late.safetensors"), "generator"
    ).network
    for one, other in zip(final.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_dry_run_says_everything_and_leaves_nothing(config: GanConfig, tmp_path: Path) -> None:
    found = plan_gan(config, device="cpu")
    assert found["latent"] == "128"
    assert found["learning rate"] == "0.0025"
    assert found["augmentation"] == "100%"
    assert "multiply-adds a picture" in found["generator"]
    assert "multiply-adds a picture" in found["discriminator"]
    assert " h" in found["time"]
    assert "MB" in found["memory"]
    assert not list(tmp_path.glob("run*"))


def test_the_discriminator_shares_no_label_with_pictures_of_one_kind(
    config: GanConfig, tmp_path: Path
) -> None:
    one = tmp_path / "one.zip"
    with zipfile.ZipFile(config.data) as source, zipfile.ZipFile(one, "w") as target:
        for name in source.namelist():
            target.writestr(name.replace("/", "-"), source.read(name))
    trained(replace(config, data=str(one)), tmp_path / "run")
    assert load_network(tmp_path / "run" / "network.safetensors", "generator").network.labels == ()


def test_what_is_no_number_is_tried_again_once(
    config: GanConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = GanTask.step, [3]

    def step(self: GanTask, index: int, backward: Any) -> dict[str, Tensor]:
        losses = whole(self, index, backward)
        return (
            losses | {"generator": losses["generator"] * float("nan")}
            if index in broken
            else losses
        )

    monkeypatch.setattr(GanTask, "step", step)
    with pytest.raises(Diverged, match="generator is nan at step 4"):
        trained(config, tmp_path / "run")
    assert Run(tmp_path / "run").saved_steps() == [2, 3]
    broken.clear()
    assert trained(config, tmp_path / "run")[-1].step == 4


def test_after_what_is_no_number_the_rate_is_halved(
    config: GanConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = GanTask.step, [3]

    def step(self: GanTask, index: int, backward: Any) -> dict[str, Tensor]:
        losses = whole(self, index, backward)
        if index in broken:
            broken.clear()
            return losses | {"generator": losses["generator"] * float("nan")}
        return losses

    monkeypatch.setattr(GanTask, "step", step)
    last = trained(config, tmp_path / "run")[-1]
    assert last.step == 4
    assert last.note == (
        "generator is nan at step 4: back to step 3, with half the learning rate (0.0013)"
    )


def test_changes_grow_while_the_discriminator_is_sure(
    config: GanConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belamy.engines.gan.config._FEW", 10)
    ticks = trained(replace(config, learning_rate=0.02), tmp_path / "run")
    values = [tick.losses["augment"] for tick in ticks[1:]]
    for before, after in zip([0.0, *values], values, strict=False):
        assert after == pytest.approx(before + 4e-5, abs=1e-7) or after <= before
    assert "adapting" in ticks[0].note


@pytest.mark.slow
def test_each_label_is_painted_as_it_looks(tmp_path: Path) -> None:
    """Red and blue noise: after a minute's training, each label has its own colour."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for kind in ("red", "blue"):
            for number in range(48):
                pixels = rng.integers(0, 150, (16, 16, 3), np.uint8)
                pixels[..., 0 if kind == "red" else 2] += 100
                file = io.BytesIO()
                Image.fromarray(pixels).save(file, "PNG")
                archive.writestr(f"{kind}/{number}.png", file.getvalue())
    asked = GanConfig(
        data=str(tmp_path / "set.zip"),
        size=16,
        width=0.25,
        steps=400,
        labels=True,
        ema_half_life=500,
    )
    trained(asked, tmp_path / "run")
    made = load_network(tmp_path / "run" / "network.safetensors", "generator").network
    assert made.labels == ("blue", "red")
    z = torch.randn(16, made.latent, generator=torch.Generator().manual_seed(1))
    blue, red = (made(z, torch.full((16,), label)).mean(dim=(0, 2, 3)) for label in (0, 1))
    assert blue[2] - blue[0] > 0.1  # 0.39 in the pictures
    assert red[0] - red[2] > 0.1
