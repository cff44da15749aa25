"""A module run to the layers that are asked for, and what it takes and gives, found by trying."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from belamy.errors import OptionError
from belamy.networks.modules.layout import Shapes, shapes_in

__all__ = ["ROOT", "Sizes", "Trial", "find_sizes", "run_module", "try_module"]

ROOT = ""
"""The path of a module's own output."""

Hook: TypeAlias = "Callable[[str, Any], Any]"
"""(path, what the module there gave) → what it gives instead; None leaves it."""

_USUAL_SIDES = (224, 256, 299, 384, 512, 128, 96, 64, 32, 28)
_STEPS = (1, 2, 4, 8, 14, 16, 32, 64)  # sides are multiples of one of these, or cannot be changed
_LARGER = 128  # pixels that the second picture has more: a stride of 64 shows as two places


class _Reached(BaseException):
    """All that is asked for has been computed. (A module may catch every `Exception` within.)"""


def run_module(module: nn.Module, image: Tensor, calls: Mapping[str, int], hook: Hook) -> None:
    """Run a module until each path in `calls` has been called as often as it says.

    Args:
        image: as the module takes it.
        calls: path → how many times it is called in one pass; `hook` sees the last of them.
    """
    counts: Counter[str] = Counter()
    open_paths = set(calls)

    def observe(path: str, part: nn.Module, inputs: Any, output: Any) -> Any:
        counts[path] += 1
        if counts[path] != calls[path]:
            return None
        changed = hook(path, output)
        open_paths.discard(path)
        if not open_paths:
            raise _Reached
        return changed

    with ExitStack() as hooks:
        for path in calls.keys() - {ROOT}:
            handle = module.get_submodule(path).register_forward_hook(partial(observe, path))
            hooks.callback(handle.remove)
        try:
            output = module(image)
        except _Reached:
            return
        if ROOT in open_paths:
            hook(ROOT, output)


@dataclass(frozen=True)
class Trial:
    """What one pass gave.

    Args:
        calls: path → how many times it was called, in the order of the last calls.
        shapes: path → the tensors that it gave at last.
        failure: why the pass was broken off; empty where it was not.
    """

    calls: dict[str, int]
    shapes: dict[str, Shapes]
    failure: str = ""


def try_module(module: nn.Module, image: Tensor, paths: Iterable[str] | None = None) -> Trial:
    """Every part of a module called by one picture, as far as the pass comes.

    Args:
        wanted: paths after whose last call a failure does not matter; None for the module's own
            output.
    """
    calls: dict[str, int] = {}
    shapes: dict[str, Shapes] = {}

    def observe(path: str, part: nn.Module, inputs: Any, output: Any) -> None:
        calls[path] = calls.pop(path, 0) + 1
        shapes[path] = shapes_in(output)

    failure = ""
    with ExitStack() as hooks, torch.no_grad():
        for path, part in module.named_modules():
            if path != ROOT:
                handle = part.register_forward_hook(partial(observe, path))
                hooks.callback(handle.remove)
        try:
            observe(ROOT, module, None, module(image))
        # A stranger's module may fail at a size in any way of its own.
        except Exception as error:
            failure = (str(error).strip().splitlines() or [type(error).__name__])[0]
    needed = {ROOT} if paths is None else set(paths)
    return Trial(calls, shapes, "" if needed <= calls.keys() else failure)


@dataclass(frozen=True)
class Sizes:
    """The pictures that a module takes.

    Args:
        side: of a square that it takes, in pixels.
        step: other sides are multiples of it; 0 where it takes that square alone.
        small: what a picture of that side gives.
        large: what a larger one of `larger` pixels gives; None where there is none.
    """

    side: int
    step: int
    small: Trial
    larger: int
    large: Trial | None


def find_sizes(
    module: nn.Module,
    image_of: Callable[[int, int], Tensor],
    paths: Iterable[str] | None,
    side: int | None,
) -> Sizes:
    """Which pictures a module takes, tried out.

    Args:
        image_of: a picture of some height and width, as the module takes it.
        wanted: the layers that are asked for; None for all of it.
        side: that of a square that it is said to take.

    Raises:
        OptionError: it takes none.
    """
    needed = None if paths is None else tuple(paths)
    small, taken = _find_first(module, image_of, needed, side)
    halves = (False, True) if needed is None else (False,)
    for half in halves:
        for step in (one for one in _STEPS if taken % one == 0):
            other = taken + step * (1 + taken // step % 2)  # a multiple of no larger step
            larger = taken + step * math.ceil(_LARGER / step)
            # What rounds down may take a little more, and no larger picture: both are tried.
            if _goes_far(try_module(module, image_of(other, taken), needed), small, half):
                large = try_module(module, image_of(larger, larger), needed)
                if _goes_far(large, small, half):
                    return Sizes(taken, step, small, larger, large)
    return Sizes(taken, 0, small, taken, None)


def _goes_far(trial: Trial, whole: Trial, half: bool) -> bool:
    """Whether a pass comes to what is needed, or half as far as the whole one. (A head of neurons
    may take one size alone, which the layers before it do not mind.)"""
    return not trial.failure or (half and 2 * len(trial.shapes) > len(whole.shapes))


def _find_first(
    module: nn.Module,
    image_of: Callable[[int, int], Tensor],
    needed: tuple[str, ...] | None,
    side: int | None,
) -> tuple[Trial, int]:
    broken: list[tuple[Trial, int]] = []
    sides = dict.fromkeys((*(() if side is None else (side,)), *_USUAL_SIDES))
    for one in sides:
        trial = try_module(module, image_of(one, one), needed)
        if not trial.failure:
            return trial, one
        broken.append((trial, one))
    if needed is None:
        best, one = max(broken, key=lambda row: len(row[0].shapes))
        if best.shapes:
            return best, one
    failure = broken[0][0].failure
    name = type(module).__name__
    raise OptionError(
        f"{name} takes no colour picture (1, 3, S, S) of {side or _USUAL_SIDES[0]} px or the "
        f"usual sides; it says: {failure[:200]}"
    )
