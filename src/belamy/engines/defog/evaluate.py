"""PSNR and SSIM of dehazing against the truth: pairs found by their names, pictures compared."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from PIL import Image
from torch import Tensor

from belamy.engines.defog.options import DefogOptions
from belamy.engines.defog.remove import Defogger
from belamy.errors import DataError, ImageError
from belamy.pixels.images import load_image
from belamy.training.metrics import psnr, ssim
from belamy.training.pictures import SUFFIXES, open_tree

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
        values: `untouched`, `dcp` and `cyclegan` → `psnr` in decibels and `ssim`, means over the
            pictures.
    """

    pictures: int
    values: dict[str, dict[str, float]]


def measure(hazy: str, clear: str, network: str, device: str) -> DefogMetrics:
    """See `belamy.evaluate_defog`."""
    methods = {
        "dcp": Defogger(DefogOptions(method="dcp", device=device)),
        "cyclegan": Defogger(DefogOptions(method="cyclegan", network=network, device=device)),
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
    with ExitStack() as held:
        sides = [_open_pictures(path, held) for path in (hazy, clear)]
        (hazy_names, read_hazy), (clear_names, read_clear) = sides
        if len(hazy_names) == len(clear_names) == 1:  # two pictures were named: they are a pair
            pairs = {hazy_names[0]: clear_names[0]}
        else:
            pairs = pair_names(hazy_names, clear_names)
        for name, partner in pairs.items():
            foggy, truth = read_hazy(name), read_clear(partner)
            yield foggy, _crop_border(truth, foggy, name)


def _open_pictures(path: str, held: ExitStack) -> tuple[list[str], Read]:
    """The pictures at a path, a file, a folder or a zip, and what reads one of them."""
    if Path(path).is_file() and Path(path).suffix.lower() in SUFFIXES:
        return [path], load_image
    tree = held.enter_context(open_tree(path))
    names = [name for name in tree.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    if not names:
        raise DataError(f"{path} has no pictures; give a folder or a zip of them")

    def read(name: str) -> Tensor:
        try:
            with Image.open(io.BytesIO(tree.read(name))) as picture:
                return load_image(picture)
        except OSError as error:
            raise ImageError(f"{path}: {name} cannot be read; mend or remove it") from error

    return names, read


def pair_names(hazy: Sequence[str], clear: Sequence[str]) -> dict[str, str]:
    """Each hazy picture's clear one, by their names.

    Names are the same but for the suffix and words such as `hazy` and `GT`; or the hazy one's goes
    on after an underscore, as in `0001_0.8_0.2.jpg` of `0001.png`.

    Raises:
        DataError: some have none; the first few are named.
    """
    known = {_key_of(name): name for name in clear}
    found, lonely = {}, []
    for name in hazy:
        partner = _match_longest(_key_of(name), known)
        if partner is None:
            lonely.append(name)
        else:
            found[name] = partner
    if lonely:
        more = f" and {len(lonely) - 3} more" if len(lonely) > 3 else ""
        raise DataError(
            f"no clear picture for {', '.join(lonely[:3])}{more}; names must be the same, or go on "
            "after an underscore"
        )
    return found


def _key_of(name: str) -> str:
    return _WORDS.sub("", PurePosixPath(name).stem.lower())


def _match_longest(name: str, known: Mapping[str, str]) -> str | None:
    parts = name.split("_")
    cut = ("_".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((known[part] for part in cut if part in known), None)


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
