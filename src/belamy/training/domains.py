"""Two image domains A and B, unpaired or in pairs, and the squares that a step learns from."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import DataError
from belamy.files import cache_folder
from belamy.training.crops import random_resized_crops
from belamy.training.data import batch_indices
from belamy.training.pictures import SUFFIXES, decode_squares, open_tree

__all__ = ["CROPS", "DomainPair", "load_domains"]

_NAMED = 5  # pictures without a pair that a message lists


@dataclass(frozen=True)
class DomainPair:
    """The pictures of domain A and domain B, aligned or not.

    Args:
        a, b: uint8 (N, S, S, 3) and (M, S, S, 3).
        paired: picture i of the one belongs to picture i of the other.
        messages: what the user should know about them.
    """

    a: Tensor
    b: Tensor
    paired: bool = False
    messages: tuple[str, ...] = ()

    def batch(
        self, step: int, *, size: int, crop: str, batch: int, seed: int, rank: int, world_size: int
    ) -> tuple[Tensor, Tensor]:
        """Squares of both domains for a step: a function of (seed, step, rank) alone.

        Args:
            step: which one.
            size: side of the squares in pixels.
            crop: one of `CROPS`.
            batch: squares of each domain.
            seed: of the order and the crops.
            rank: this process.
            world_size: processes in all.

        Returns:
            float32 (batch, 3, size, size) in [0, 1], twice; pairs are cut alike.
        """
        cut = CROPS[crop][1]

        def choose(images: Tensor, name: str) -> Tensor:
            own = make_rng(seed, "order of", name).initial_seed() % 2**31
            order = batch_indices(
                len(images), batch, step, seed=own, rank=rank, world_size=world_size
            )
            return images[order]

        def rng_for(name: str) -> torch.Generator:
            return make_rng(seed, "crops of", name, step, rank)

        if self.paired:
            both = torch.cat([choose(self.a, "a"), choose(self.b, "a")], dim=-1)  # (N, S, S, 6)
            a, b = cut(both, size, rng_for("a")).chunk(2, dim=1)
            return a.contiguous(), b.contiguous()
        a, b = (
            cut(choose(images, name), size, rng_for(name))
            for images, name in ((self.a, "a"), (self.b, "b"))
        )
        return a, b


def _cut_jittered(images: Tensor, size: int, rng: torch.Generator) -> Tensor:
    """Random squares of the pictures as they lie there, half of them mirrored."""
    spare = images.shape[1] - size
    corners = torch.randint(spare + 1, (len(images), 2), generator=rng).tolist()
    parts = [
        image[top : top + size, left : left + size]
        for image, (top, left) in zip(images, corners, strict=True)
    ]
    return _mirror(torch.stack(parts), rng)


def _cut_whole(images: Tensor, size: int, rng: torch.Generator) -> Tensor:
    assert images.shape[1] == size
    return _mirror(images, rng)


def _mirror(images: Tensor, rng: torch.Generator) -> Tensor:
    batch = images.permute(0, 3, 1, 2).float().div_(255)  # (N, C, H, W)
    turned = torch.rand(len(batch), 1, 1, 1, generator=rng) < 0.5
    return torch.where(turned, batch.flip(-1), batch).contiguous()


def _cut_zoomed(images: Tensor, size: int, rng: torch.Generator) -> Tensor:
    return random_resized_crops(images, size, rng, area=(CROPS["zoom"][0] ** -2, 1.0))


CROPS: dict[str, tuple[float, Callable[[Tensor, int, torch.Generator], Tensor]]] = {
    "jitter": (286 / 256, _cut_jittered),  # Isola et al. 2017
    "detail": (1.6, _cut_jittered),  # by eye
    "zoom": (1.6, _cut_zoomed),
    "whole": (1.0, _cut_whole),
}
"""How squares are cut: the side of the stored pictures, in sides of a square; and what cuts uint8
(N, S, S, C) into float32 (N, C, size, size) in [0, 1]."""


def load_domains(
    a: str | os.PathLike[str], b: str | os.PathLike[str], side: int, *, paired: bool = False
) -> DomainPair:
    """The pictures of two folders or zips, wherever in them they are.

    Args:
        a, b: folders, zips, or folders in zips (`photos.zip/sea`).
        side: of the squares that are kept, in pixels.
        paired: whether those of the same name belong together.

    Raises:
        DataError: one of them has no pictures, or one of a pair is missing.
    """
    first, second = _load(a, side), _load(b, side)
    messages = [message for one in (first, second) for message in one.messages]
    for place, images in ((a, first.images), (b, second.images)):
        if len(images) == 1:
            messages.append(f"{place} has one picture, which will be learned by heart; give more")
    if not paired and os.path.realpath(a) == os.path.realpath(b):
        messages.append(f"A and B are the same pictures ({a}); there is nothing to translate")
    if paired:
        first, second = _match_pairs(a, first, b, second)
    return DomainPair(first.images, second.images, paired, tuple(messages))


@dataclass(frozen=True)
class _Domain:
    """Pictures and their names without suffixes, and messages."""

    images: Tensor
    names: tuple[str, ...]
    messages: tuple[str, ...] = ()

    def only(self, names: Sequence[str]) -> _Domain:
        indices = {name: index for index, name in enumerate(self.names)}
        return _Domain(self.images[[indices[name] for name in names]], tuple(names), self.messages)


def _load(path: str | os.PathLike[str], side: int) -> _Domain:
    place, inside = _locate(Path(path))
    with open_tree(place) as tree:
        names = [
            name
            for name in tree.names
            if name.startswith(inside) and PurePosixPath(name).suffix.lower() in SUFFIXES
        ]
        if not names:
            raise DataError(f"{path} has no pictures; give a folder or a zip of pictures")
        read = decode_squares(tree, names, side, cache_folder() / "pictures")
    if len(read.images) == 0:
        raise DataError(f"{path}: none of its {len(names)} pictures can be read; mend them")
    good = [str(PurePosixPath(n[len(inside) :]).with_suffix("")) for n in names]
    kept = tuple(own for own, name in zip(good, names, strict=True) if name not in read.broken)
    broken = len(read.broken)
    note = f"{path}: {broken} of {len(names)} pictures cannot be read, and are left out"
    return _Domain(torch.from_numpy(read.images), kept, (note,) if broken else ())


def _locate(path: Path) -> tuple[Path, str]:
    """The folder or zip, and the beginning of the names in it that are meant."""
    for parent in path.parents:
        if parent.is_file():
            return parent, path.relative_to(parent).as_posix() + "/"
    return path, ""


def _match_pairs(a: object, first: _Domain, b: object, second: _Domain) -> tuple[_Domain, _Domain]:
    for own, names, others, place in (
        (a, first.names, second.names, b),
        (b, second.names, first.names, a),
    ):
        alone = sorted(set(names) - set(others))
        if alone:
            more = f" and {len(alone) - _NAMED} more" if len(alone) > _NAMED else ""
            listed = ", ".join(alone[:_NAMED]) + more
            raise DataError(
                f"{listed} in {own} has no picture of the same name in {place}; pairs need one each"
            )
    common = sorted(first.names)
    return first.only(common), second.only(common)
