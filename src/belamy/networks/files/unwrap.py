"""One state dict out of whatever a training script wrapped it in."""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from belamy.checks import show_value
from belamy.errors import PictureWarning, WeightsError
from belamy.networks.files.network_file import BATCH_COUNTER

__all__ = ["Checkpoint", "strip_prefixes", "unwrap"]

# Where scripts put the state dict, the best first: averaged weights look better than the last ones.
_AVERAGED = (
    *("state_dict_ema", "params_ema", "model_ema", "ema_state_dict", "ema_model", "net_ema"),
    *("g_ema", "netG_ema", "generator_ema", "ema"),
)
_LAST = (
    *("state_dict", "model_state_dict", "model_state", "params", "model_dict", "model", "net"),
    *("network", "generator", "netG", "G", "g", "weights", "module", "shadow", "backbone"),
    "student",
)
# Others that scripts make up, `ema_state` and `swa_weights` among them: averaged, by a whole word.
_AVERAGED_WORDS = re.compile(r"(^|[_.])(ema|swa|averaged?|shadow|teacher)([_.]|$)")
_TRAINING = re.compile(r"optim|^opt$|sched|scaler|^hook|loop|callback", re.IGNORECASE)
_WRAPPERS = {name.lower(): rank for rank, name in enumerate((*_AVERAGED, *_LAST))}
_UNKNOWN = len(_AVERAGED) + len(_LAST)
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "generator.", "netG.")
_INNER = re.compile(r"\.(_orig_mod|module)\.")  # a part that was compiled or made parallel
_NEARLY_ALL = 0.9  # of the tensors must carry a prefix for it to be one
_DEEPEST = 8
_COUNTERS = ("n_averaged", BATCH_COUNTER)
_CLASSES = ("classes", "class_names", "idx_to_class", "class_to_idx", "labels", "categories")
_MOST_CLASSES = 1 << 16


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Args:
        state: the state dict, without wrappers, prefixes and counters.
        classes: names of the logits, where the file says them.
    """

    state: dict[str, Tensor]
    classes: tuple[str, ...] = ()


def unwrap(path: Path, tree: Any, target: Collection[str] = ()) -> Checkpoint:
    """The state dict in the tree that a file holds.

    Args:
        path: the file, for messages.
        tree: see `belamy.networks.files.containers.read_container`.
        target: the names that the network has, where it is known: any prefix under which all of
            them are found is taken off.

    Raises:
        WeightsError: there is no state dict in it.
    """
    classes: tuple[str, ...] = ()
    for _ in range(_DEEPEST):
        if not isinstance(tree, Mapping):
            raise WeightsError(
                f"{path} holds a {type(tree).__name__} rather than a state dict; where it was "
                "made, save that: torch.save(model.state_dict(), 'plain.pth')"
            )
        classes = classes or _find_classes(tree)
        inner = _choose(path, tree, target)
        if inner is None:
            break
        tree = inner
    state = {
        str(name): torch.from_numpy(tensor) if isinstance(tensor, np.ndarray) else tensor
        for name, tensor in tree.items()
        if _is_plain(tensor) and not str(name).endswith(_COUNTERS)
    }
    if not state:
        raise WeightsError(
            f"{path} holds no plain tensors on the processor; where it was made, save them: "
            "torch.save(model.cpu().state_dict(), 'plain.pth')"
        )
    if not any(_INNER.search(name) for name in target):
        state = {_INNER.sub(".", _INNER.sub(".", name)): x for name, x in state.items()}
    return Checkpoint(_choose_prefix(path, state, target), classes)


def _is_plain(value: object) -> bool:
    """Numbers on the CPU, one after another: neither sparse, nor quantised, nor without memory."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiub" and value.dtype.isnative
    return (
        isinstance(value, Tensor)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _count(tree: object) -> int:
    return sum(map(_is_plain, tree.values())) if isinstance(tree, Mapping) else 0


def _weight(tree: object, depth: int = 0) -> int:
    """How many tensors lie in a tree of dicts."""
    if not isinstance(tree, Mapping) or depth > _DEEPEST:
        return 0
    return _count(tree) + sum(_weight(value, depth + 1) for value in tree.values())


def _choose(
    path: Path, tree: Mapping[Any, Any], target: Collection[str]
) -> Mapping[Any, Any] | None:
    """The wrapped dict that is gone into; None where the tree is the state dict itself."""
    here = _count(tree)
    inside = {str(key): value for key, value in tree.items() if _weight(value) > here}
    inside = {name: x for name, x in inside.items() if not _TRAINING.search(name)} or inside
    named = sorted((name for name in inside if _rank(name) < _UNKNOWN), key=_rank)
    named.sort(key=lambda name: not _has(inside[name], next(iter(target), "")))
    if not named:
        return next(iter(inside.values())) if len(inside) == 1 else None
    if len(named) > 1:
        others = ", ".join(named[1:4])
        _warn(f"{path} holds several networks; takes {named[0]} rather than {others}")
    chosen: Mapping[Any, Any] = inside[named[0]]
    return chosen


def _has(tree: Mapping[Any, Any], name: str, depth: int = 0) -> bool:
    """Whether a tensor of this name lies in a tree of dicts, whatever stands before the name."""
    return any(
        _has(value, name, depth + 1)
        if isinstance(value, Mapping) and depth < _DEEPEST
        else _INNER.sub(".", str(key)).endswith(name)
        for key, value in tree.items()
    )


def _rank(name: str) -> int:
    """The place of a wrapper among all that are known; an averaged one stands before the last."""
    rank = _WRAPPERS.get(name.lower(), _UNKNOWN)
    averaged = rank >= len(_AVERAGED) and _AVERAGED_WORDS.search(name.lower())
    return len(_AVERAGED) - 1 if averaged else rank


def _warn(text: str) -> None:
    warnings.warn(text, PictureWarning, stacklevel=2)


def _choose_prefix(
    path: Path, state: dict[str, Tensor], target: Collection[str]
) -> dict[str, Tensor]:
    needed = [name for name in target if not name.endswith(_COUNTERS)]
    prefixes = [p for p in _possible_prefixes(state, needed) if all(p + n in state for n in needed)]
    if not needed or not prefixes:
        return strip_prefixes(path, state)
    chosen = min(prefixes, key=lambda prefix: ("ema" not in prefix.lower(), len(prefix), prefix))
    if len(prefixes) > 1:
        others = ", ".join(repr(prefix) for prefix in sorted(set(prefixes) - {chosen})[:3])
        _warn(f"{path} holds several networks; takes {chosen!r} rather than {others}")
    if not chosen:
        return state
    found = {
        name.removeprefix(chosen): tensor
        for name, tensor in state.items()
        if name.startswith(chosen)
    }
    if len(prefixes) == 1 and len(found) < len(state):
        rest = [name for name in state if not name.startswith(chosen)]
        _warn(f"{path}: leaves out {show_value(rest[0])} and what else is not under {chosen!r}")
    return found


def _possible_prefixes(state: Mapping[str, Tensor], needed: list[str]) -> Iterator[str]:
    """All that stands before the first of the names that are needed, with a dot at its end."""
    for name in state:
        if needed and name.endswith(needed[0]):
            prefix = name.removesuffix(needed[0])
            if prefix == "" or prefix.endswith("."):
                yield prefix


def strip_prefixes(path: Path, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without what wrappers put before all names, or nearly all, as often as they did."""
    while True:
        for prefix in _PREFIXES:
            found = [name for name in state if name.startswith(prefix)]
            if found and len(found) >= _NEARLY_ALL * len(state):
                break
        else:
            return state
        if len(found) < len(state):
            rest = next(name for name in state if not name.startswith(prefix))
            _warn(f"{path}: leaves out {show_value(rest)} and what else is not under {prefix!r}")
        state = {name.removeprefix(prefix): state[name] for name in found}


def _find_classes(tree: Mapping[Any, Any]) -> tuple[str, ...]:
    """The names of the classes, where a script has saved them beside the weights."""
    places: list[Mapping[Any, Any]] = [tree]
    for name in ("meta", "args", "config", "hyper_parameters", "hparams"):
        value = tree.get(name)
        value = vars(value) if isinstance(value, argparse.Namespace) else value
        places += [value] if isinstance(value, Mapping) else []
    for place in places:
        for key in _CLASSES:
            names = _read_classes(place.get(key))
            if names:
                return names
    return ()


def _read_classes(value: Any) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        return tuple(map(_tidy, value[:_MOST_CLASSES]))
    if not isinstance(value, Mapping) or not 0 < len(value) <= _MOST_CLASSES:
        return ()
    numbers = {
        (key if isinstance(name, str) else name): (name if isinstance(name, str) else key)
        for key, name in value.items()
    }
    order = {int(k): str(v) for k, v in numbers.items() if re.fullmatch(r"\d{1,6}", str(k))}
    if sorted(order) != list(range(len(value))):
        return ()
    return tuple(_tidy(order[index]) for index in range(len(order)))


def _tidy(name: str) -> str:
    return " ".join(name.split())[:200]
