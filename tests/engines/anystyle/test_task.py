"""A network learns to paint in any style: losses fall, runs resume bit for bit, samples come."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.anystyle import train
from belamy.engines.anystyle.api import AnyStyleConfig, any_style, train_any_style
from belamy.engines.anystyle.encoder import count_channels, load_encoder
from belamy.engines.anystyle.task import STYLE_LAYERS, AnyStyleTask, permute_colors
from belamy.errors import DataError, OptionError, RunError, WeightsError
from belamy.networks.backbones import iris
from belamy.networks.files.cache import embedded_path
from belamy.networks.files.weights import save_weights
from belamy.networks.image_to_image.arbitrary_style import ArbitraryStyleNet, initialise
from belamy.networks.load import load_network
from belamy.training.pictures import load_squares
from belamy.training.processes import choose_accelerator
from belamy.training.trainer import Intervals


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Paintings of stripes, photographs of blobs, each in a folder within."""
    place = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for number in range(5):
        stripes = np.zeros((80, 80, 3), np.uint8)
        stripes[:: number + 2] = rng.integers(0, 255, 3)
        blobs = Image.fromarray(rng.integers(0, 255, (6, 6, 3), np.uint8)).resize((100, 90))
        for kind, picture in (("paintings", Image.fromarray(stripes)), ("photos", blobs)):
            (place / kind / "inner").mkdir(parents=True, exist_ok=True)
            picture.save(place / kind / "inner" / f"{number}.png")
    return place


