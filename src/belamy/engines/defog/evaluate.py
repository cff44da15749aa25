"""PSNR and SSIM of dehazing against the truth: pairs found by their names, pictures compared."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from torch import Tensor

from belamy.engines.defog.options import DefogOptions
from belamy.engines.defog.remove import Defogger
from belamy.errors import DataError, ImageError, PictureWarning
from belamy.pixels.archive import list_names, open_tree
from belamy.pixels.display.plots import draw_bars
from belamy.pixels.display.tables import make_table
from belamy.pixels.images import Picture, load_image
from belamy.training.metrics import psnr, ssim
from belamy.training.pictures import find_pictures

__all__ = ["UNTOUCHED", "DefogMetrics", "measure", "pair_names"]

UNTOUCHED = "untouched"

_WORDS = re.compile(r"[_\- ]*(hazy|haze|foggy|fog|gt|clear|clean|groundtruth)(?=$|[_\- .])", re.I)
_BORDER = 32  # pixels on a side, by which a clear picture may be larger, as in SOTS
_EQUAL = 100.0  # decibels that equal pictures count as

Read: TypeAlias = "Callable[[str], Tensor]"


@dataclass(frozen=True)
class DefogMetrics:
    """How well fog was taken out.

    Args:
        pictures: how many were compared.
        values: `untouched`, `dcp` and `network` → `psnr` in decibels and `ssim`, means over the
            pictures.
    """

    pictures: int
    values: dict[str, dict[str, float]]

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        names = list(next(iter(self.values.values()), {}))
        rows = [(name, *found.values()) for name, found in self.values.items()]
        return make_table((f"{self.pictures} pictures", *names), rows)

    def plot(self) -> Picture:
        """The decibels and the SSIM of each, as bars.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        names = next(iter(self.values.values()), {})
        return draw_bars(
            {name: {method: row[name] for method, row in self.values.items()} for name in names}
        )


def measure(hazy: str, clear: str, network: str, device: str) -> DefogMetrics:
    """See `belamy.evaluate_defog`."""
    methods = {
        "dcp": Defogger(DefogOptions(method="dcp", device=device)),
        "network": Defogger(DefogOptions(method="network", network=network, device=device)),
    }
    totals = {name: [0.0, 0.0] for name in (UNTOUCHED, *methods)}
    count = 0
    for foggy, truth in _read_pairs(hazy, clear):
        results = {UNTOUCHED: foggy}
        for method, defogger in methods.items():
            results[method] = defogger(foggy).image
        for method, picture in results.items():
            totals[method][0] += min(_EQUAL, psnr(picture, truth))
            totals[method][1] += ssim(picture, truth)
        count += 1
    return DefogMetrics(
        count,
        {name: {"psnr": a / count, "ssim": b / count} for name, (a, b) in totals.items()},
    )


def _read_pairs(hazy: str, clear: str) -> Iterator[tuple[Tensor, Tensor]]:
    """Every pair that can be compared; of the others the reason of the first is said at the end.

    Raises:
        DataError: none can be.
    """
    with ExitStack() as held:
        sides = [_open_pictures(path, held) for path in (hazy, clear)]
        (hazy_names, read_hazy), (clear_names, read_clear) = sides
        if len(hazy_names) == len(clear_names) == 1:  # two pictures were named: they are a pair
            pairs = {hazy_names[0]: clear_names[0]}
        else:
            pairs = pair_names(hazy_names, clear_names)
        failed: dict[str, DataError | ImageError] = {}
        for name, partner in pairs.items():
            try:
                foggy = read_hazy(name)
                truth = _crop_border(read_clear(partner), foggy, name)
            except (DataError, ImageError) as error:
                failed[name] = error
                continue
            yield foggy, truth
    if not failed:
        return
    first = min(failed)
    if len(failed) == len(pairs):
        raise DataError(f"none of the {len(pairs)} pairs can be compared: {failed[first]}")
    warnings.warn(
        f"{len(failed):,} of {len(pairs):,} pairs are left out: {list_names(failed)} "
        f"(the first: {failed[first]})",
        PictureWarning,
        stacklevel=2,
    )


def _open_pictures(path: str, held: ExitStack) -> tuple[list[str], Read]:
    """The pictures at a path, a file, a folder or a zip, and what reads one of them."""
    if Path(path).is_file() and Path(path).suffix.lower() != ".zip":
        return [path], load_image
    tree = held.enter_context(open_tree(path))
    names = find_pictures(tree)
    for message in tree.messages:
        warnings.warn(message, PictureWarning, stacklevel=2)
    return names, lambda name: load_image(tree.load_array(name))


def pair_names(hazy: Sequence[str], clear: Sequence[str]) -> dict[str, str]:
    """Each hazy picture's clear one, by their names.

    Names are the same but for the suffix and words such as `hazy` and `GT`; or the hazy one's goes
    on after an underscore, as in `0001_0.8_0.2.jpg` of `0001.png`. Of several clear ones, that in
    a folder of the same name is meant. Where it is not plain which is meant, or two hazy ones
    differ in their suffix alone, they are left out, which a `PictureWarning` says.

    Raises:
        DataError: some have none, the first few are named; or none is plain.
    """
    known: dict[str, list[str]] = {}
    for name in clear:
        known.setdefault(_key_of(name), []).append(name)
    stems = Counter(_stem_of(name) for name in hazy)
    found, lonely, unclear = dict[str, str](), list[str](), list[str]()
    for name in hazy:
        partners = _match_longest(name, known)
        if not partners:
            lonely.append(name)
        elif len(partners) > 1 or stems[_stem_of(name)] > 1:
            unclear.append(name)
        else:
            found[name] = partners[0]
    if lonely:
        raise DataError(
            f"no clear picture for {list_names(lonely)}; names must be the same, or go on after an "
            "underscore"
        )
    if unclear:
        said = f"pairs left out, since several pictures have their name: {list_names(unclear)}"
        if not found:
            raise DataError(f"{said}; none is left")
        warnings.warn(said, PictureWarning, stacklevel=2)
    return found


def _key_of(name: str) -> str:
    return _WORDS.sub("", PurePosixPath(name).stem.lower())


def _stem_of(name: str) -> str:
    return str(PurePosixPath(name).with_suffix("")).lower()


def _match_longest(name: str, known: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The clear pictures that have as much of its name as any has."""
    parts = _key_of(name).split("_")
    cut = ("_".join(parts[:end]) for end in range(len(parts), 0, -1))
    partners = next((known[part] for part in cut if part in known), ())
    folder = PurePosixPath(name).parent
    return [one for one in partners if PurePosixPath(one).parent == folder] or partners


def _crop_border(truth: Tensor, foggy: Tensor, name: str) -> Tensor:
    """The clear picture without the even border that it has in some sets."""
    extra = [a - b for a, b in zip(truth.shape[-2:], foggy.shape[-2:], strict=True)]
    if all(0 <= more <= 2 * _BORDER and more % 2 == 0 for more in extra):
        top, left = (more // 2 for more in extra)
        return truth[..., top : top + foggy.shape[-2], left : left + foggy.shape[-1]]
    raise DataError(
        f"{name} is {foggy.shape[-1]}×{foggy.shape[-2]}, its clear picture "
        f"{truth.shape[-1]}×{truth.shape[-2]}; they must be of one size"
    )
