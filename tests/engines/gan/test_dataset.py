from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from belamy.engines.gan.api import GanConfig
from belamy.engines.gan.dataset import load_pictures
from belamy.errors import DataError


def png(seed: int, size: tuple[int, int] = (20, 20), mode: str = "RGB") -> bytes:
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8)).convert(mode)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def archive(path: Path, files: dict[str, bytes]) -> GanConfig:
    with zipfile.ZipFile(path / "set.zip", "w") as target:
        for name, data in files.items():
            target.writestr(name, data)
    return GanConfig(data=str(path / "set.zip"), size=16)


def many(count: int, folder: str = "a") -> dict[str, bytes]:
    return {f"{folder}/{number}.png": png(number) for number in range(count)}


def test_everything_is_found_and_said(tmp_path: Path) -> None:
    files = many(10) | {
        "a/grey.png": png(90, (30, 18), "L"),
        "a/again.png": png(3),
        "a/small.png": png(91, (40, 12)),
        "a/broken.png": b"not a picture",
        "a/cut.png": png(92)[:400],
        "notes.txt": b"of no interest",
    }
    found = load_pictures(archive(tmp_path, files))
    assert found.images.shape == (11, 16, 16, 3)
    assert found.images.dtype == torch.uint8
    assert found.label_names == ()
    assert found.summary.startswith("11 pictures, short sides 18 to 20 px, ")
    assert "2 broken, 1 smaller than 16 px, 1 there twice" in found.summary
    assert "(a/cut.png, a/broken.png, a/small.png and 1 more)" in found.summary
    assert found.left_out == {
        "a/cut.png": "broken",
        "a/broken.png": "broken",
        "a/small.png": "smaller than 16 px",
        "a/again.png": "there twice",
    }


def test_small_pictures_are_enlarged_when_asked(tmp_path: Path) -> None:
    files = many(9) | {"small.png": png(91, (40, 12))}
    config = archive(tmp_path, files)
    assert len(load_pictures(config).images) == 9
    enlarging = GanConfig(data=config.data, size=16, enlarge=True)
    assert len(load_pictures(enlarging).images) == 10


@pytest.mark.parametrize("count", [1, 7])
def test_too_few(tmp_path: Path, count: int) -> None:
    with pytest.raises(DataError, match=rf"has {count} pictures? to learn from; give 8 at least"):
        load_pictures(archive(tmp_path, many(count)))


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no pictures"):
        load_pictures(archive(tmp_path, {"notes.txt": b""}))
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="has no pictures"):
        load_pictures(GanConfig(data=str(tmp_path / "folder")))
    with pytest.raises(DataError, match="no such folder or zip"):
        load_pictures(GanConfig(data=str(tmp_path / "nowhere")))


def test_all_too_small(tmp_path: Path) -> None:
    config = archive(tmp_path, many(10))
    with pytest.raises(DataError, match=r"10 smaller than 32 px.*--enlarge"):
        load_pictures(GanConfig(data=config.data, size=32))


def test_copies_alone_are_one_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has 1 picture .*19 there twice"):
        load_pictures(archive(tmp_path, {f"{n}.png": png(0) for n in range(20)}))


def test_labels_are_the_outermost_folders_that_differ(tmp_path: Path) -> None:
    files = {
        f"set/{kind}/{number % 2}/{number}.png": png(number + 50 * (kind == "dark"))
        for kind in ("light", "dark")
        for number in range(5)
    }
    config = GanConfig(data=archive(tmp_path, files).data, size=16, labels=True)
    found = load_pictures(config)
    assert found.label_names == ("dark", "light")
    assert found.labels.tolist() == [0] * 5 + [1] * 5


def test_labels_of_one_kind(tmp_path: Path) -> None:
    config = GanConfig(data=archive(tmp_path, many(10)).data, size=16, labels=True)
    with pytest.raises(DataError, match="one kind only"):
        load_pictures(config)
