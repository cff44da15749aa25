"""Files of weights: where they are, whether they are whole, what they say about themselves.

Every file is safetensors (no code can hide in it, and it is read a tensor at a time). Its metadata
say which network it is for, so that one path is enough to load it:

    network     a name of `belamy.networks.NETWORKS`
    arguments   JSON object: what the network is built with
    mean, std   JSON lists of three numbers: red, green, blue in [0, 1]
    classes     JSON list of the logits' names, in order; empty when there are none
    trained_on  the data, in words
    side        pixels of the square that a classifier is shown; 224 where nothing is said
    short_side  what the shorter side of a picture is brought to, before that square is cut out of
                its middle; 256 where nothing is said (so torchvision measures its networks)

Beside a file of ours lies NAME.safetensors.sha256, in the format of `sha256sum`; a file that no
longer agrees with it is not loaded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from belamy import files
from belamy.errors import UnknownName, WeightsError
from belamy.networks import NETWORKS
from belamy.networks.files.catalogue import CATALOGUE
from belamy.networks.files.tensors import write_tensors
from belamy.networks.sequential import Chain

BATCH_COUNTER = "num_batches_tracked"  # batch norm's, of use to training alone: never in our files
SIDE, SHORT_SIDE = 224, 256  # pixels, of the published networks
_LARGEST_SIDE = 4096  # pixels; more would be an error of writing
_LARGEST_HEADER = 16 << 20  # bytes; ResNet-50 with a thousand names takes 40 kB
_EMBEDDED = Path(__file__).parents[2] / "weights"


@dataclass(frozen=True)
class Description:
    """What a file of weights says about itself; the fields are those of the module's docstring."""

    network: str
    arguments: Mapping[str, Any]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]
    trained_on: str
    side: int = SIDE
    short_side: int = SHORT_SIDE

    def to_metadata(self) -> dict[str, str]:
        lists = {name: json.dumps(getattr(self, name)) for name in ("mean", "std", "classes")}
        arguments = json.dumps(dict(self.arguments), sort_keys=True)
        words = {"network": self.network, "trained_on": self.trained_on}
        numbers = {"side": str(self.side), "short_side": str(self.short_side)}
        return {**words, "arguments": arguments, **lists, **numbers}


@dataclass(frozen=True)
class Status:
    """Whether a network's weights are here; `megabytes` of 2^20 bytes, None where unknown."""

    name: str
    state: Literal["embedded", "cached", "to download", "absent"]
    megabytes: float | None
    path: Path | None


def embedded_path(name: str) -> Path:
    """Where the package would keep the weights of `name`."""
    return _EMBEDDED / f"{name}.safetensors"


def cached_path(name: str) -> Path:
    """Where the cache would keep the weights of `name`."""
    return files.cache_folder() / f"{name}.safetensors"


def status(name: str) -> Status:
    """Whether the weights of the network `name` are in the package, in the cache, or elsewhere."""
    for state, path in (("embedded", embedded_path(name)), ("cached", cached_path(name))):
        if path.is_file():
            return Status(name, state, path.stat().st_size / 2**20, path)  # type: ignore[arg-type]
    if name in CATALOGUE:
        return Status(name, "to download", CATALOGUE[name].megabytes, None)
    return Status(name, "absent", None, None)


def check_network(name: str) -> None:
    """Raises UnknownName unless `name` is a network's."""
    if name not in NETWORKS:
        raise UnknownName("network", name, NETWORKS)


def find_weights(model: str | Path) -> Path:
    """The file that `model` means: a network's name, or the path of a `.safetensors` file.

    Raises:
        UnknownName: neither a network nor a path.
        WeightsError: the file, or the network's weights, are not here.
    """
    name = str(model)
    if name in NETWORKS:
        return _find_network(name)
    path = Path(model).expanduser()
    if path.suffix in (".pth", ".pt", ".npz"):
        raise WeightsError(f"{path} is not safetensors; run: belamy models import NETWORK {path}")
    if path.suffix != ".safetensors" and len(path.parts) < 2:
        raise UnknownName("network", name, NETWORKS)
    if not path.is_file():
        raise WeightsError(f"no file of weights at {path}; check the path")
    return path


def _find_network(name: str) -> Path:
    found = status(name)
    if found.path is not None:
        return found.path
    if found.megabytes is None:
        raise WeightsError(f"the weights of {name} are not here; train it, or give a file of yours")
    raise WeightsError(
        f"the weights of {name} are not here; run: belamy models download {name} "
        f"({found.megabytes:.0f} MB)"
    )


def remove(name: str) -> Path:
    """Delete the weights of `name` from the cache; gives the path that is free now.

    Raises:
        UnknownName: no such network.
        WeightsError: they are not in the cache.
    """
    check_network(name)
    path = cached_path(name)
    if not path.is_file():
        raise WeightsError(
            f"{name} is not in the cache {files.cache_folder()}; there is nothing to remove"
        )
    path.unlink()
    _sidecar(path).unlink(missing_ok=True)
    return path


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def verified_sha256(path: Path) -> str:
    """The SHA-256 of a file of weights.

    Raises:
        WeightsError: it differs from the one written beside the file.
    """
    digest = files.sha256(path)
    sidecar = _sidecar(path)
    written = sidecar.read_text("utf-8", "replace").split() if sidecar.is_file() else [digest]
    if written[:1] != [digest]:
        raise WeightsError(
            f"{path} has changed since it was written (its SHA-256 is {digest[:8]}…); "
            f"remove it and download or import it again"
        )
    return digest