@pytest.fixture
def small_eye(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of weights of an iris with a hundredth of its weights."""
    block = (8, 4, 8, 4, 4, 4)
    monkeypatch.setattr(iris, "STEM", (4, 4, 8))
    monkeypatch.setattr(iris, "BLOCKS", dict.fromkeys(("mixed3a", "mixed3b", "mixed4a"), block))
    network, path = iris.Iris(2), tmp_path / "eye.safetensors"
    iris.initialise(network, make_rng(0, "weights"))
    told = {"network": "iris", "arguments": {"classes": 2}, "classes": ["a", "b"]}
    colours = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    save_weights(path, network.state_dict(), **told, **colours)  # type: ignore[arg-type]
    return str(path)


@pytest.fixture
def config(pictures: Path, small_eye: str) -> AnyStyleConfig:
    return AnyStyleConfig(
        paintings=str(pictures / "paintings"),
        data=str(pictures / "photos"),
        model=small_eye,
        size=64,
        width=1,
        steps=4,
        batch=2,
        learning_rate=0.01,
        precision="float32",
    )


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    often = replace(train.TRAINING, choose_intervals=lambda total: Intervals(1, 2, 2))
    monkeypatch.setattr(train, "TRAINING", often)


def test_a_network_is_trained_and_paints(config: AnyStyleConfig, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    ticks = list(train_any_style(config, folder, device="cpu"))
    assert "5 paintings on 5 photographs" in ticks[0].note
    assert {"shown_style", "shown_content"} <= ticks[-1].measures.keys()
    assert (folder / "samples" / "step-0000004.png").exists()
    loaded = load_network(folder / "network.safetensors", "arbitrary-style")
    assert loaded.metadata["encoder"] == config.model
    photo, style = (Path(one) / "inner" / "0.png" for one in (config.data, config.paintings))
    made = any_style(photo, style, network=str(folder / "network.safetensors"), size=64)
    assert made.image.shape == (1, 3, 58, 64)


def test_what_is_practised_is_learned(config: AnyStyleConfig, tmp_path: Path) -> None:
    config = replace(config, width=4, steps=200, content_weight=0.0)
    backbone = load_encoder(config.model, STYLE_LAYERS, torch.device("cpu"))
    pictures = [torch.from_numpy(load_squares(x, 96)) for x in (config.data, config.paintings)]
    painter = ArbitraryStyleNet(count_channels(backbone), (24, 16, 8, 4), compared=4)
    initialise(painter, make_rng(0, "weights"))
    accelerator = choose_accelerator("cpu")
    recipe = AnyStyleTask(
        config, pictures[0], pictures[1], painter, backbone, tmp_path, accelerator
    )
    batch = 60  # the rate has risen by then
    losses = [float(recipe.step(batch, accelerator.backward)["style"].detach()) for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_run_that_was_stopped_goes_on_bit_for_bit(config: AnyStyleConfig, tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    list(train_any_style(config, unbroken, device="cpu"))
    stream = train_any_style(config, broken, device="cpu")
    list(islice(stream, 4))  # to the third step: the last checkpoint is of the second
    stream.close()  # type: ignore[attr-defined]
    ticks = list(train_any_style(config, broken, device="cpu"))
    assert "going on from step 2" in ticks[0].note
    for name in ("network.safetensors", "samples/step-0000004.png"):
        assert (unbroken / name).read_bytes() == (broken / name).read_bytes(), name


def test_one_network_goes_on_from_another(config: AnyStyleConfig, tmp_path: Path) -> None:
    list(train_any_style(replace(config, patches=0.0), tmp_path / "first", device="cpu"))
    first = tmp_path / "first" / "network.safetensors"
    onward = replace(config, start=str(first), steps=1, learning_rate=1e-9, ema=0.0)
    list(train_any_style(onward, tmp_path / "second", device="cpu"))
    before, after = (
        load_network(one, "arbitrary-style").network.state_dict()
        for one in (first, tmp_path / "second" / "network.safetensors")
    )
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_one_that_saw_otherwise_is_refused(config: AnyStyleConfig, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="another encoder"):
        next(
            iter(
                train_any_style(
                    replace(config, start=str(embedded_path("anystyle"))),
                    tmp_path / "run",
                    device="cpu",
                )
            )
        )


def test_halves_learn_too(config: AnyStyleConfig, tmp_path: Path) -> None:
    ticks = list(
        train_any_style(replace(config, precision="bfloat16"), tmp_path / "run", device="cpu")
    )
    assert all(0 < tick.losses["style"] < 10 for tick in ticks[1:])


def test_palettes_are_exchanged() -> None:
    images = torch.rand(6, 3, 2, 2, generator=make_rng(0, "pictures"))
    made = permute_colors(images, make_rng(1, "palette"))

    def sorted_colours(x: Tensor) -> Tensor:
        return x.sort(dim=1).values

    assert torch.equal(sorted_colours(made), sorted_colours(images))
    assert torch.equal(made[1::2], images[1::2])
    assert not torch.equal(made, images)


def test_the_folder_of_another_run_is_refused(config: AnyStyleConfig, tmp_path: Path) -> None:
    next(iter(train_any_style(config, tmp_path / "run", device="cpu")))
    with pytest.raises(RunError, match="was started with seed 0"):
        next(iter(train_any_style(replace(config, seed=1), tmp_path / "run", device="cpu")))


def test_what_cannot_be_trained_on_is_said(config: AnyStyleConfig, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    empty = str(tmp_path / "empty")
    for wrong in (replace(config, paintings=empty), replace(config, data=empty)):
        with pytest.raises(DataError, match="no pictures"):
            next(iter(train_any_style(wrong, tmp_path / "run", device="cpu")))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"style_weight": 0}, "style-weight is 0"),
        ({"content_weight": -1}, "content-weight is -1"),
        ({"identity_weight": float("nan")}, "identity-weight is nan"),
        ({"smoothness": -0.1}, "smoothness is -0.1"),
        ({"patches": 1.5}, "patches is 1.5"),
        ({"size": 100}, "multiple of 8"),
        ({"width": 0}, "width is 0"),
        ({"steps": 0}, "steps is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"learning_rate": 1}, "learning-rate is 1"),
        ({"ema": 1}, "ema is 1"),
    ],
)
def test_values_out_of_range(options: dict[str, float], words: str, config: AnyStyleConfig) -> None:
    with pytest.raises(OptionError, match=words):
        replace(config, **options)  # type: ignore[arg-type]
