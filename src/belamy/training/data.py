"""Labelled pictures out of a folder or a zip, and an order of them addressed by step."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import DataError
from belamy.training.pictures import SUFFIXES, Bytes, Tree, decode_squares, open_tree

__all__ = ["TEST", "TRAIN", "Labelled", "batch_indices", "epoch_steps", "load_labelled"]

TRAIN = ("train",)
TEST = ("test", "val", "validation")


@dataclass(frozen=True)
class Labelled:
    """Pictures and what they show.

    Args:
        images: (N, S, S, 3), sRGB.
        labels: (N,), indices into `classes`.
        classes: names, sorted by folder.
        broken: files that could not be read, left out.
    """

    images: Bytes
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    broken: tuple[str, ...] = ()


def load_labelled(
    path: str | os.PathLike[str],
    split: Sequence[str],
    *,
    size: int,
    cache: Path | None = None,
) -> Labelled:
    """The pictures of `SPLIT/CLASS/…`, centre-cropped to squares of `size` pixels.

    Args:
        path: folder or zip; a `classes.json` in it, a list of `{"index", "words"}`, names the
            classes whose folders are numbers. Hidden files are not seen.
        split: names that the split may have; the first one found is taken.
        size: side in pixels; smaller pictures are enlarged.
        cache: folder for the decoded bytes; None keeps none.

    Raises:
        DataError: no such split, fewer than two classes, or a class without a readable picture.
    """
    with open_tree(path) as tree:
        folder_of = _find_members(tree, split)
        folders = sorted(set(folder_of.values()))
        if len(folders) < 2:
            raise DataError(
                f"{tree.path} has one class under {split[0]}/ ({folders[0]!r}); "
                f"give two or more, as {split[0]}/CLASS/PICTURE"
            )
        read = decode_squares(tree, list(folder_of), size, cache)
        classes = _read_class_names(tree, folders)
    good = [folder for name, folder in folder_of.items() if name not in read.broken]
    for folder in sorted(set(folders) - set(good)):
        raise DataError(
            f"{path}: no picture of the class {folder!r} can be read; mend or remove it"
        )
    index = {folder: number for number, folder in enumerate(folders)}
    labels = np.array([index[folder] for folder in good], dtype=np.int64)
    return Labelled(read.images, labels, classes, tuple(sorted(read.broken)))


def _find_members(tree: Tree, split: Sequence[str]) -> dict[str, str]:
    """Name → class folder of the pictures in the first of the splits that has any."""
    paths = {name: PurePosixPath(name) for name in tree.names}
    pictures = {name: p.parts for name, p in paths.items() if p.suffix.lower() in SUFFIXES}
    for folder in split:
        folder_of = {
            name: parts[parts.index(folder) + 1]
            for name, parts in pictures.items()
            if folder in parts[:-2]
        }
        if folder_of:
            return folder_of
    raise DataError(
        f"{tree.path} has no pictures under {'/ or '.join(split)}/; "
        f"lay them out as {split[0]}/CLASS/PICTURE"
    )


def _read_class_names(tree: Tree, folders: Sequence[str]) -> tuple[str, ...]:
    """The words of `classes.json` where it is there, else the folders' own names."""
    listing = next((n for n in tree.names if PurePosixPath(n).name == "classes.json"), None)
    if listing is None:
        return tuple(folders)
    try:
        rows = json.loads(tree.read(listing))
        words = {int(row["index"]): str(row["words"]).split(",")[0].strip() for row in rows}
        names = tuple(words[int(folder)] for folder in folders)
    except (ValueError, KeyError, TypeError, AttributeError):
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
