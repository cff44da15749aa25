"""Weights that others saved (`.pth`, `.npz`, `.safetensors`) made into ours. Nothing is unpickled:
a `.pth` is read by torch's restricted reader, which builds tensors and containers alone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

from belamy.errors import WeightsError
from belamy.networks import NETWORKS
from belamy.networks.files import caffe
from belamy.networks.files.catalogue import CATALOGUE
from belamy.networks.files.weights import (
    BATCH_COUNTER,
    Description,
    cached_path,
    check_header,
    check_network,
    check_shapes,
    described,
    save_weights,
)

_LARGEST = 4 << 30  # bytes of numbers in one file; VGG-19 has 0.6 · 2^30
_NESTED = ("state_dict", "model")  # where training scripts put the state dict
_PREFIXES = ("module.", "_orig_mod.")  # what DataParallel and torch.compile put before each name
_TRAINING_ONLY = ("aux1.", "aux2.")  # GoogLeNet's auxiliary classifiers


def import_weights(name: str, file: str | Path, *, source: str | None = None) -> Path:
    """Convert a file of weights for the network `name` and keep it in the cache.

    Args:
        name: a network of `NETWORKS`.
        file: `.pth` or `.pt` (a state dict), `.safetensors`, or `.npz`.
        source: where it came from, for the metadata; None for the file's own name.

    Returns:
        the file in the cache.

    Raises:
        UnknownName: no such network.
        WeightsError: the file is missing, damaged, of another format, or does not fit.
    """
    check_network(name)
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
    state = _checked(name, path, description, _tidied(state))
    target = cached_path(name)
    notes = {"source": source or path.name, "licence": _licence(name, source)}
    save_weights(target, state, notes=notes, **vars(description))
    return target


def _licence(name: str, source: str | None) -> str:
    return CATALOGUE[name].licence if source and name in CATALOGUE else "as its source says"


def _published(name: str) -> Description:
    """How the network's published weights were trained, assumed of files that do not say."""
    if name not in CATALOGUE:
        raise WeightsError(
            f"weights of {name} must say how they were trained; only a file that belamy wrote does"
        )
    row = CATALOGUE[name]
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
    check_header(path)
    with safe_open(path, framework="pt") as handle:
        metadata = handle.metadata() or {}
        state = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118 no mapping
    if "network" not in metadata:
        return state, _published(name)
    description = described(path, metadata)
    if description.network != name:
        raise WeightsError(f"{path} is for {description.network}, not for {name}")
    return state, description


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
    ".safetensors": _read_safetensors,
    ".npz": _read_arrays,
}


def _tidied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what wrappers put before the names, and without what training alone needs."""
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return {
        name: tensor
        for name, tensor in state.items()
        if not name.endswith(BATCH_COUNTER) and not name.startswith(_TRAINING_ONLY)
    }


def _checked(
    name: str, path: Path, description: Description, state: dict[str, Tensor]
) -> dict[str, Tensor]:
    """`state`, once it has been compared with the network without weights."""
    with torch.device("meta"):
        network = NETWORKS[name].build(**description.arguments)
    assert isinstance(network, nn.Module)
    wanted = {
        key: tensor.shape
        for key, tensor in network.state_dict().items()
        if not key.endswith(BATCH_COUNTER)
    }
    check_shapes(path, name, {key: tensor.shape for key, tensor in state.items()}, wanted)
    extra = sorted(state.keys() - wanted.keys())
    if extra:
        raise WeightsError(f"{path} does not fit {name}: it has {', '.join(extra[:3])} beyond it")
    for key, tensor in state.items():
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise WeightsError(f"{path} has {key} that is not all finite numbers")
    return state
