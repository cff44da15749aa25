"""timm's networks, by a stand-in for timm: its documented functions, three tiny networks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.networks.modules.made_up import Last, Pyramid, Transformer, make
from torch import Tensor, nn
from typer.testing import CliRunner

import belamy
from belamy.cli import app
from belamy.errors import MissingExtra, UnknownName, WeightsError
from belamy.networks.modules.timm_networks import load_timm


class Vision(Transformer):
    """As timm's: it names its tokens, and takes other sizes when it is built to."""

    num_prefix_tokens = 3

    def __init__(self, num_classes: int = 7) -> None:
        super().__init__()
        self.head = nn.Linear(12, num_classes)


@dataclass(frozen=True)
class Weights:
    """timm's `PretrainedCfg`, as far as it is looked at."""

    hf_hub_id: str | None = None
    url: str | None = None


class Stand:
    """Plays timm."""

    def __init__(self) -> None:
        self.kinds: dict[str, Callable[..., nn.Module]] = {
            "vision": Vision,
            "pyramid": lambda: make(Pyramid),
            "last": lambda: make(Last),
        }
        self.weights = {"vision": Weights("hub/vision"), "pyramid": Weights(url="https://x/p.pth")}
        self.offline: list[Any] = []
        self.cached = True

    def is_model(self, name: str) -> bool:
        return name.split(".")[0] in self.kinds

    def list_models(self) -> list[str]:
        return list(self.kinds)

    def get_pretrained_cfg(self, name: str) -> Weights | None:
        if "." in name:
            raise RuntimeError(f"Invalid pretrained tag in {name}.")
        return self.weights.get(name)

    def create_model(self, name: str, pretrained: bool = False, **more: Any) -> nn.Module:
        import huggingface_hub.constants

        if pretrained:
            self.offline.append(
                (os.environ.get("HF_HUB_OFFLINE"), huggingface_hub.constants.HF_HUB_OFFLINE)
            )
            if not self.cached:
                raise OSError("offline, and not in the cache\nmore of that")
        with torch.random.fork_rng():
            torch.manual_seed(0)
            made = self.kinds[name](**more)
        made.pretrained_cfg = {  # type: ignore[assignment]
            "mean": (0.5,) * 3,
            "std": (0.5,) * 3,
            "input_size": (3, 32, 32),
            "num_classes": 7,
            "classifier": "head",
        }
        return made


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand()
    monkeypatch.setitem(sys.modules, "timm", stand)  # type: ignore[arg-type]
    return stand


@pytest.fixture
def file(tmp_path: Path, timm: Stand) -> Path:
    path = tmp_path / "vision.pth"
    state = timm.create_model("vision", num_classes=4).state_dict()
    torch.save({"state_dict": {f"module.{name}": x + 1 for name, x in state.items()}}, path)
    return path


@pytest.mark.usefixtures("timm")
def test_weights_of_a_file_with_another_head(file: Path) -> None:
    network = load_timm(f"timm:vision@{file}")
    assert isinstance(network.module, Vision)
    assert network.module.head.out_features == 4
    assert float(network.module.first.detach().mean()) > 0.5  # those of the file, not those built


def test_cached_weights_are_loaded_with_the_network_shut_off(
    timm: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants as constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    before = constants.HF_HUB_OFFLINE
    load_timm("timm:vision")
    assert set(timm.offline) == {("1", True)}
    assert "HF_HUB_OFFLINE" not in os.environ
    assert constants.HF_HUB_OFFLINE is before
    timm.cached = False
    with pytest.raises(WeightsError, match=r"vision are not here; give a file, as timm:vision@FI"):
        load_timm("timm:vision")
    assert before is constants.HF_HUB_OFFLINE


def test_what_lies_at_an_address_is_never_fetched(
    timm: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    for name in ("pyramid", "last"):
        with pytest.raises(WeightsError, match="fetch them once"):
            load_timm(f"timm:{name}")
    assert timm.offline == []
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "p.pth").touch()
    assert isinstance(load_timm("timm:pyramid").module, Pyramid)


def test_what_timm_does_not_know(file: Path, timm: Stand, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"network of timm 'vison'; did you mean 'vision'"):
        load_timm("timm:vison")
    with pytest.raises(WeightsError, match=r"no weights of vision\.odd: Invalid pretrained tag"):
        load_timm("timm:vision.odd")
    with pytest.raises(WeightsError, match=r"not of timm's pyramid: 10 of 10 tensors are missing"):
        load_timm(f"timm:pyramid@{file}")
    with pytest.raises(WeightsError, match="there is no such file"):
        load_timm(f"timm:vision@{tmp_path / 'none.pth'}")


def test_without_timm_or_with_one_that_breaks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtra, match=r"pip install 'belamy\[timm\]'"):
        load_timm("timm:vision")
    monkeypatch.delitem(sys.modules, "timm")
    (tmp_path / "timm.py").write_text("raise RuntimeError('operator torchvision::nms is not')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WeightsError, match="torchvision that is made for torch"):
        load_timm("timm:vision")


@pytest.mark.usefixtures("timm")
def test_one_of_timms_dreams_and_is_replayed(file: Path, photo: Tensor, tmp_path: Path) -> None:
    model, settings = f"timm:vision@{file}", {"octaves": 1, "steps": 1, "device": "cpu"}
    belamy.save_image(photo, tmp_path / "photo.png")
    dreamt = belamy.dream(tmp_path / "photo.png", model=model, layer="block2", **settings)  # type: ignore[arg-type]
    assert dreamt.recipe is not None
    assert dreamt.recipe.options["model"] == model
    assert [*dreamt.recipe.weights] == ["timm:vision"]
    dreamt.save(tmp_path / "dreamt.png")
    again = tmp_path / "again.png"
    result = CliRunner().invoke(app, ["replay", str(tmp_path / "dreamt.png"), "-o", str(again)])
    assert result.exit_code == 0, result.output
    assert again.read_bytes() == (tmp_path / "dreamt.png").read_bytes()
    step = next(belamy.dream_steps(photo, model=model, layer="block2", **settings))  # type: ignore[arg-type]
    assert step.note == ""  # how it is shown pictures is known
    command = ["dream", str(tmp_path / "photo.png"), "--model", model, "-o", str(again)]
    result = CliRunner().invoke(app, command)
    assert "belamy models show timm:vision lists them" in result.output


@pytest.mark.usefixtures("timm")
def test_models_show_lists_its_layers(file: Path) -> None:
    result = CliRunner().invoke(app, ["models", "show", f"timm:vision@{file}"])
    assert result.exit_code == 0, result.output
    assert "in squares of 32 pixels" in result.output
    rows = {line.split()[0]: line.split()[1:] for line in result.output.splitlines() if line}
    assert rows["block1"] == ["12", "8", "-"]
    assert rows["logits"] == ["4", "-", "-"]


def test_a_dynamic_size_is_taken_where_the_network_knows_it(timm: Stand) -> None:
    taken: list[dict[str, Any]] = []

    def build(**more: Any) -> nn.Module:
        taken.append(more)
        return make(Pyramid)

    timm.kinds["pyramid"] = build
    timm.weights["pyramid"] = Weights("hub/pyramid")
    load_timm("timm:pyramid")
    assert taken == [{"dynamic_img_size": True}]
