"""Training classifiers: from nothing, from one that sees, frozen or not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.classify.accuracy import count_hits
from belamy.engines.classify.api import (
    ClassifyConfig,
    classify,
    evaluate_classifier,
    train_classifier,
)
from belamy.engines.classify.initial import Start, find_head, start_network
from belamy.engines.classify.task import (
    ClassifierTask,
    evaluation_side,
    one_cycle,
    plan_stages,
)
from belamy.errors import BelamyError, DataError, OptionError, UnknownName
from belamy.networks.backbone import load_backbone
from belamy.networks.files.weights import open_weights, save_weights
from belamy.networks.registry import NETWORKS, names_of
from belamy.training.crops import sample_crops
from belamy.training.data import TEST, TRAIN, load_labelled
from belamy.training.trainer import TrainingProgress

Coloured = Callable[..., Path]
QUICK: dict[str, Any] = {"stages": ((8, 4), (12, 2)), "batch": 8, "learning_rate": 0.05}


def trained(config: ClassifyConfig, folder: Path) -> list[TrainingProgress]:
    return list(train_classifier(config, folder, device="cpu"))


@pytest.fixture
def pair(coloured: Coloured) -> Path:
    return coloured("red", "blue")


def test_the_learning_rate_goes_up_once_and_down_to_nearly_nothing() -> None:
    rates = [one_cycle(index, 100, 0.2) for index in range(100)]
    top = rates.index(max(rates))
    assert top == 20
    assert max(rates) == pytest.approx(0.2)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < 0.001
    assert one_cycle(0, 1, 0.2) > 0


def test_stages_follow_each_other() -> None:
    stages = plan_stages(
        ClassifyConfig("x", stages=((8, 2), (16, 0.5), (32, 0.001)), batch=10), 45, 1
    )
    assert [(s.size, s.first, s.steps) for s in stages] == [(8, 0, 8), (16, 8, 2), (32, 10, 1)]


def test_sides_to_show() -> None:
    assert [evaluation_side(size) for size in (8, 32, 48, 64, 96, 224)] == [8, 40, 64, 80, 120, 280]


def test_hits() -> None:
    logits = torch.tensor([[9.0, 1, 2, 3, 4, 5, 6], [0, 6.0, 5, 4, 3, 2, 1], [0, 1, 2, 3, 4, 5, 6]])
    assert count_hits(logits, torch.tensor([0, 3, 0])).tolist() == [1, 2, 3]


@pytest.mark.usefixtures("small_iris")
def test_it_learns_and_what_it_wrote_can_be_asked(tmp_path: Path, pair: Path) -> None:
    ticks = trained(ClassifyConfig(str(pair), **QUICK), tmp_path / "run")
    assert ticks[0].note.startswith("96 pictures of 2 classes to learn from; 16 to measure on; 72 ")
    path = tmp_path / "run" / "network.safetensors"
    measures = evaluate_classifier(str(pair), model=str(path))
    assert measures["pictures"] == 16
    assert measures["accuracy"] > 85
    assert measures["accuracy"] == pytest.approx(ticks[-1].measures["accuracy"], abs=7)
    assert evaluate_classifier(str(pair), model=str(path), size=12)["accuracy"] > 85
    red = torch.tensor([0.7, 0.3, 0.3]).view(1, 3, 1, 1) + torch.zeros(1, 3, 90, 70)
    assert classify(red, model=str(path))[0].name == "red"
    with open_weights(path) as weights:
        told = weights.description
        assert (told.classes, told.trained_on) == (("blue", "red"), "red-blue.zip")
        assert told.side == told.short_side == evaluation_side(12)
        assert weights.metadata["accuracy"] == f"{ticks[-1].measures['accuracy']:.2f}"
        assert weights.read("conv1.conv.weight").dtype == torch.float16
        assert not any(".norm." in name for name in weights.file.tensors)


@pytest.mark.usefixtures("small_iris")
def test_crops_are_cut_out_of_what_was_kept(
    tmp_path: Path, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = []

    def watched(images: Tensor, step: int, **named: Any) -> tuple[Tensor, Tensor]:
        sides.append((images.shape[1], named["size"]))
        return sample_crops(images, step, **named)

    monkeypatch.setattr("belamy.engines.classify.task.sample_crops", watched)
    config = ClassifyConfig(str(pair), stages=((8, 1), (12, 1)), batch=48, keep=20)
    trained(config, tmp_path / "run")
    assert sides == [(20, 8), (20, 8), (20, 12), (20, 12)]


@pytest.mark.usefixtures("small_iris")
def test_the_run_says_all_that_was_done(tmp_path: Path, pair: Path) -> None:
    trained(ClassifyConfig(str(pair), stages=((8, 1),), batch=32), tmp_path / "run")
    told = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert told["learning_rate"] == 0.2
    assert told["stages"] == [[8, 1.0]]


@pytest.mark.usefixtures("small_iris")
def test_a_finished_run_writes_its_network_again(tmp_path: Path, pair: Path) -> None:
    config = ClassifyConfig(str(pair), stages=((8, 1),), batch=32)
    first = trained(config, tmp_path / "run")
    path = tmp_path / "run" / "network.safetensors"
    before = path.read_bytes()
    path.unlink()
    (again,) = trained(config, tmp_path / "run")
    assert again.measures == first[-1].measures
    assert path.read_bytes() == before


@pytest.mark.usefixtures("small_iris")
def test_training_further_from_both_files(tmp_path: Path, pair: Path, coloured: Coloured) -> None:
    trained(ClassifyConfig(str(pair), **QUICK), tmp_path / "first")
    for name, folded in (("network", True), ("network-training", False)):
        start, folder = tmp_path / "first" / f"{name}.safetensors", tmp_path / name
        config = ClassifyConfig(
            str(coloured("red", "green", "blue")),
            start=str(start),
            freeze="conv2b",
            stages=((12, 6),),
            batch=16,
            learning_rate=0.05,
        )
        ticks = trained(config, folder)
        assert "of them trained" in ticks[0].note
        assert ticks[-1].measures["accuracy"] > 60
        with (
            open_weights(start) as old,
            open_weights(folder / "network-training.safetensors") as new,
        ):
            assert new.description.classes == ("blue", "green", "red")
            assert new.description.arguments["folded"] == folded
            for key in new.file.tensors:
                same = (
                    torch.equal(old.read(key).float(), new.read(key))
                    if "logits" not in key
                    else False
                )
                frozen = key.startswith(("conv1.", "conv2a.", "conv2b."))
                assert same == frozen, key
        assert load_backbone(folder / "network.safetensors").classes == ("blue", "green", "red")


def test_a_trained_network_can_be_dreamed_with(
    tmp_path: Path, eye: Path, pair: Path, photo: Tensor
) -> None:
    from belamy.engines.dream.api import dream

    config = ClassifyConfig(
        str(pair), start=str(eye), freeze="mixed5a", stages=((8, 0.25),), batch=16
    )
    trained(config, tmp_path / "run")
    path = str(tmp_path / "run" / "network.safetensors")
    picture = dream(photo, model=path, layer="mixed4a", octaves=1, steps=1)
    assert picture.image.shape == photo.shape


def started(eye: Path, classes: list[str], **options: Any) -> Start:
    return start_network(ClassifyConfig("set.zip", start=str(eye), **options), classes)


def test_the_last_layer_is_kept_for_the_same_classes_alone(eye: Path) -> None:
    same = [f"thing {number}" for number in range(10)]
    with open_weights(eye) as weights:
        head, first = (
            weights.read(name).float() for name in ("logits.linear.weight", "conv1.conv.bias")
        )
        for classes, kept in ((same, True), (same[::-1], False), (same[:3], False)):
            state = started(eye, classes).module.state_dict()
            assert torch.equal(state["conv1.conv.bias"], first)
            assert torch.equal(state["logits.linear.weight"], head) == kept


def test_only_what_comes_after_the_freeze_is_trained(eye: Path) -> None:
    module = started(eye, ["a", "b"], freeze="mixed4c").module
    trained_ones = {name.split(".")[0] for name, p in module.named_parameters() if p.requires_grad}
    assert trained_ones == {"mixed5a", "mixed5b", "logits"}


@pytest.mark.parametrize("stage", ["logits", "mixed9", "conv1.conv"])
def test_stages_that_cannot_be_frozen(eye: Path, stage: str) -> None:
    with pytest.raises(UnknownName, match="stage of iris before its last layer"):
        started(eye, ["a", "b"], freeze=stage)


@pytest.mark.parametrize("name", [name for name in names_of("backbone") if name != "iris"])
def test_every_network_has_a_last_layer_to_replace(name: str) -> None:
    with torch.device("meta"):
        network = NETWORKS[name].build(classes=3)
    index, head = find_head(network)
    assert isinstance(head, nn.Linear | nn.Conv2d)
    assert head.weight.shape[0] == 3
    assert index < len(network.stages())


def classic(tmp_path: Path) -> Path:
    """SqueezeNet: dropout, and a convolution for its last layer."""
    path, network = tmp_path / "squeezenet.safetensors", NETWORKS["squeezenet1_1"].build(classes=4)
    assert isinstance(network, nn.Module)
    words = {"network": "squeezenet1_1", "arguments": {"classes": 4}, "classes": "abcd"}
    save_weights(path, network.state_dict(), mean=(0.5,) * 3, std=(0.5,) * 3, **words)
    return path


def test_from_a_classic_network(tmp_path: Path, pair: Path) -> None:
    config = ClassifyConfig(
        str(pair), start=str(classic(tmp_path)), freeze="fire8", stages=((32, 0.25),), batch=8
    )
    ticks = trained(config, tmp_path / "run")
    assert ticks[-1].step == 3
    network = load_backbone(tmp_path / "run" / "network.safetensors")
    assert (network.name, network.classes) == ("squeezenet1_1", ("blue", "red"))


def test_pictures_too_small_for_a_network(tmp_path: Path) -> None:
    start = str(classic(tmp_path))
    with pytest.raises(OptionError, match="pictures of 8 px are too small for squeezenet1_1"):
        start_network(ClassifyConfig("x", start=start, stages=((8, 1),)), "ab")


def task_of(data: Path, begin: Start, **options: Any) -> ClassifierTask:
    config = ClassifyConfig(str(data), stages=((12, 1),), batch=16, **options)
    sets = load_labelled(data, TRAIN, size=12), load_labelled(data, TEST, size=16)
    return ClassifierTask(config, begin.module, sets, Accelerator(cpu=True))


def test_frozen_stages_have_no_gradients_no_dropout_and_keep_their_statistics(
    pair: Path,
) -> None:
    network = NETWORKS["iris"].build(classes=2, folded=False)
    assert isinstance(network, nn.Module)
    for _, part in network.stages()[:6]:
        part.requires_grad_(False)
    task = task_of(
        pair, Start(network, "iris", {}, ((0.0,) * 3, (1.0,) * 3)), start="x", freeze="mixed3a"
    )
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    seen: list[bool] = []
    network.get_submodule("mixed3a").register_forward_hook(
        lambda module, inputs, output: seen.append(output.requires_grad)
    )
    task.step(0, lambda loss: loss.backward())
    assert seen == [False]
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == name.startswith(("conv", "mixed3a.")), name
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            assert torch.equal(buffer, before[name]) == name.startswith(("conv", "mixed3a.")), name


@pytest.mark.usefixtures("small_iris")
def test_attacks_stay_near_and_hurt(pair: Path) -> None:
    network = NETWORKS["iris"].build(classes=2)
    assert isinstance(network, nn.Module)
    task = task_of(pair, Start(network, "iris", {}, ((0.0,) * 3, (1.0,) * 3)), adversarial=4.0)
    images, labels = task._batch(0)
    attacked = task._attack(network, images, labels, 0)
    assert float((attacked - images).abs().max()) <= 4 / 255 + 1e-6
    assert 0 <= float(attacked.min()) <= float(attacked.max()) <= 1
    losses = [nn.functional.cross_entropy(network(x), labels) for x in (images, attacked)]
    assert losses[1] > losses[0]
    assert all(parameter.grad is None for parameter in network.parameters())


def repacked(
    path: Path, new: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]
) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            if (entry := change(name, old.read(name))) is not None:
                archive.writestr(*entry)
    return new


def test_splits_with_other_classes_are_refused(tmp_path: Path, coloured: Coloured) -> None:
    data = repacked(
        coloured("red", "green", "blue"),
        tmp_path / "odd.zip",
        lambda name, data: None if "test/green" in name else (name, data),
    )
    with pytest.raises(DataError, match=r"classes of the two splits differ \(green\)"):
        trained(ClassifyConfig(str(data), **QUICK), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("small_iris")
def test_broken_pictures_are_named(tmp_path: Path, pair: Path) -> None:
    data = repacked(
        pair,
        tmp_path / "odd.zip",
        lambda name, data: (name, data[:40] if name.endswith("red/003.png") else data),
    )
    ticks = trained(ClassifyConfig(str(data), stages=((8, 1),), batch=32), tmp_path / "run")
    assert ticks[0].note.startswith("95 pictures")
    for split, count in (("train", 96), ("test", 16)):
        said = f"1 of {count} pictures cannot be read, and are left out: {split}/red/003.png"
        assert said in ticks[0].note


@pytest.mark.usefixtures("small_iris")
def test_a_full_disk_is_one_line_and_the_run_goes_on(
    tmp_path: Path, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ClassifyConfig(str(pair), stages=((8, 2),), batch=16)
    stream = train_classifier(config, tmp_path / "run", device="cpu")
    for _ in range(6):
        next(stream)
    with monkeypatch.context() as patch:
        full = OSError(28, "No space left on device")
        patch.setattr(
            "belamy.training.run_folder.write_tensors", lambda *_: (_ for _ in ()).throw(full)
        )
        with pytest.raises(BelamyError, match="No space left on device") as caught:
            list(stream)
    assert "\n" not in str(caught.value)
    ticks = trained(config, tmp_path / "run")
    assert ticks[0].step > 0
    assert ticks[-1].step == ticks[-1].total_steps


def test_the_start_depends_on_the_seed(tmp_path: Path) -> None:
    networks = [
        start_network(ClassifyConfig("x", seed=seed), "ab").module.state_dict()
        for seed in (0, 0, 1)
    ]
    first, again, other = (state["conv1.conv.weight"] for state in networks)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert make_rng(0, "weights").initial_seed() != make_rng(1, "weights").initial_seed()
