"""From names and files to networks that paint; the styles inside the package."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from belamy.errors import UnknownName, WeightsError
from belamy.networks.files.weights import embedded_path
from belamy.networks.image_to_image.load import EMBEDDED, LOADERS, ONNX, find_style, load_style

MOST_BYTES = {"starry-night": 1_000_000, "impressionism": 6_000_000}


@pytest.mark.parametrize("name", EMBEDDED)
def test_styles_inside_the_package_are_small_and_have_a_card(name: str) -> None:
    path = find_style(name)
    assert path.stat().st_size <= MOST_BYTES[name]
    assert path.with_suffix(".md").exists()
    assert load_style(path).geometry.stride == 4


@pytest.mark.parametrize("suffix", [*LOADERS, ONNX, ".T7"])
def test_files_are_found_by_their_paths(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"wave{suffix}"
    with pytest.raises(WeightsError, match="no network at"):
        find_style(path)
    path.touch()
    assert find_style(path) == path


def test_the_translation_inside_goes_both_ways() -> None:
    path = find_style("impressionism")
    there, back = (load_style(path, direction) for direction in ("a-to-b", "b-to-a"))
    assert not torch.equal(*(next(one.parameters()) for one in (there, back)))
    with pytest.raises(WeightsError):
        load_style(path, "a-to-c")


def test_a_name_that_is_none_is_said() -> None:
    with pytest.raises(UnknownName, match="style 'wav'"):
        find_style("wav")
    with pytest.raises(WeightsError, match="known are"):
        find_style("somewhere/wave.exe")
    assert all(embedded_path(name).exists() for name in EMBEDDED)