class Weights:
    """An open file of weights; tensors are read when asked for."""

    def __init__(self, path: Path, sha256: str, handle: Any) -> None:
        self.path, self.sha256, self._handle = path, sha256, handle
        self.metadata: Mapping[str, str] = handle.metadata() or {}
        self.description = described(path, self.metadata)
        self.names = frozenset(handle.keys())

    def build(self) -> Chain:
        """The network that the file is for, with its arguments, on torch's default device."""
        architecture = NETWORKS[self.description.network]
        try:
            return architecture.build(**self.description.arguments)
        except (TypeError, ValueError, RuntimeError) as error:
            raise WeightsError(
                f"{self.path} asks for a {self.description.network} that cannot be built: {error}"
            ) from error

    def check(self, shapes: Mapping[str, torch.Size]) -> None:
        """Raises WeightsError unless the file has all of `shapes`."""
        own = {
            name: torch.Size(self._handle.get_slice(name).get_shape())
            for name in self.names & shapes.keys()
        }
        check_shapes(self.path, self.description.network, own, shapes)

    def read(self, name: str) -> Tensor:
        """One tensor, as it lies in the file (a view of it: copy what is to be kept)."""
        return self._handle.get_tensor(name)  # type: ignore[no-any-return]


@contextmanager
def open_weights(path: Path) -> Iterator[Weights]:
    """A file of weights, verified, ready to be read a tensor at a time.

    Raises:
        WeightsError: damaged, not safetensors, or silent about which network it is for.
    """
    try:
        digest = verified_sha256(path)
        check_header(path)
        with safe_open(path, framework="pt") as handle:
            yield Weights(path, digest, handle)
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged, or not safetensors: {error}") from error
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error


def check_header(path: Path) -> None:
    """Raises WeightsError before a header is parsed that no honest file would have."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(_LARGEST_HEADER, path.stat().st_size - 8):
        raise WeightsError(f"{path} is damaged, or not safetensors; get the file again")


def check_shapes(
    path: Path, network: str, own: Mapping[str, torch.Size], wanted: Mapping[str, torch.Size]
) -> None:
    """Raises WeightsError, naming the first few, unless `own` has all of `wanted`."""
    faults = [f"lacks {name}" for name in wanted if name not in own]
    faults += [
        f"{name} is {_times(own[name])} rather than {_times(shape)}"
        for name, shape in wanted.items()
        if name in own and own[name] != shape
    ]
    if faults:
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise WeightsError(f"{path} does not fit {network}: {'; '.join(faults[:3])}{more}")


def _times(shape: torch.Size) -> str:
    return "×".join(map(str, shape)) or "one number"


def described(path: Path, metadata: Mapping[str, str]) -> Description:
    """What the metadata of a file say; WeightsError where they say nothing, or nonsense."""
    if "network" not in metadata:
        raise WeightsError(
            f"{path} does not say which network it is for; run: belamy models import NETWORK {path}"
        )
    if metadata["network"] not in NETWORKS:
        raise WeightsError(f"{path} is for {metadata['network']!r}, which is no network here")
    try:
        return _parsed(metadata)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WeightsError(f"{path} describes itself wrongly: {error}; make it again") from error


def _parsed(metadata: Mapping[str, str]) -> Description:
    arguments = json.loads(metadata.get("arguments", "{}"))
    classes = json.loads(metadata.get("classes", "[]"))
    if not isinstance(arguments, dict):
        raise ValueError("arguments is not an object")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise ValueError("classes is not a list of names")
    mean, std = (_colour(metadata, name) for name in ("mean", "std"))
    if min(std) <= 0:
        raise ValueError("std is not above zero")
    words = metadata.get("trained_on", "")
    sides = _sides(metadata)
    return Description(metadata["network"], arguments, mean, std, tuple(classes), words, *sides)


def _sides(metadata: Mapping[str, str]) -> tuple[int, int]:
    side = int(metadata.get("side", SIDE))
    short_side = int(metadata.get("short_side", SHORT_SIDE))
    if not 1 <= side <= short_side <= _LARGEST_SIDE:
        raise ValueError(f"side {side} and short_side {short_side} are no sides of pictures")
    return side, short_side


def _colour(metadata: Mapping[str, str], name: str) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in json.loads(metadata[name]))
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} is not three numbers")
    return numbers


def save_weights(
    path: Path,
    state: Mapping[str, Tensor],
    *,
    network: str,
    mean: Sequence[float],
    std: Sequence[float],
    classes: Sequence[str] = (),
    arguments: Mapping[str, Any] | None = None,
    trained_on: str = "",
    side: int = SIDE,
    short_side: int = SHORT_SIDE,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write weights that `load_backbone(path)` loads, and their SHA-256 beside them.

    Args:
        path: a `.safetensors` file, replaced whole.
        state: the network's state dict; batch norm's counters are left out.
        network: its name in `NETWORKS`.
        mean, std: three numbers each: red, green, blue in [0, 1].
        classes: names of the logits, in order.
        arguments: what the network is built with, where that is not the default.
        trained_on: the data, in words.
        side: of the square that a classifier is shown, in pixels.
        short_side: what the shorter side of a picture is brought to before that.
        notes: further metadata (source, licence, accuracy).
    """
    check_network(network)
    colours = tuple(mean), tuple(std)
    description = Description(
        network, arguments or {}, *colours, tuple(classes), trained_on, side, short_side
    )
    tensors = {name: x for name, x in state.items() if not name.endswith(BATCH_COUNTER)}
    sidecar = _sidecar(path)
    with files.atomic_path(path) as temporary:
        write_tensors(temporary, tensors, {**(notes or {}), **description.to_metadata()})
        digest = files.sha256(temporary)
        sidecar.unlink(missing_ok=True)  # for a moment there is none, never a wrong one
    files.write_text(sidecar, f"{digest}  {path.name}\n")
