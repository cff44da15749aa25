"""Labelled sets, and the order in which they are shown."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from belamy.errors import DataError
from belamy.training.data import (
    TEST,
    TRAIN,
    Labelled,
    batch_indices,
    epoch_steps,
    load_labelled,
    load_splits,
)


def picture(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8), shade).save(file, "PNG")
    return file.getvalue()


def made(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_classes_are_folders_and_pictures_keep_their_order(tmp_path: Path) -> None:
    shades = {"train/dog/1.png": 10, "train/cat/2.png": 20, "train/cat/1.PNG": 30}
    path = made(tmp_path, {name: picture(shade) for name, shade in shades.items()})
    found = load_labelled(path, TRAIN, size=8)
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 0, 1]
    assert found.images[:, 0, 0, 0].tolist() == [30, 20, 10]


def test_a_split_may_lie_deep_and_have_another_name(tmp_path: Path) -> None:
    files = {"set/val/a/b/1.png": picture(1), "set/val/c/1.png": picture(2), "val/2.png": b""}
    found = load_labelled(made(tmp_path, files), TEST, size=8)
    assert found.classes == ("a", "c")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    files = {f"{split}/{name}/1.png": picture(1) for split in ("train", "test") for name in "ab"}
    files["test/train/1.png"] = files["train/train/1.png"] = picture(2)
    path = made(tmp_path, files)
    assert load_labelled(path, TRAIN, size=8).classes == ("a", "b", "train")
    assert load_labelled(path, TEST, size=8).classes == ("a", "b", "train")


def test_words_name_the_numbered_classes(tmp_path: Path) -> None:
    rows = [{"index": 0, "words": "tench, Tinca tinca"}, {"index": 1, "words": "goldfish"}]
    files = {"train/000/1.png": picture(1), "train/001/1.png": picture(2)}
    path = made(tmp_path, {**files, "classes.json": json.dumps(rows).encode()})
    assert load_labelled(path, TRAIN, size=8).classes == ("tench", "goldfish")


@pytest.mark.parametrize(
    "listing", [b"no json", b"[1]", b'[{"index": 0, "words": "alone"}]', b"{}", b"\xff"]
)
def test_words_that_do_not_fit_are_left_aside(tmp_path: Path, listing: bytes) -> None:
    files = {"train/000/1.png": picture(1), "train/001/1.png": picture(2)}
    path = made(tmp_path, {**files, "classes.json": listing})
    assert load_labelled(path, TRAIN, size=8).classes == ("000", "001")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no pictures under train/"),
        ({"train/1.png": b""}, "no pictures under train/"),
        ({"train/a/1.txt": b""}, "no pictures under train/"),
        ({"test/a/1.png": b"", "test/b/1.png": b""}, "no pictures under train/"),
        ({"train/a/1.png": b""}, "one class under train/ \\('a'\\)"),
        ({"train/a/1.png": b"broken", "train/b/1.png": b""}, "no picture of the class 'a'"),
        ({"train/a/1.png": picture(1), "train/b/1.png": b""}, "no picture of the class 'b'"),
    ],
)
def test_sets_that_cannot_be_used(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        load_labelled(made(tmp_path, files), TRAIN, size=8)
    assert "\n" not in str(caught.value)


def test_broken_pictures_lose_their_label_too(tmp_path: Path) -> None:
    files = {"train/a/1.png": b"broken", "train/a/2.png": picture(2), "train/b/1.png": picture(3)}
    found = load_labelled(made(tmp_path, files), TRAIN, size=8)
    assert found.broken == ("train/a/1.png",)
    assert found.labels.tolist() == [0, 1]
    assert len(found.images) == 2


def shades(found: Labelled) -> set[int]:
    return set(found.images[:, 0, 0, 0].tolist())


def test_a_set_without_splits_is_split_by_its_names(tmp_path: Path) -> None:
    files = {f"{c}/{n}.png": picture(10 * n + k) for k, c in enumerate("ab") for n in range(10)}
    path = made(tmp_path, files)
    train, test = load_splits(path, (8, 8))
    assert (len(train.images), len(test.images)) == (16, 4)
    assert (train.labels.tolist(), test.labels.tolist()) == ([0] * 8 + [1] * 8, [0, 0, 1, 1])
    assert not shades(train) & shades(test)
    assert train.messages == ("no test/ or val/: 4 of 20 pictures held out",)
    assert test.messages == ()
    for alone, split in ((train, TRAIN), (test, TEST)):  # as `classify evaluate` reads it
        assert shades(load_labelled(path, split, size=8)) == shades(alone)
    made(tmp_path, {"a/10.png": picture(200)})
    assert len(shades(load_splits(path, (8, 8))[1]) & shades(test)) >= 3  # not drawn anew


def test_a_test_split_is_held_out_of_train(tmp_path: Path) -> None:
    files = {
        f"train/{c}/{n}.png": picture(10 * n + k) for k, c in enumerate("ab") for n in range(5)
    }
    train, test = load_splits(made(tmp_path, files), (8, 8))
    assert (len(train.images), len(test.images)) == (8, 2)


def test_class_folders_that_hold_nothing_are_no_classes(tmp_path: Path) -> None:
    files = {f"{s}/{c}/1.png": picture(1) for s in ("train", "val") for c in "ab"}
    path = made(tmp_path, {**files, "train/c/list.txt": b""})
    (path / "val" / "d").mkdir()
    train, test = load_splits(path, (8, 8))
    assert train.classes == test.classes == ("a", "b")
    assert train.messages == ("c: a folder without pictures is no class",)
    assert test.messages == ("d: a folder without pictures is no class",)


def test_splits_must_have_the_same_classes(tmp_path: Path) -> None:
    names = ("train/a", "train/b", "val/a", "val/c")
    path = made(tmp_path, {f"{name}/1.png": picture(1) for name in names})
    with pytest.raises(DataError, match=r"the two splits differ \(b, c\)"):
        load_splits(path, (8, 8))


@pytest.mark.parametrize(("count", "batch", "world"), [(23, 4, 1), (23, 4, 2), (64, 8, 2)])
def test_an_epoch_shows_everything_at_most_once(count: int, batch: int, world: int) -> None:
    steps = epoch_steps(count, batch, world)
    for epoch in range(2):
        shown = [
            int(index)
            for step in range(epoch * steps, (epoch + 1) * steps)
            for rank in range(world)
            for index in batch_indices(count, batch, step, seed=0, rank=rank, world_size=world)
        ]
        assert len(shown) == len(set(shown)) == steps * batch * world
        assert count - len(shown) < batch * world


def test_a_small_set_is_repeated_until_it_fills_a_batch() -> None:
    shown = batch_indices(3, 8, 5, seed=0)
    assert shown.shape == (8,)
    assert set(shown[:3].tolist()) == set(shown[3:6].tolist()) == {0, 1, 2}
    assert epoch_steps(3, 8) == 1


def test_processes_share_what_one_alone_would_see() -> None:
    alone = batch_indices(50, 8, 3, seed=1)
    shared = [batch_indices(50, 4, 3, seed=1, rank=rank, world_size=2) for rank in (0, 1)]
    assert torch.equal(torch.stack(shared, dim=1).flatten(), alone)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    first, again = (batch_indices(50, 8, 2, seed=1) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, batch_indices(50, 8, 2, seed=2))
    assert not torch.equal(first, batch_indices(50, 8, 2 + epoch_steps(50, 8), seed=1))
