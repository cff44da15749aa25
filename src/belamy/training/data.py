"""Labelled pictures out of a folder or a zip, and an order of them addressed by step."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import DataError, ImageError
from belamy.files import printable
from belamy.pixels.archive import Tree, list_names, open_tree
from belamy.training.pictures import (
    Bytes,
    decode_squares,
    describe_squares,
    find_pictures,
)

__all__ = [
    "TEST",
    "TRAIN",
    "Labelled",
    "batch_indices",
    "epoch_steps",
    "load_labelled",
    "load_splits",
]

TRAIN = ("train", "training")
TEST = ("test", "val", "valid", "validation", "testing")

_HELD_OUT = 0.2  # of each class, where the data has no split of its own to measure on


@dataclass(frozen=True)
class Labelled:
    """Pictures and what they show.

    Args:
        images: (N, S, S, 3), sRGB.
        labels: (N,), indices into `classes`.
        classes: names, sorted by folder.
        broken: files that could not be read, left out.
        messages: what the user should know about them.
    """

    images: Bytes
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    broken: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Members:
    """Which pictures a split has.

    Args:
        folder_of: name of a picture → folder of its class.
        place: what the split is called, `train/` or "".
        parents: the folders in which those of the classes are, by their parts.
        messages: what the user should know.
    """

    folder_of: Mapping[str, str]
    place: str
    parents: frozenset[tuple[str, ...]]
    messages: tuple[str, ...] = ()


def load_labelled(
    path: str | os.PathLike[str],
    split: Sequence[str],
    *,
    size: int,
    cache: Path | None = None,
) -> Labelled:
    """The pictures of `SPLIT/CLASS/…`, centre-cropped to squares of `size` pixels.

    Where there is no split at all, as in `CLASS/…`, a fifth of each class is held out as the test
    split; which pictures depends on their names alone.

    Args:
        path: folder or zip; a `classes.json` in it, a list of `{"index", "words"}`, names the
            classes whose folders are numbers. Hidden files are not seen.
        split: names that the split may have, `TRAIN` or `TEST`; the first one found is taken.
        size: side in pixels; smaller pictures are enlarged.
        cache: folder for the decoded bytes; None keeps none.

    Raises:
        DataError: no such split, fewer than two classes, or a class without a readable picture.
    """
    with open_tree(path) as tree:
        names = find_pictures(tree) if tree.pictures else []
        members = _find_split(names, split) or _find_classes(tree, names, split)
        if members is None:
            raise _no_split(tree, split)
        return _load(tree, members, size, cache)


def load_splits(
    path: str | os.PathLike[str], sides: tuple[int, int], cache: Path | None = None
) -> tuple[Labelled, Labelled]:
    """The pictures to train on and those to measure on.

    As `load_labelled`, but where there is `train/` and nothing to measure on, a fifth of each
    class of it is held out.

    Args:
        path: folder or zip.
        sides: of the squares of the one and of the other, in pixels.
        cache: folder for the decoded bytes; None keeps none.

    Raises:
        DataError: as in `load_labelled`; or the two have other classes.
    """
    with open_tree(path) as tree:
        names = find_pictures(tree) if tree.pictures else []
        train, test = _find_split(names, TRAIN), _find_split(names, TEST)
        if train is not None and test is None:
            train, test = (_hold_out(tree, train, split) for split in (TRAIN, TEST))
        elif train is None and test is None:
            train, test = (_find_classes(tree, names, split) for split in (TRAIN, TEST))
        if train is None or test is None:
            raise _no_split(tree, TRAIN if train is None else TEST)
        train_set = _load(tree, train, sides[0], cache)
        test_set = _load(tree, test, sides[1], cache)
    if train_set.classes != test_set.classes:
        lacking = sorted(set(train_set.classes) ^ set(test_set.classes))
        raise DataError(
            f"{printable(path)}: the classes of the two splits differ ({list_names(lacking, 5)}); "
            "give each class a folder in both"
        )
    return train_set, test_set


def _no_split(tree: Tree, split: Sequence[str]) -> DataError:
    places = "/ or ".join(split[:3]) if split == TEST else split[0]
    return DataError(
        f"{printable(tree.path)} has no pictures under {places}/; lay them out as "
        f"{split[0]}/CLASS/PICTURE, or as CLASS/PICTURE without any split"
    )


def _load(tree: Tree, members: _Members, size: int, cache: Path | None) -> Labelled:
    folder_of = members.folder_of
    folders = sorted(set(folder_of.values()))
    path = printable(tree.path)
    if len(folders) < 2:
        where = f" under {members.place}" if members.place else ""
        raise DataError(
            f"{path} has one class{where} ({folders[0]!r}); "
            f"give two or more, as {members.place}CLASS/PICTURE"
        )
    read = decode_squares(tree, list(folder_of), size, cache)
    good = [folder for name, folder in folder_of.items() if name not in read.broken]
    for folder in sorted(set(folders) - set(good)):
        why = next(why for name, why in read.broken.items() if folder_of[name] == folder)
        raise DataError(
            f"{path}: no picture of the class {folder!r} can be read ({why}); mend or remove it"
        )
    index = {folder: number for number, folder in enumerate(folders)}
    labels = np.array([index[folder] for folder in good], dtype=np.int64)
    broken = tuple(sorted(read.broken))
    messages = (*members.messages, *_say_empty(tree, members), *tree.messages)
    notes = describe_squares(path, read, len(folder_of))
    return Labelled(
        read.images, labels, _read_class_names(tree, folders), broken, (*messages, *notes)
    )


def _find_split(names: Iterable[str], split: Sequence[str]) -> _Members | None:
    """The pictures in the first of the splits that has any."""
    for split_name in split:
        folder_of, parents = dict[str, str](), set[tuple[str, ...]]()
        for name in names:
            parts = PurePosixPath(name).parts
            lower = [part.lower() for part in parts[:-2]]
            if split_name in lower:
                at = lower.index(split_name)
                folder_of[name] = parts[at + 1]
                parents.add(parts[: at + 1])
        if folder_of:
            return _Members(folder_of, f"{min(parents)[-1]}/", frozenset(parents))
    return None


def _find_classes(tree: Tree, names: Sequence[str], split: Sequence[str]) -> _Members | None:
    """The part for `split` of pictures in `CLASS/…`, without any split: None if they are not so."""
    if not names or _find_split(names, (*TRAIN, *TEST)):
        return None
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    levels = enumerate(zip(*folders, strict=False))
    # of the folder in which the classes are
    depth = next((at for at, parts in levels if len(set(parts)) > 1), min(map(len, folders)))
    if depth and all(len(one) == depth for one in folders):  # one folder of pictures: one class
        depth -= 1
    folder_of = {
        name: folder[depth]
        for name, folder in zip(names, folders, strict=True)
        if len(folder) > depth
    }
    if not folder_of or {one.lower() for one in folder_of.values()} <= {*TRAIN, *TEST}:
        return None
    loose = [name for name in names if name not in folder_of]
    messages = [f"{list_names(loose)} left out, in no folder of a class"] if loose else []
    parent = folders[0][:depth]
    place = "".join(f"{part}/" for part in parent)
    return _hold_out(tree, _Members(folder_of, place, frozenset([parent]), tuple(messages)), split)


def _hold_out(tree: Tree, members: _Members, split: Sequence[str]) -> _Members:
    """The part for `split` of pictures that have none: a fifth of each class is the test split."""
    counts = Counter(members.folder_of.values())
    few = [folder for folder, count in counts.items() if count < 2]
    if few and len(counts) > 1:
        raise DataError(
            f"{printable(tree.path)} has one picture of {list_names(few)}; give two or more of "
            "each class, so that one can be held out to measure on"
        )
    held_out = set[str]()
    for folder in counts:
        names = [name for name, own in members.folder_of.items() if own == folder]
        count = max(1, round(_HELD_OUT * len(names))) if len(counts) > 1 else 0
        held_out.update(sorted(names, key=_hash_of)[:count])
    test = split == TEST
    kept = {
        name: folder for name, folder in members.folder_of.items() if (name in held_out) == test
    }
    said = f"no test/ or val/: {len(held_out):,} of {len(members.folder_of):,} pictures held out"
    messages = members.messages if test else (said, *members.messages)
    return replace(members, folder_of=kept, messages=messages)


def _hash_of(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()


def _say_empty(tree: Tree, members: _Members) -> list[str]:
    """Folders where classes are that have no pictures, as one line."""
    places = [PurePosixPath(one).parts for one in tree.empty]
    places += [PurePosixPath(one).parts[:-1] for one in tree.names]
    beside = {
        place[len(parent)]
        for parent in members.parents
        for place in places
        if len(place) > len(parent) and place[: len(parent)] == parent
    }
    empty = beside - set(members.folder_of.values())
    return [f"{list_names(empty)}: a folder without pictures is no class"] if empty else []


def _read_class_names(tree: Tree, folders: Sequence[str]) -> tuple[str, ...]:
    """The words of `classes.json` where it is there, else the folders' own names."""
    listing = next((n for n in tree.names if PurePosixPath(n).name == "classes.json"), None)
    if listing is None:
        return tuple(folders)
    try:
        rows = json.loads(tree.read(listing))
        words = {int(row["index"]): str(row["words"]).split(",")[0].strip() for row in rows}
        names = tuple(words[int(folder)] for folder in folders)
    except (ValueError, KeyError, TypeError, AttributeError, ImageError, RecursionError):
        return tuple(folders)
    return names if len(set(names)) == len(names) else tuple(folders)


def batch_indices(
    count: int, batch: int, step: int, *, seed: int, rank: int = 0, world_size: int = 1
) -> Tensor:
    """Which pictures batch `step` takes: int64 (batch,), different for each process.

    Each epoch is one permutation, a function of (seed, epoch), cut into batches for all the
    processes together; the rest that fills no batch waits for the next epoch. A data set smaller
    than one batch is repeated until it fills it.
    """
    per_step = batch * world_size
    repeats = -(-per_step // count)
    epoch, position = divmod(step, epoch_steps(count, batch, world_size))
    order = _epoch_order(count, repeats, seed, epoch)
    return order[position * per_step :][:per_step][rank::world_size]


@functools.lru_cache(maxsize=2)
def _epoch_order(count: int, repeats: int, seed: int, epoch: int) -> Tensor:
    parts = [
        torch.randperm(count, generator=make_rng(seed, "order", epoch, part))
        for part in range(repeats)
    ]
    return torch.cat(parts)


def epoch_steps(count: int, batch: int, world_size: int = 1) -> int:
    """Steps in one epoch of `batch_indices`."""
    return max(1, count // (batch * world_size))
