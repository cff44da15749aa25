from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from belamy.networks.files.weights import save_weights
from belamy.networks.registry import NETWORKS

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)

State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("BELAMY_HOME", str(folder))
    return folder


@pytest.fixture(scope="module")
def state() -> State:
    """SqueezeNet 1.1's, the smallest of all."""
    torch.manual_seed(0)
    network = NETWORKS["squeezenet1_1"].build()
    assert isinstance(network, nn.Module)
    return network.state_dict()


@pytest.fixture
def saved(state: State, tmp_path: Path) -> Path:
    path = tmp_path / "mine.safetensors"
    save_weights(path, state, network="squeezenet1_1", mean=MEAN, std=STD, trained_on="noise")
    return path
