"""Rendered scenes beside photos: fog on depth that is known, and a network that learns from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.defog import rendered
from belamy.engines.defog.api import DefogTrainConfig, train_defog
from belamy.engines.defog.dataset import ImageSet
from belamy.engines.defog.rendered import (
    RenderedSet,
    held_out_in_fog,
    open_rendered,
    sample_rendered,
)
from belamy.engines.defog.task import build_network
from belamy.errors import OptionError
from belamy.networks.dehaze import DehazeNet, initialise
from belamy.networks.files.network_file import save_network_file, without_counters
from belamy.networks.load import load_network
from belamy.pixels.rendering import collection

WHERE = {"size": 64, "seed": 3, "rank": 0, "world_size": 1}


@pytest.fixture(autouse=True)
def small(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    monkeypatch.setattr(collection, "_BLOCK", 4)
    monkeypatch.setattr(rendered, "_RENDERED_SIDE", 48)
    monkeypatch.setattr(rendered, "HELD_OUT", 4)


def noise(count: int, seed: int) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8))


@pytest.fixture
def scenes() -> RenderedSet:
    return open_rendered([ImageSet(noise(4, 0), noise(2, 1))], 8, 0)


def test_scenes_to_measure_on_are_others(scenes: RenderedSet) -> None:
    assert len(scenes.train.images) == 8
    assert scenes.held_out is not None
    assert len(scenes.held_out.images) == 4
    for one in scenes.held_out.images:
        assert not any(torch.equal(one, other) for other in scenes.train.images)


def test_without_held_out_pictures_there_are_no_scenes_to_measure_on() -> None:
    nothing = torch.empty((0, 64, 64, 3), dtype=torch.uint8)
    assert open_rendered([ImageSet(noise(4, 0), nothing)], 4, 0).held_out is None


def test_pictures_too_small_for_textures_are_done_without() -> None:
    tiny = noise(4, 0)[:, :32, :32]
    assert len(open_rendered([ImageSet(tiny, tiny)], 2, 0).train.images) == 2


def test_a_step_depends_on_its_number_alone(scenes: RenderedSet) -> None:
    one, again, other = (sample_rendered(scenes.train, n, batch=3, **WHERE) for n in (5, 5, 6))
    assert torch.equal(one[2], again[2])
    assert not torch.equal(one[2], other[2])
    for picture in (one[0], one[2]):
        assert picture.shape == (3, 3, 64, 64)
        assert 0 <= float(picture.min()) <= float(picture.max()) <= 1


def test_the_fog_is_exact_for_the_depth(
    scenes: RenderedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendered, "degrade", lambda image, rng: image)
    clear, fog, foggy = held_out_in_fog(scenes.held_out, 4, 0)  # type: ignore[arg-type]
    torch.testing.assert_close(foggy, fog.on(clear))
    depth = scenes.held_out.depths.float()[:, None]  # type: ignore[union-attr]
    for number in (0, 1, 3):  # rooms
        optical = -fog.transmission[number].log()
        ratio = optical / depth[number]
        assert float(ratio.std()) <= 1e-3 * float(ratio.mean()) + 1e-6


def test_a_network_learns_from_both(tmp_path: Path) -> None:
    folder = tmp_path / "clear"
    folder.mkdir()
    for number, picture in enumerate(noise(8, 2).numpy()):
        Image.fromarray(picture).save(folder / f"{number}.png")
    config = DefogTrainConfig(
        data=(str(folder),),
        held_out=2,
        size=64,
        rendered=4,
        widths=(4, 4, 6, 6, 8),
        steps=2,
        batch=4,
        precision="float32",
    )
    ticks = list(train_defog(config, tmp_path / "run", device="cpu"))
    assert "6 clear pictures and 4 rendered scenes" in ticks[0].note
    path = tmp_path / "run" / "network.safetensors"
    with safe_open(path, framework="pt") as handle:
        assert '"design": 2' in handle.metadata()["arguments"]
    assert load_network(path, "dehaze").network.design == 2


def test_an_older_design_is_gone_on_from_in_the_newer(tmp_path: Path) -> None:
    old = DehazeNet((4, 4, 6, 6, 8), (1, 1, 1, 1, 1))
    initialise(old, make_rng(0, "weights"))
    path = tmp_path / "old.safetensors"
    state, told = without_counters(old.state_dict()), old.arguments
    save_network_file(path, state, network="dehaze", arguments=told, trained_on="noise")
    network = build_network(DefogTrainConfig(data=("here",), start=str(path), design=2)).eval()
    assert (network.design, network.blocks) == (2, old.blocks)
    image = torch.rand((1, 3, 64, 64), generator=make_rng(0, "test"))
    with torch.no_grad():
        for mine, its in zip(network(image), old.eval()(image), strict=True):
            torch.testing.assert_close(mine, its, atol=0.08, rtol=0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"design": 3}, "design is 3"),
        ({"rendered": -1}, "rendered is -1"),
        ({"rendered_share": 1.0}, "below 1"),
    ],
)
def test_bad_options_are_said(change: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        DefogTrainConfig(data=("here",), **change)  # type: ignore[arg-type]
