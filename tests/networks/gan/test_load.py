"""From a name or a path to a generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from belamy.errors import UnknownName, WeightsError
from belamy.networks.files.weights import embedded_path
from belamy.networks.gan import load as painters_module
from belamy.networks.gan.load import IN_RUN, find_generator, label_index, open_generator
from belamy.networks.gan.registry import load_generator

Painters = Callable[..., Path]


def test_a_file_and_a_run_folder_are_found(painters: Painters, tmp_path: Path) -> None:
    path = painters()
    assert find_generator(path) == path
    with pytest.raises(WeightsError, match="let its training end"):
        find_generator(tmp_path)
    (tmp_path / IN_RUN).write_bytes(path.read_bytes())
    assert find_generator(str(tmp_path)) == tmp_path / IN_RUN
    generator, name, digest = open_generator(tmp_path)
    assert (generator.size, name, len(digest)) == (16, IN_RUN, 64)
    assert not any(weight.requires_grad for weight in generator.parameters())


def test_the_embedded_painter_is_found_or_its_absence_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, painters: Painters
) -> None:
    monkeypatch.setattr(painters_module, "embedded_path", lambda name: tmp_path / "none")
    with pytest.raises(WeightsError, match="belamy gan train"):
        find_generator("portraits")
    monkeypatch.setattr(painters_module, "embedded_path", lambda name: painters())
    assert open_generator("portraits")[0].size == 16


@pytest.mark.skipif(not embedded_path("portraits").is_file(), reason="not in this copy")
def test_the_embedded_painter_is_whole_and_small() -> None:
    path = embedded_path("portraits")
    assert path.stat().st_size <= 12 << 20
    generator, _, _ = open_generator("portraits")
    assert generator.size >= 64


def test_misuse_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="unknown painter 'portrats'; did you mean 'portraits'"):
        find_generator("portrats")
    with pytest.raises(WeightsError, match="no network at"):
        find_generator(tmp_path / "none.safetensors")
    (tmp_path / "x.pth").write_bytes(b"x")
    with pytest.raises(WeightsError, match="is no painter"):
        find_generator(tmp_path / "x.pth")


def test_networks_of_another_kind_are_refused(eye: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no generator of pictures: it is for 'iris'"):
        open_generator(eye)


def test_a_file_that_changed_is_refused(painters: Painters, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(painters().read_bytes())
    (tmp_path / "x.safetensors.sha256").write_text("0" * 64 + "  x.safetensors\n")
    with pytest.raises(WeightsError, match="has changed"):
        open_generator(path)


def test_labels_by_name(painters: Painters) -> None:
    with_labels = load_generator(painters("light", ("dark", "light")))
    assert label_index(with_labels, "light") == 1
    assert label_index(with_labels, None) is None
    with pytest.raises(UnknownName, match="there are: dark, light"):
        label_index(with_labels, "x")
    with pytest.raises(UnknownName, match="there are none"):
        label_index(load_generator(painters()), "dark")
