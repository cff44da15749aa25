"""A network learns to see fog made up, then real fog: losses fall, runs resume bit for bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from belamy.devices import make_rng
from belamy.engines.defog import task, train
from belamy.engines.defog.api import (
    DefogAdaptConfig,
    DefogTrainConfig,
    adapt_defog,
    defog,
    train_defog,
)
from belamy.engines.defog.dataset import (
    jitter_exposure,
    open_image_sets,
    order_by_hash,
    synthesize_fog,
)
from belamy.engines.defog.task import compute_losses, learning_rate_factor
from belamy.errors import DataError, OptionError, RunError, WeightsError
from belamy.networks.backbone import load_backbone
from belamy.pixels.fog.model import Fog, apply_fog
from belamy.training.trainer import Intervals, TrainingProgress

WIDTHS = (4, 4, 6, 6, 8)


def save_leaves(folder: Path, count: int, seed: int, fog: float = 0.0) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        small = rng.random((10, 12, 3)) ** 2
        pixels = (255 * (small * (1 - fog) + 0.8 * fog)).astype(np.uint8)
        Image.fromarray(pixels).resize((84, 70)).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    save_leaves(place / "clear" / "inner", 9, 0)
    save_leaves(place / "foggy", 6, 1, fog=0.5)
    return place


@pytest.fixture
def config(pictures: Path) -> DefogTrainConfig:
    return DefogTrainConfig(
        data=(str(pictures / "clear"),),
        held_out=3,
        size=64,
        widths=WIDTHS,
        steps=6,
        batch=2,
        learning_rate=0.01,
        precision="float32",
    )


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    often = replace(train.TRAINING, choose_intervals=lambda total: Intervals(1, 6, 2))
    monkeypatch.setattr(train, "TRAINING", often)


def test_a_network_is_trained_and_clears(
    config: DefogTrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "_WARMUP_STEPS", 2)
    folder = tmp_path / "run"
    ticks = list(train_defog(replace(config, steps=18, batch=4), folder, device="cpu"))
    assert "6 clear pictures" in ticks[0].note
    first, last = (sum(tick.losses["loss"] for tick in part) for part in (ticks[1:6], ticks[-5:]))
    assert last < first
    assert {"psnr", "psnr_in_fog"} <= ticks[-1].measures.keys()
    assert (folder / "samples" / "step-0000018.png").is_file()
    path = folder / "network.safetensors"
    with safe_open(path, framework="pt") as handle:
        assert handle.metadata()["trained_on"] == "clear"
    photo = Path(config.data[0]) / "inner" / "0.png"
    assert defog(photo, network=str(path)).image.shape == (1, 3, 70, 84)


def resumed(run: Iterator[TrainingProgress], again: Iterator[TrainingProgress]) -> str:
    """Stop a run after its third step, whose last checkpoint is of the second, and go on."""
    list(islice(run, 4))
    run.close()  # type: ignore[attr-defined]
    return next(iter(list(again))).note


def test_a_run_that_was_stopped_goes_on_bit_for_bit(
    config: DefogTrainConfig, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    list(train_defog(config, one, device="cpu"))
    note = resumed(*(train_defog(config, two, device="cpu") for _ in range(2)))
    assert "going on from step 2" in note
    for name in ("network.safetensors", "samples/step-0000006.png"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_the_folder_of_another_run_is_refused(config: DefogTrainConfig, tmp_path: Path) -> None:
    next(iter(train_defog(config, tmp_path / "run", device="cpu")))
    with pytest.raises(RunError, match="was started with seed 0"):
        next(iter(train_defog(replace(config, seed=1), tmp_path / "run", device="cpu")))


def test_what_is_held_out_depends_on_names_alone() -> None:
    names = [f"forest/{number}.webp" for number in range(50)]
    kept = order_by_hash(names)[:10]
    assert order_by_hash(names[::-1])[:10] == kept
    fewer = [name for name in names if name in kept or name.endswith("1.webp")]
    assert set(order_by_hash(fewer)[:10]) <= set(fewer)
    assert order_by_hash(kept) == kept


def test_held_out_pictures_are_never_learned_from(pictures: Path) -> None:
    (source,) = open_image_sets([str(pictures / "clear")], 64, 3)
    assert len(source.train) == 6
    assert len(source.held_out) == 3
    for one in source.held_out:
        assert not any(torch.equal(one, other) for other in source.train)


def test_losses_are_nothing_at_the_truth() -> None:
    clear = torch.rand((2, 3, 16, 16), generator=make_rng(0, "test"))
    fog = Fog(torch.full((2, 1, 16, 16), 0.5), torch.full((2, 3, 1, 1), 0.8))
    seen = apply_fog(clear, fog.transmission, fog.air)
    losses = compute_losses(fog.transmission, fog.air, clear, fog, seen)
    assert all(float(value) < 1e-5 for value in losses.values())
    for wrong in ((fog.transmission + 0.1, fog.air), (fog.transmission, fog.air - 0.1)):
        worse = compute_losses(*wrong, clear, fog, seen)
        assert float(worse["picture"]) > 0.01
        assert float(worse["decibels"]) > 0.01


def test_development_and_fog_keep_the_range() -> None:
    image = torch.rand((20, 3, 32, 32), generator=make_rng(0, "test"))
    made = jitter_exposure(image, make_rng(0, "developed"))
    scene, _, seen = synthesize_fog(image, make_rng(0, "fog"))
    for picture in (made, scene, seen):
        assert picture.shape == image.shape
        assert 0 <= float(picture.min()) <= float(picture.max()) <= 1
    assert float((made.mean((1, 2, 3)) - image.mean((1, 2, 3))).std()) > 0.02


def test_the_rate_rises_shortly_and_falls_to_little() -> None:
    rates = [learning_rate_factor(step, 1000) for step in range(1000)]
    assert rates[0] < 0.02
    assert max(rates) == pytest.approx(1, abs=0.05)
    assert rates[-1] < 0.02


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": 10}, "size is 10"),
        ({"widths": (1, 2)}, "five numbers"),
        ({"batch": 1}, "batch is 1"),
        ({"ema": 1.0}, "below 1"),
        ({"learning_rate": 0.0}, "learning-rate is 0.0"),
    ],
)
def test_bad_options_are_said(change: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        DefogTrainConfig(data=("here",), **change)  # type: ignore[arg-type]


def test_too_few_pictures_are_said(config: DefogTrainConfig, tmp_path: Path) -> None:
    few = replace(config, held_out=8)
    with pytest.raises(DataError, match="has 9 pictures, of which 8 would be held out"):
        next(iter(train_defog(few, tmp_path / "run", device="cpu")))
    with pytest.raises(DataError, match="no clear pictures"):
        next(iter(train_defog(replace(config, data=()), tmp_path / "run", device="cpu")))


@pytest.fixture
def adapted(
    config: DefogTrainConfig,
    pictures: Path,
    eye: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> DefogAdaptConfig:
    """Going on from a network that was trained for a step; compared by an iris never trained."""
    list(train_defog(replace(config, steps=1), tmp_path / "start", device="cpu"))
    monkeypatch.setattr(train, "load_backbone", lambda _, **how: load_backbone(eye, **how))
    return DefogAdaptConfig(
        start=str(tmp_path / "start" / "network.safetensors"),
        foggy=(str(pictures / "foggy"),),
        clear=(str(pictures / "clear"),),
        held_out=2,
        size=64,
        steps=6,
        batch=2,
        precision="float32",
    )


def test_a_network_goes_on_to_real_fog(adapted: DefogAdaptConfig, tmp_path: Path) -> None:
    ticks = list(adapt_defog(adapted, tmp_path / "run", device="cpu"))
    assert "7 clear and 4 foggy pictures" in ticks[0].note
    assert set(adapted.weights) <= ticks[-1].losses.keys()
    assert "discriminator" in ticks[-1].losses
    path = tmp_path / "run" / "network.safetensors"
    assert path.read_bytes() != Path(adapted.start).read_bytes()
    photo = Path(adapted.foggy[0]) / "0.png"
    assert defog(photo, network=str(path)).image.shape == (1, 3, 70, 84)


def test_that_goes_on_bit_for_bit_too(adapted: DefogAdaptConfig, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    list(adapt_defog(adapted, one, device="cpu"))
    resumed(*(adapt_defog(adapted, two, device="cpu") for _ in range(2)))
    name = "network.safetensors"
    assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.parametrize(
    "name", ["adversarial", "cycle", "identity", "known", "perceptual", "dark"]
)
def test_every_weight_has_an_effect(name: str, adapted: DefogAdaptConfig, tmp_path: Path) -> None:
    once = replace(adapted, steps=1)
    heavier = replace(once, **{name: 3.0})  # type: ignore[arg-type]
    made = [
        list(adapt_defog(config, tmp_path / str(index), device="cpu"))[-1].losses["loss"]
        for index, config in enumerate((once, heavier))
    ]
    assert made[0] != made[1]


def test_the_foggiest_are_taken_out_of_a_mixture(
    adapted: DefogAdaptConfig, pictures: Path, tmp_path: Path
) -> None:
    mixed = replace(adapted, foggy=adapted.clear, foggiest=0.4)
    tick = next(iter(adapt_defog(mixed, tmp_path / "run", device="cpu")))
    assert "4 clear and 3 foggy pictures" in tick.note


def test_bad_adaptations_are_said(adapted: DefogAdaptConfig, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="foggiest is 0"):
        replace(adapted, foggiest=0.0)
    with pytest.raises(OptionError, match="cycle is -1"):
        replace(adapted, cycle=-1.0)
    with pytest.raises(WeightsError, match="there is no such file"):
        next(
            iter(
                adapt_defog(
                    replace(adapted, start="no/where.safetensors"), tmp_path / "run", device="cpu"
                )
            )
        )
    few = replace(adapted, foggiest=0.05)
    with pytest.raises(DataError, match="too few"):
        next(iter(adapt_defog(few, tmp_path / "other", device="cpu")))


def test_configurations_say_all_of_themselves(adapted: DefogAdaptConfig) -> None:
    assert replace(adapted) == DefogAdaptConfig(**dataclasses.asdict(adapted))
