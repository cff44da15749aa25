"""Two image domains A and B, unpaired or in pairs, and the squares that a step learns from."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import DataError
from belamy.files import printable
from belamy.pixels.archive import list_names, locate, open_tree
from belamy.training.crops import random_resized_crops
from belamy.training.data import batch_indices
from belamy.training.pictures import (
    decode_squares,
    describe_squares,
    find_pictures,
    pictures_cache,
    require_some,
)

__all__ = ["CROPS", "DomainPair", "load_domains", "load_halves"]

_NAMED = 5  # pictures that a message lists
_SHAPE = 0.03  # of width over height, by which two pictures may differ: whole pixels of small ones
_TWO_SQUARES = 2.0  # width over height
_NARROWEST = 1.5  # width over height: no two pictures side by side are narrower


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

    def swap(self) -> DomainPair:
        """The same with A and B in each other's place."""
        return replace(self, a=self.b, b=self.a)

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
        a, b: folders, zips, or folders in zips (`photos.zip/sea`). With `paired` they may be the
            same, of pictures that have A in their left half and B in their right one, as pix2pix's
            data sets; of its folders `train` is taken, where there is one.
        side: of the squares that are kept, in pixels.
        paired: whether those of the same name belong together; one whose partner cannot be read is
            left out with it.

    Raises:
        DataError: one of them has no pictures, or pairs do not match.
    """
    same = os.path.realpath(a) == os.path.realpath(b)
    if paired and same:
        return load_halves(a, side)
    first, second = _load(a, side), _load(b, side)
    messages = [*first.messages, *second.messages]
    if same:
        messages = [*first.messages, _same_pictures(a)]
    for place, domain in ((a, first), (b, second)):
        if len(domain.images) == 1:
            messages.append(
                f"{printable(place)} has one picture, which will be learned by heart; give more"
            )
    if paired:
        first, second, said = _match_pairs(a, first, b, second)
        messages += said
    return DomainPair(first.images, second.images, paired, tuple(messages))


def _same_pictures(place: str | os.PathLike[str]) -> str:
    return f"A and B are the same pictures ({printable(place)}); there is nothing to translate"


@dataclass(frozen=True)
class _Domain:
    """Pictures, what they are called, and messages.

    Args:
        images: uint8 (N, S, S, 3).
        names: of them, without suffixes.
        broken: names, without suffixes, of those that cannot be read.
        twice: name that several pictures have, but for their suffixes → their files.
        shapes: name → width over height.
        messages: what the user should know.
    """

    images: Tensor
    names: tuple[str, ...]
    broken: frozenset[str]
    twice: Mapping[str, tuple[str, ...]]
    shapes: Mapping[str, float]
    messages: tuple[str, ...] = ()

    def only(self, names: Sequence[str]) -> _Domain:
        indices = {name: index for index, name in enumerate(self.names)}
        kept = self.images[[indices[name] for name in names]]
        return replace(self, images=kept, names=tuple(names))


def _load(path: str | os.PathLike[str], side: int) -> _Domain:
    place, part = locate(path)
    with open_tree(place) as tree:
        names = find_pictures(tree, part)
        read = decode_squares(tree, names, side, pictures_cache())
        require_some(path, read, len(names))
        own = {name: _stem(name, part) for name in names}
        counts = Counter(own.values())
        good = [own[name] for name in names if name not in read.broken]
    return _Domain(
        torch.from_numpy(read.images),
        tuple(good),
        frozenset(own[name] for name in read.broken),
        {stem: tuple(n for n in names if own[n] == stem) for stem, n in counts.items() if n > 1},
        dict(zip(good, read.shapes, strict=True)),
        (*tree.messages, *describe_squares(path, read, len(names))),
    )


def _stem(name: str, part: str) -> str:
    inside = name[len(part) + 1 :] if part else name
    return str(PurePosixPath(inside).with_suffix(""))


def _match_pairs(
    a: str | os.PathLike[str], first: _Domain, b: str | os.PathLike[str], second: _Domain
) -> tuple[_Domain, _Domain, list[str]]:
    """Both in one order, and what was left out of them."""
    twice = {*first.twice, *second.twice}
    broken = (first.broken | second.broken) - twice
    out = twice | broken
    _require_partners(a, set(first.names) - out, b, set(second.names) - out)
    messages = [*_describe_twice(a, first), *_describe_twice(b, second)]
    halves = broken & {*first.names, *second.names}
    if halves:
        messages.append(
            f"pairs left out, since one half cannot be read: {list_names(halves, _NAMED)}"
        )
    common = sorted(set(first.names) - out)
    if not common:
        raise DataError(
            f"{printable(a)} and {printable(b)} have no pair that can be used; "
            + ("; ".join(messages) or "name the pictures of a pair alike")
        )
    crooked = [
        name for name in common if abs(math.log(first.shapes[name] / second.shapes[name])) > _SHAPE
    ]
    if crooked:
        messages.append(
            "pairs of different shape, which may not lie on each other: "
            f"{list_names(crooked, _NAMED)}"
        )
    return first.only(common), second.only(common), messages


def _require_partners(
    a: str | os.PathLike[str], first: set[str], b: str | os.PathLike[str], second: set[str]
) -> None:
    for own, alone, other in ((a, first - second, b), (b, second - first, a)):
        if alone:
            raise DataError(
                f"{list_names(alone, _NAMED)} in {printable(own)} has no picture of the same name "
                f"in {printable(other)}; pairs need one each"
            )


def _describe_twice(place: str | os.PathLike[str], domain: _Domain) -> list[str]:
    if not domain.twice:
        return []
    files = [name for each in domain.twice.values() for name in each]
    return [
        f"pairs left out, since several pictures in {printable(place)} have their name: "
        f"{list_names(files, _NAMED)}"
    ]


def load_halves(path: str | os.PathLike[str], side: int) -> DomainPair:
    """Pairs that are side by side in one picture: A in the left half, B in the right one.

    Args:
        path: a folder, a zip, or a folder in a zip; of its folders `train` is taken, where there
            is one.
        side: of the squares that are kept, in pixels.

    Raises:
        DataError: there are no pictures, or none is about twice as wide as high.
    """
    place, part = locate(path)
    with open_tree(place) as tree:
        names = find_pictures(tree, part)
        names = [name for name in names if "train" in _folders(name, part)] or names
        cache = pictures_cache()
        left, right = (
            decode_squares(tree, names, side, cache, part=half) for half in ("left", "right")
        )
        messages = [*tree.messages, *describe_squares(path, left, len(names))]
    require_some(path, left, len(names))
    good = [name for name in names if name not in left.broken]
    crooked = [
        name
        for name, shape in zip(good, left.shapes, strict=True)
        if abs(math.log(shape / _TWO_SQUARES)) > _SHAPE
    ]
    if len(crooked) == len(good) and max(left.shapes) < _NARROWEST:
        raise DataError(
            f"{printable(path)}: the pictures are not two side by side ({list_names(crooked)} "
            "are not twice as wide as high); name the folders of A and of B"
        )
    said = f"{printable(path)}: {len(good):,} pairs side by side, A in the left half"
    if crooked:
        said += f"; not twice as wide as high: {list_names(crooked, _NAMED)}"
    a, b = (torch.from_numpy(half.images) for half in (left, right))
    return DomainPair(a, b, paired=True, messages=(said, *messages))


def _folders(name: str, part: str) -> tuple[str, ...]:
    parts = PurePosixPath(name[len(part) :].lstrip("/")).parts[:-1]
    return tuple(one.lower() for one in parts)
