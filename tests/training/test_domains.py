"""Two sets of pictures: found, matched, cut."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from belamy.errors import DataError
from belamy.training.domains import CROPS, DomainPair, load_domains


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))


def folder(place: Path, *names: str, level: int = 0) -> Path:
    for number, name in enumerate(names):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((20, 24, 3), level + number, np.uint8)
        Image.fromarray(pixels).save(path)
    return place


def test_pictures_in_all_folders_of_a_folder_or_a_zip(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", "x/1.png", "y/2.png")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for number in range(3):
            path = tmp_path / "a" / "x" / "1.png"
            archive.write(path, f"sea/{number}.png")
            archive.write(path, f"sky/{number}.png")
    worlds = load_domains(a, tmp_path / "b.zip", 16)
    assert worlds.a.shape == (2, 16, 16, 3)
    assert worlds.b.shape == (6, 16, 16, 3)
    assert load_domains(a, tmp_path / "b.zip" / "sea", 16).b.shape == (3, 16, 16, 3)
    assert worlds.messages == ()


def test_what_is_wrong_with_a_world_is_said(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", "1.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty has no pictures"):
        load_domains(tmp_path / "empty", a, 16)
    with pytest.raises(DataError, match="no such folder or zip"):
        load_domains(a, tmp_path / "nowhere", 16)
    (a / "2.png").write_bytes(b"no picture")
    assert "1 of 2 pictures cannot be read" in load_domains(a, a.parent / "a", 16).messages[0]


def test_the_same_folder_twice_is_warned_of(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", "1.png", "2.png")
    link = tmp_path / "link"
    link.symlink_to(a)
    (remark,) = load_domains(a, link, 16).messages
    assert "the same pictures" in remark


def test_one_picture_is_warned_of(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a", "1.png"), folder(tmp_path / "b", "1.png", "2.png")
    (remark,) = load_domains(a, b, 16).messages
    assert "a has one picture" in remark


def test_pairs_are_matched_by_name(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", "1.png", "2.png", "3.png", level=10)
    b = folder(tmp_path / "b", "3.bmp", "1.bmp", "2.bmp", level=100)
    worlds = load_domains(a, b, 16, paired=True)
    assert worlds.a[:, 0, 0, 0].tolist() == [10, 11, 12]
    assert worlds.b[:, 0, 0, 0].tolist() == [101, 102, 100]
    folder(b, "4.bmp", "5.bmp")
    with pytest.raises(DataError, match=r"4, 5 in .*b has no picture of the same name in .*a"):
        load_domains(a, b, 16, paired=True)
    folder(b, *(f"{n}.bmp" for n in range(10, 30)))
    with pytest.raises(DataError, match="and 17 more"):
        load_domains(a, b, 16, paired=True)


def paint(path: Path, left: int, right: int, size: tuple[int, int] = (48, 24)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("L", size, left)
    picture.paste(right, (size[0] // 2, 0, *size))
    picture.convert("RGB").save(path)


def test_two_files_of_one_name_are_no_pair(tmp_path: Path) -> None:
    """0.bmp is red here, and 0.png there: whichever is taken may be the wrong one."""
    a = folder(tmp_path / "a", "0.bmp", "0.jpg", "1.png", level=10)
    b = folder(tmp_path / "b", "0.jpg", "0.png", "1.png", level=100)
    domains = load_domains(a, b, 16, paired=True)
    assert (domains.a[:, 0, 0, 0].tolist(), domains.b[:, 0, 0, 0].tolist()) == ([12], [102])
    said = " ".join(domains.messages)
    for place, names in ((a, "0.bmp, 0.jpg"), (b, "0.jpg, 0.png")):
        assert f"several pictures in {place} have their name: {names}" in said
    for path in (a / "1.png", b / "1.png"):
        path.unlink()
    with pytest.raises(DataError, match=r"no pair that can be used; .*0\.bmp, 0\.jpg"):
        load_domains(a, b, 16, paired=True)


def test_a_pair_with_a_broken_half_is_left_out_by_name(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", *(f"{n}.png" for n in range(4)), level=10)
    b = folder(tmp_path / "b", *(f"{n}.png" for n in range(4)), level=100)
    (b / "2.png").write_bytes(b"no picture")
    domains = load_domains(a, b, 16, paired=True)
    assert domains.a[:, 0, 0, 0].tolist() == [10, 11, 13]
    assert domains.b[:, 0, 0, 0].tolist() == [100, 101, 103]
    broken, pair = domains.messages
    assert "1 of 4 pictures cannot be read, and are left out: 2.png (of 2.png: it is not" in broken
    assert pair == "pairs left out, since one half cannot be read: 2"


def test_pairs_of_different_shape_are_remarked(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a", "1.png", "2.png"), folder(tmp_path / "b", "1.png", "2.png")
    Image.new("RGB", (24, 24)).save(b / "2.png")
    domains = load_domains(a, b, 16, paired=True)
    assert len(domains.a) == len(domains.b) == 2
    assert domains.messages[-1].endswith("may not lie on each other: 2")


def test_pairs_side_by_side_are_halves(tmp_path: Path) -> None:
    for number in range(3):
        paint(tmp_path / f"{number}.png", 10 + number, 100 + number)
    (tmp_path / "3.png").write_bytes(b"no picture")
    domains = load_domains(tmp_path, tmp_path, 16, paired=True)
    assert domains.paired
    assert (domains.a == torch.tensor([10, 11, 12]).view(3, 1, 1, 1)).all()
    assert (domains.b == torch.tensor([100, 101, 102]).view(3, 1, 1, 1)).all()
    assert (domains.swap().a == domains.b).all()
    said, broken = domains.messages
    assert said == f"{tmp_path}: 3 pairs side by side, A in the left half"
    assert "1 of 4 pictures cannot be read" in broken
    paint(tmp_path / "4.png", 14, 104, (60, 24))
    said = load_domains(tmp_path, tmp_path, 16, paired=True).messages[0]
    assert said.endswith("not twice as wide as high: 4.png")


def test_of_pairs_side_by_side_those_to_learn_from_are_taken(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "train", "val", "test")):
        paint(tmp_path / "facades" / split / f"{number}.png", 10 + number, 100 + number)
    place = tmp_path / "facades"
    assert load_domains(place, place, 16, paired=True).a[:, 0, 0, 0].tolist() == [10, 11]
    val = place / "val"
    assert load_domains(val, val, 16, paired=True).b[:, 0, 0, 0].tolist() == [102]


def test_what_is_not_side_by_side_is_said(tmp_path: Path) -> None:
    folder(tmp_path, "1.png", "2.png")
    with pytest.raises(DataError, match=r"not two side by side \(1\.png, 2\.png"):
        load_domains(tmp_path, tmp_path, 16, paired=True)


def noise(count: int, side: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, side, side, 3), generator=chance).to(torch.uint8)


@pytest.mark.parametrize("crop", CROPS)
def test_batches_are_a_function_of_seed_and_step(crop: str) -> None:
    side = round(CROPS[crop][0] * 32)
    worlds = DomainPair(noise(9, side), noise(7, side))

    def batch(step: int, seed: int = 0, rank: int = 0) -> torch.Tensor:
        a, b = worlds.batch(step, size=32, crop=crop, batch=2, seed=seed, rank=rank, world_size=2)
        assert a.shape == b.shape == (2, 3, 32, 32)
        assert 0 <= a.min() <= a.max() <= 1
        return torch.cat([a, b])

    assert torch.equal(batch(5), batch(5))
    for other in (batch(6), batch(5, seed=1), batch(5, rank=1)):
        assert not torch.equal(batch(5), other)


@pytest.mark.parametrize("crop", CROPS)
def test_pairs_are_cut_alike(crop: str) -> None:
    images = noise(5, round(CROPS[crop][0] * 32))
    worlds = DomainPair(images, 255 - images, paired=True)
    for step in range(6):
        a, b = worlds.batch(step, size=32, crop=crop, batch=2, seed=0, rank=0, world_size=1)
        torch.testing.assert_close(a, 1 - b, atol=1e-5, rtol=0)


def test_unpaired_orders_are_independent() -> None:
    """Else a picture would always meet the same one of the other world."""
    images = torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1).expand(8, 32, 32, 3)
    worlds = DomainPair(images, images)
    met = [
        tuple(
            int(x.mean() * 255 + 0.5)
            for x in worlds.batch(
                step, size=32, crop="whole", batch=1, seed=0, rank=0, world_size=1
            )
        )
        for step in range(64)
    ]
    assert len(set(met)) > 20
