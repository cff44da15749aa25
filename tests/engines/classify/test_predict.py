"""Asking networks what they see, and what can be asked of a training."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from belamy.engines.classify.api import (
    ClassifyConfig,
    ClassifyOptions,
    classify,
    evaluate_classifier,
)
from belamy.engines.classify.predict import Classifier, center_square
from belamy.errors import DataError, OptionError, WeightsError
from belamy.networks.backbone import load_backbone
from belamy.networks.files.weights import save_weights
from belamy.networks.registry import NETWORKS


def test_guesses_are_probabilities_in_order(eye: Path, photo: Tensor) -> None:
    guesses = classify(photo, model=str(eye), top=20)
    assert [guess.name for guess in guesses] == [f"thing {guess.index}" for guess in guesses]
    chances = [guess.probability for guess in guesses]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1)
    assert len(classify(photo, model=str(eye), top=2)) == 2


def test_pictures_are_shown_at_the_networks_own_size(eye: Path, photo: Tensor) -> None:
    backbone = load_backbone(eye)
    seen = center_square(photo, backbone.short_side, backbone.side)
    assert seen.shape == (1, 3, 224, 224)
    wanted = backbone(seen, ["logits"])["logits"].softmax(1).max()
    assert classify(photo, model=str(eye))[0].probability == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (90, 70), (500, 500)])
def test_the_middle_of_any_picture(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size)
    assert center_square(image, 40, 32).shape == (1, 3, 32, 32)


def test_the_middle_is_the_center_square() -> None:
    image = torch.zeros(1, 3, 20, 60)
    image[..., 20:40] = 1
    assert torch.equal(center_square(image, 20, 20), torch.ones(1, 3, 20, 20))
    rim = torch.zeros(1, 3, 64, 64)
    rim[..., 8:56, 8:56] = 1
    assert torch.equal(center_square(rim, 64, 48), torch.ones(1, 3, 48, 48))


def test_a_network_without_classes_says_so(tmp_path: Path, photo: Tensor) -> None:
    path, network = tmp_path / "mute.safetensors", NETWORKS["iris"].build(classes=3)
    assert isinstance(network, nn.Module)
    words = {"network": "iris", "arguments": {"classes": 3}}
    save_weights(path, network.state_dict(), mean=(0.5,) * 3, std=(0.5,) * 3, **words)
    with pytest.raises(WeightsError, match=r"mute\.safetensors names no classes"):
        classify(photo, model=str(path))


def test_top_is_at_least_one(eye: Path, photo: Tensor) -> None:
    with pytest.raises(OptionError, match="top is 0"):
        classify(photo, model=str(eye), top=0)
    with pytest.raises(OptionError, match="no image to classify"):
        classify(model=str(eye))


def test_the_network_is_loaded_once_for_many_pictures(
    eye: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = Classifier(ClassifyOptions(model=eye, top=3))
    monkeypatch.setattr("belamy.engines.classify.predict.share_backbone", None)
    first, other = classifier(photo), classifier(photo.flip(3))
    monkeypatch.undo()
    assert first == classify(photo, model=eye, top=3)
    assert other == classify(photo.flip(3), model=eye, top=3)
    assert first != other


def test_options_left_open_are_filled_in() -> None:
    fresh, further = ClassifyConfig("set.zip"), ClassifyConfig("set.zip", start="iris")
    assert (fresh.stages[0], fresh.batch, fresh.learning_rate) == ((32, 10.0), 128, 0.2)
    assert (further.stages, further.batch, further.learning_rate) == (((64, 8.0),), 64, 0.007)
    assert (fresh.keep, further.keep) == (64, 64)
    assert ClassifyConfig("set.zip", stages=((8, 1), (48, 1), (24, 1))).keep == 48
    saved = json.loads(json.dumps(dataclasses.asdict(further)))
    assert ClassifyConfig(**saved) == further


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stages": ((4, 1),)}, "stage size is 4"),
        ({"stages": ((32, 0),)}, "stage epochs is 0"),
        ({"keep": 4}, "keep is 4"),
        ({"batch": 1}, "batch is 1"),
        ({"learning_rate": 0.0}, r"learning-rate is 0\.0"),
        ({"learning_rate": float("nan")}, "learning-rate is nan"),
        ({"weight_decay": -1.0}, "weight-decay"),
        ({"label_smoothing": 1.0}, "label-smoothing"),
        ({"crop": 0.0}, "crop"),
        ({"adversarial": 99.0}, "adversarial"),
        ({"ema": 1.0}, "ema"),
        ({"freeze": "mixed3a"}, "freeze is 'mixed3a'; it must be left out, or given with a"),
        ({"start": "iris", "network": "vgg16"}, "network is 'vgg16'; it must be left out"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        ClassifyConfig("set.zip", **options)


def test_classes_are_matched_by_name(tmp_path: Path, eye: Path) -> None:
    def written(*names: str) -> str:
        path, file = tmp_path / f"{names[0]}.zip", io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, "PNG")
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(f"val/{name}/1.png", file.getvalue())
        return str(path)

    found = evaluate_classifier(written("thing 7", "thing 3"), model=str(eye), size=8)
    assert found["pictures"] == 2
    with pytest.raises(DataError, match=r"does not know \(cat\); it knows thing 0, ") as caught:
        evaluate_classifier(written("cat", "thing 3"), model=str(eye), size=8)
    assert "\n" not in str(caught.value)
    with pytest.raises(OptionError, match="size is 3"):
        evaluate_classifier("nowhere", model=str(eye), size=3)
