"""The data set of a GAN: real pictures, looked over first, and their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import torch
from torch import Tensor

from belamy.engines.gan.config import GanConfig
from belamy.errors import DataError, ImageError
from belamy.files import printable
from belamy.pixels.archive import Tree, open_tree
from belamy.pixels.decode import reading_together
from belamy.training.pictures import Bytes, decode_squares, find_pictures, pictures_cache

__all__ = ["Pictures", "load_pictures"]

FEWEST = 8  # pictures; below, there is nothing to tell apart from copying
_NAMED = 3  # files that are named in a message; the run folder has a list of all


@dataclass(frozen=True)
class Pictures:
    """What is learned from.

    Args:
        images: uint8 (N, S, S, 3).
        labels: int64 (N,), indices into `label_names`; all 0 where there are none.
        label_names: none where labels are not asked for.
        summary: what was found in the data, a line for the user.
        left_out: name of each picture that is not learned from → why; broken ones first.
    """

    images: Tensor
    labels: Tensor
    label_names: tuple[str, ...]
    summary: str
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _File:
    """A picture's header."""

    name: str
    size: tuple[int, int]
    mode: str


def load_pictures(config: GanConfig) -> Pictures:
    """Every picture of the data that can be read, is large enough, and is there once.

    Raises:
        DataError: fewer than 8 remain, or labels are asked for and there are not two of them.
    """
    with open_tree(config.data) as tree:
        names = find_pictures(tree)
        with reading_together():
            files = [file for name in names if (file := _read_header(tree, name)) is not None]
        large = [f for f in files if config.enlarge or min(f.size) >= config.size]
        small = {f.name for f in files} - {f.name for f in large}
        left_out = dict.fromkeys(sorted({*names} - {f.name for f in files}), "broken")
        left_out |= dict.fromkeys(sorted(small), f"smaller than {config.size} px")
        _check_count(config, len(large), left_out)
        kept = [f.name for f in large]
        read = decode_squares(tree, kept, config.size, pictures_cache())
    left_out = {**dict.fromkeys(sorted(read.broken), "broken"), **left_out}
    kept = [name for name in kept if name not in read.broken]
    unique = _find_unique(read.images)
    left_out |= dict.fromkeys(sorted({*kept} - {kept[k] for k in unique}), "there twice")
    # mapped into memory, where it can be
    images = read.images if len(unique) == len(kept) else read.images[unique]
    kept = [kept[index] for index in unique]
    _check_count(config, len(kept), left_out)
    label_names, labels = _read_labels(config, kept)
    summary = "; ".join((_summarise(large, len(kept), left_out), *tree.messages, *read.notes[:1]))
    return Pictures(torch.from_numpy(images), labels, label_names, summary, left_out)


def _read_header(tree: Tree, name: str) -> _File | None:
    """None if it is broken: found out without decoding."""
    try:
        with tree.open_picture(name, shared=True) as image:
            return _File(name, image.size, image.mode)
    except ImageError:  # it is listed and left out
        return None


def _check_count(config: GanConfig, count: int, left_out: Mapping[str, str]) -> None:
    if count < FEWEST:
        raise DataError(
            f"{config.data} has {count} picture{'s' * (count != 1)} to learn from"
            f"{_count_left_out(left_out)}; give {FEWEST} at least, hundreds if you can"
            + ("" if config.enlarge else ", or a smaller --size, or --enlarge")
        )


def _count_left_out(left_out: Mapping[str, str]) -> str:
    """How many were left out for which reason, and a few of their names; nothing if none were."""
    if not left_out:
        return ""
    counts = ", ".join(f"{count:,} {why}" for why, count in Counter(left_out.values()).items())
    more = f" and {len(left_out) - _NAMED:,} more" if len(left_out) > _NAMED else ""
    return f"; left out: {counts} ({', '.join(map(printable, list(left_out)[:_NAMED]))}{more})"


def _find_unique(images: Bytes) -> list[int]:
    """Indices of the pictures that are not the same, byte for byte, as one before them."""
    seen: dict[bytes, int] = {}
    for index, image in enumerate(images):
        seen.setdefault(image.tobytes(), index)
    return list(seen.values())


def _read_labels(config: GanConfig, names: Sequence[str]) -> tuple[tuple[str, ...], Tensor]:
    """The outermost folders that differ, and which of them each picture is in."""
    if not config.labels:
        return (), torch.zeros(len(names), dtype=torch.int64)
    paths = [PurePosixPath(name).parts[:-1] for name in names]
    depth = next((d for d in range(max(map(len, paths))) if len(_folders_at(paths, d)) > 1), None)
    if depth is None:
        raise DataError(
            f"{config.data} has pictures of one kind only; put each kind in a folder of its own, "
            "or leave out --labels"
        )
    names_of_labels = tuple(sorted(_folders_at(paths, depth)))
    folders = [path[depth] if len(path) > depth else "" for path in paths]
    return names_of_labels, torch.tensor([names_of_labels.index(one) for one in folders])


def _folders_at(paths: Iterable[tuple[str, ...]], depth: int) -> set[str]:
    return {path[depth] if len(path) > depth else "" for path in paths}


def _summarise(files: Sequence[_File], count: int, left_out: Mapping[str, str]) -> str:
    sides = [min(file.size) for file in files]
    modes = ", ".join(f"{n:,} {mode}" for mode, n in Counter(f.mode for f in files).most_common(4))
    text = f"{count:,} pictures, short sides {min(sides)} to {max(sides)} px, {modes}"
    return text + _count_left_out(left_out)
