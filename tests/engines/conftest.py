"""Sets of pictures and a training, both very small."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from belamy.networks import embedded

CHANNELS = {"red": 0, "green": 1, "blue": 2}


def noise(name: str, rng: np.random.Generator, side: int = 12) -> bytes:
    """A PNG of noise in which one colour is stronger."""
    pixels = rng.integers(0, 150, (side, side, 3), np.uint8)
    pixels[..., CHANNELS[name]] += 100
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a zip of noise in two or three colours, 48 of each to learn and 8 to measure."""

    def make(*names: str) -> Path:
        path = tmp_path_factory.mktemp("set") / f"{'-'.join(names)}.zip"
        rng = np.random.default_rng(0)
        with zipfile.ZipFile(path, "w") as archive:
            for split, count in (("train", 48), ("test", 8)):
                for name in names:
                    for number in range(count):
                        archive.writestr(f"{split}/{name}/{number:03}.png", noise(name, rng))
        return path

    return make


@pytest.fixture
def small_iris(monkeypatch: pytest.MonkeyPatch) -> None:
    """Iris with a hundredth of its weights."""
    block = (8, 4, 8, 4, 4, 4)
    monkeypatch.setattr(embedded, "STEM", (4, 4, 8))
    monkeypatch.setattr(embedded, "BLOCKS", {"mixed3a": block, "mixed4a": block})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
