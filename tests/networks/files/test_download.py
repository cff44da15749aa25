from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy import files
from belamy.errors import UnknownName, WeightsError
from belamy.networks.files import download
from belamy.networks.files.cache import cached_path
from belamy.networks.files.published import Published
from belamy.networks.files.weights import open_weights
from belamy.networks.registry import NETWORKS

State = dict[str, Tensor]


@pytest.fixture
def offered(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`squeezenet1_1` as if it were published in a folder of this machine."""
    file = tmp_path / "unnamed.pth"
    torch.save(state, file)
    named = file.rename(tmp_path / f"squeezenet1_1-{files.sha256(file)[:8]}.pth")
    row = replace(NETWORKS["squeezenet1_1"], published=Published(named.as_uri(), 4.7))
    monkeypatch.setitem(NETWORKS, "squeezenet1_1", row)
    return named


def test_download(offered: Path, state: State, home: Path) -> None:
    progress = list(download.download("squeezenet1_1"))
    size = offered.stat().st_size
    received = [one.received for one in progress]
    assert received == sorted(received)
    assert progress[-1] == download.Progress(size, size)
    assert len(progress) > 5
    assert sorted(path.name for path in home.iterdir()) == [
        "squeezenet1_1.safetensors",
        "squeezenet1_1.safetensors.sha256",
    ]
    with open_weights(cached_path("squeezenet1_1")) as opened:
        assert all(opened.read(name).equal(tensor) for name, tensor in state.items())
        assert opened.metadata["source"] == offered.as_uri()
        assert "BSD" in opened.metadata["licence"]


def test_a_download_that_is_another_file_is_not_kept(offered: Path, home: Path) -> None:
    data = bytearray(offered.read_bytes())
    data[len(data) // 2] ^= 1
    offered.write_bytes(data)
    with pytest.raises(WeightsError, match="nothing was kept"):
        list(download.download("squeezenet1_1"))
    assert list(home.iterdir()) == []


def test_a_download_given_up_leaves_nothing(offered: Path, home: Path) -> None:
    running = download.download("squeezenet1_1")
    next(running)
    assert isinstance(running, Iterator)
    running.close()  # type: ignore[attr-defined]
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("Name or service not known"),
        TimeoutError("timed out"),
        ConnectionResetError(104, "Connection reset by peer"),
        http.client.IncompleteRead(b"half"),
    ],
)
def test_offline(error: Exception, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(WeightsError, match="belamy models import vgg16 FILE") as caught:
        list(download.download("vgg16"))
    assert "\n" not in str(caught.value)
    assert list(home.iterdir()) == []


def test_nothing_to_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights of iris are published"):
        list(download.download("iris"))
    with pytest.raises(UnknownName):
        list(download.download("vgg"))
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("BELAMY_HOME", str(blocked / "home"))
    with pytest.raises(WeightsError, match="set BELAMY_HOME"):
        list(download.download("vgg16"))
