"""Weights that others saved (`.pth`, `.npz`, `.safetensors`) made into ours. Nothing is unpickled:
a `.pth` is read by torch's restricted reader, which builds tensors and containers alone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from belamy.errors import WeightsError
from belamy.networks.files import caffe
from belamy.networks.files.cache import cached_path
from belamy.networks.files.network_file import (
    SUFFIX,
    NetworkFile,
    check_shapes,
    open_network_file,
    without_counters,
)
from belamy.networks.files.weights import Description, save_weights
from belamy.networks.find import check_kind
from belamy.networks.registry import find_architecture

_LARGEST = 4 << 30  # bytes of numbers in one file; VGG-19 has 0.6 · 2^30
_NESTED = ("state_dict", "model")  # where training scripts put the state dict
_PREFIXES = ("module.", "_orig_mod.")  # what DataParallel and torch.compile put before each name
_TRAINING_ONLY = ("aux1.", "aux2.")  # GoogLeNet's auxiliary classifiers


def import_weights(name: str, file: str | Path, *, source: str | None = None) -> Path:
    """Convert a file of weights for the network `name` and keep it in the cache.

    Args:
        name: a backbone of the registry.
        file: `.pth` or `.pt` (a state dict), `.safetensors`, or `.npz`.
        source: where it came from, for the metadata; None for the file's own name.

    Returns:
        the file in the cache.

    Raises:
        UnknownName: no such network.
        WeightsError: the file is missing, damaged, of another format, or does not fit.
    """
    find_architecture(name, "backbone")
    path = Path(file).expanduser()
    if path.suffix not in _READERS:
        raise WeightsError(f"{path} is not a file of weights; known are {', '.join(_READERS)}")
    if not path.is_file():
        raise WeightsError(f"no file of weights at {path}; check the path")
    try:
        state, description = _READERS[path.suffix](name, path)
    except WeightsError:
        raise
    # A damaged file can fail in any of its reader's many ways: none of them is a bug of ours.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{path} is damaged, or not {path.suffix[1:]}: {reason}") from error
    state = _tidy(state)
    _check(name, path, description, state)
    target = cached_path(name)
    notes = {"source": source or path.name, "licence": _licence(name, source)}
    save_weights(target, state, notes=notes, **vars(description))
    return target


def _licence(name: str, source: str | None) -> str:
    published = find_architecture(name).published
    return published.licence if source and published else "as its source says"


def _published(name: str) -> Description:
    """How the network's published weights were trained, assumed of files that do not say."""
    row = find_architecture(name).published
    if row is None:
        raise WeightsError(
            f"weights of {name} must say how they were trained; only a file that belamy wrote does"
        )
    return Description(name, {}, row.mean, row.std, tuple(row.classes), row.trained_on)


_Read = tuple[dict[str, Tensor], Description]


def _read_pickled(name: str, path: Path) -> _Read:
    mapped = zipfile.is_zipfile(path)  # torch maps its newer format only
    loaded: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    for key in _NESTED:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping):
        raise WeightsError(f"{path} holds a {type(loaded).__name__} rather than a state dict")
    state = {str(key): value for key, value in loaded.items() if isinstance(value, Tensor)}
    return state, _published(name)


def _read_safetensors(name: str, path: Path) -> _Read:
    with open_network_file(path) as file:
        state = {key: file.read(key) for key in file.tensors}
        return state, _describe(name, file)


def _describe(name: str, file: NetworkFile) -> Description:
    if not file.network:
        return _published(name)
    check_kind(file.path, file.network, "backbone")
    if file.network != name:
        raise WeightsError(f"{file.path} is for {file.network}, not for {name}")
    return Description.of(file)


def _read_arrays(name: str, path: Path) -> _Read:
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > _LARGEST:
            raise WeightsError(f"{path} unpacks to more than {_LARGEST >> 30} GB; refused")
    with np.load(path, allow_pickle=False) as arrays:
        state = {key: torch.from_numpy(arrays[key]) for key in arrays.files}
    description = _published(name)
    if caffe.is_caffe(state):
        if name != "squeezenet1_0":
            raise WeightsError(f"{path} has the Caffe names of squeezenet1_0, not of {name}")
        state = caffe.from_caffe(state)
        own = {"mean": caffe.MEAN, "std": caffe.STD}
        description = Description(**{**vars(description), **own})
    return state, description


_READERS: dict[str, Callable[[str, Path], _Read]] = {
    ".pth": _read_pickled,
    ".pt": _read_pickled,
    SUFFIX: _read_safetensors,
    ".npz": _read_arrays,
}


def _tidy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what wrappers put before the names, and without what training alone needs."""
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return {
        name: tensor
        for name, tensor in without_counters(state).items()
        if not name.startswith(_TRAINING_ONLY)
    }


def _check(name: str, path: Path, description: Description, state: dict[str, Tensor]) -> None:
    """Compare `state` with the network, built without memory for its weights."""
    with torch.device("meta"):
        network = find_architecture(name).build(**description.arguments)
    target = {key: x.shape for key, x in without_counters(network.state_dict()).items()}
    check_shapes(path, name, {key: x.shape for key, x in state.items()}, target, exact=True)
    for key, tensor in state.items():
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise WeightsError(f"{path} has {key} that is not all finite numbers")
