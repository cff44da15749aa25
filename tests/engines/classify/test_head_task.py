"""Training the last layer alone: features once, the rest of the network untouched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from belamy.engines.classify.api import ClassifyConfig, evaluate_classifier, train_classifier
from belamy.engines.classify.head_task import FeatureMemory
from belamy.errors import OptionError, UnknownName
from belamy.networks import find
from belamy.networks.files.weights import open_weights
from belamy.training.trainer import TrainingProgress

Coloured = Callable[..., Path]


@pytest.fixture
def pair(coloured: Coloured) -> Path:
    return coloured("red", "blue")


def head_alone(data: Path, eye: Path, **options: Any) -> ClassifyConfig:
    given = {"stages": ((16, 1),), "batch": 16, **options}
    return ClassifyConfig(str(data), start=str(eye), freeze="all", **given)


def trained(config: ClassifyConfig, folder: Path) -> list[TrainingProgress]:
    return list(train_classifier(config, folder, device="cpu"))


def test_the_last_layer_learns_and_nothing_else_changes(
    tmp_path: Path, eye: Path, pair: Path
) -> None:
    progress = trained(head_alone(pair, eye), tmp_path / "run")
    assert progress[0].note.endswith("each picture is looked at once")
    assert [news.step for news in progress] == list(range(8))
    assert progress[-1].measures["accuracy"] > 85
    path = tmp_path / "run" / "network-training.safetensors"
    with open_weights(eye) as old, open_weights(path) as new:
        assert (new.description.side, new.description.short_side) == (16, 16)
        for name in new.file.tensors:
            same = "logits" not in name and torch.equal(old.read(name).float(), new.read(name))
            assert same == ("logits" not in name), name
    measured = evaluate_classifier(str(pair), model=str(tmp_path / "run"))
    assert measured["accuracy"] == pytest.approx(progress[-1].measures["accuracy"], abs=7)


def test_a_picture_is_looked_at_once() -> None:
    looked_at: list[Tensor] = []

    class Means(nn.Module):
        def forward(self, pictures: Tensor) -> Tensor:
            looked_at.append(pictures)
            return pictures.mean(dim=(2, 3))

    images = torch.randint(256, (50, 12, 12, 3), dtype=torch.uint8)
    mean, std = (torch.full((1, 3, 1, 1), value) for value in (0.5, 0.25))
    memory = FeatureMemory(Means(), images, 6, (mean, std))
    first = memory.look_up(torch.tensor([4, 1, 49]))
    pixels = images.permute(0, 3, 1, 2).float() / 255
    small = interpolate(pixels, (6, 6), mode="bilinear", antialias=True)
    expected = ((small - 0.5) / 0.25).mean(dim=(2, 3))
    torch.testing.assert_close(first, expected[[4, 1, 49]], atol=0.02, rtol=0)  # bfloat16 too
    torch.testing.assert_close(memory.look_up(torch.arange(50)), expected, atol=0.02, rtol=0)
    assert sum(map(len, looked_at)) == 50
    assert torch.equal(memory.look_up(torch.tensor([4, 1, 49])), first)


def test_features_beyond_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("belamy.engines.classify.head_task._MEMORY_LIMIT", 1000)
    images = torch.zeros(4, 12, 12, 3, dtype=torch.uint8)
    memory = FeatureMemory(nn.Identity(), images, 12, (torch.zeros(1, 3, 1, 1), torch.ones(1)))
    with pytest.raises(OptionError, match=r"features of 4 pictures would take .* --freeze none"):
        memory.look_up(torch.tensor([0]))


def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path: Path, eye: Path, pair: Path) -> None:
    config = head_alone(pair, eye)
    trained(config, tmp_path / "whole")
    stream = train_classifier(config, tmp_path / "run", device="cpu")
    for _ in range(4):
        next(stream)
    stream.close()  # type: ignore[attr-defined]
    progress = trained(config, tmp_path / "run")
    assert 0 < progress[0].step < progress[0].total_steps
    files = [tmp_path / name / "network.safetensors" for name in ("whole", "run")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_is_not_given_depends_on_where_it_starts() -> None:
    cases = {
        (None, None): (None, 128, 0.2, 5e-4, 0.1),
        ("iris", None): (None, 64, 0.007, 5e-4, 0.1),
        ("efficientnet_lite2", None): ("all", 64, None, 0.02, 0.0),
        ("efficientnet_lite0", "none"): ("none", 64, 0.007, 5e-4, 0.1),
        ("iris", "all"): ("all", 64, None, 0.02, 0.0),
    }
    for (start, freeze), expected in cases.items():
        config = ClassifyConfig("x", start=start, freeze=freeze)
        filled = (config.freeze, config.batch, config.learning_rate)
        assert (*filled, config.weight_decay, config.label_smoothing) == expected
    assert ClassifyConfig("x", start="iris", freeze="all").stages == ((224, 1.0),)


@pytest.mark.parametrize("best", ["iris", "efficientnet_lite2"])
def test_auto_starts_from_the_best_that_is_here(best: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "choose_backbone", lambda name: best)
    config = ClassifyConfig("x", start="auto")
    assert (config.start, config.head_alone) == (best, best != "iris")


def test_none_trains_everything(tmp_path: Path, eye: Path, pair: Path) -> None:
    config = ClassifyConfig(str(pair), start=str(eye), freeze="none", stages=((8, 0.2),), batch=16)
    trained(config, tmp_path / "run")
    path = tmp_path / "run" / "network-training.safetensors"
    with open_weights(eye) as old, open_weights(path) as new:
        first = "conv1.conv.weight"
        assert not torch.equal(old.read(first).float(), new.read(first))


def test_what_the_last_layer_alone_cannot_have(tmp_path: Path, eye: Path, pair: Path) -> None:
    with pytest.raises(OptionError, match="adversarial"):
        head_alone(pair, eye, adversarial=1.0)
    with pytest.raises(OptionError, match="learning-rate"):
        head_alone(pair, eye, learning_rate=0.1)
    with pytest.raises(OptionError, match="stages"):
        head_alone(pair, eye, stages=((16, 2),))
    with pytest.raises(OptionError, match="freeze"):
        ClassifyConfig("x", freeze="all")
    with pytest.raises(UnknownName, match=r"'al'.* did you mean 'all'"):
        trained(ClassifyConfig(str(pair), start=str(eye), freeze="al"), tmp_path / "run")
