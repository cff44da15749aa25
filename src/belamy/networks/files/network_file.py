"""Network files: safetensors that say by themselves which network they hold.

Everything that belamy writes has this one format. No code can hide in it, and it is read a tensor
at a time. Its metadata say how the network is built:

    network     a name of `belamy.networks.registry.NETWORKS`
    arguments   JSON object: what it is built with
    trained_on  the data, in words

and whatever else its kind needs, with further notes (measures, licence, source). Where one file
holds several networks, the names of all but the first begin with a word and a slash.

Beside a file lies NAME.safetensors.sha256, in the format of `sha256sum`; a file that no longer
agrees with it is not loaded. Arguments are compared with the shapes in the file, without memory
for a single weight, before a network is built.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from belamy import files
from belamy.checks import show_value
from belamy.errors import BelamyError, WeightsError
from belamy.networks.files.header import (
    check_header,
    network_in,
    reading,
    sidecar_of,
    verify_sha256,
)
from belamy.networks.files.tensors import is_scale, pack_kernels, unpack_kernels, write_tensors
from belamy.networks.unfilled import skip_filling

__all__ = [
    "BATCH_COUNTER",
    "NetworkFile",
    "check_shapes",
    "fill_network",
    "join_states",
    "open_network_file",
    "save_network_file",
    "without_counters",
]

BATCH_COUNTER = "num_batches_tracked"  # batch norm's, which nothing here reads
_LARGEST_ARGUMENT = 1 << 16  # layers, channels, classes: no honest network has more of any
_MOST_ARGUMENTS = 20_000  # lists and numbers in them; a network written as rows has a few hundred
_NONSENSE = (
    *(ValueError, TypeError, KeyError, AttributeError),
    *(RuntimeError, RecursionError, ArithmeticError, AssertionError),
)

Module = TypeVar("Module", bound=nn.Module)


class NetworkFile:
    """An open network file; tensors are read when asked for.

    Attributes:
        path: the file.
        sha256: of the whole of it.
        metadata: its words, as they stand there.
        tensors: the names of all its tensors.
    """

    def __init__(self, path: Path, sha256: str, handle: Any) -> None:
        self.path, self.sha256, self._handle = path, sha256, handle
        self.metadata: Mapping[str, str] = handle.metadata() or {}
        self.tensors: frozenset[str] = frozenset(handle.keys())

    @property
    def network(self) -> str:
        """What today's registry calls the network; empty where the file does not say."""
        return network_in(self.metadata)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the network is built with.

        Raises:
            WeightsError: no JSON object, or numbers beyond what the file could hold.
        """
        with self.describing():
            arguments = json.loads(self.metadata.get("arguments", "{}"))
            if not isinstance(arguments, dict):
                raise ValueError("arguments is not an object")
            _check_numbers(arguments)
            return arguments

    def shapes(self, prefix: str = "") -> dict[str, torch.Size]:
        """Name in the network → shape.

        Args:
            prefix: the word before the slash, for one of several networks.
        """
        return {
            _strip_prefix(name): x for name, x in self._all_shapes().items() if _of(name, prefix)
        }

    def _all_shapes(self) -> dict[str, torch.Size]:
        return {
            name: torch.Size(self._handle.get_slice(name).get_shape())
            for name in sorted(self.tensors)
            if not is_scale(name)
        }

    def read(self, name: str) -> Tensor:
        """One tensor, as it lies in the file (a view of it: copy what is to be kept)."""
        return self._handle.get_tensor(name)  # type: ignore[no-any-return]

    def state(self, prefix: str = "") -> dict[str, Tensor]:
        """The state dict of one network, at full precision; empty where there is none of it."""
        state = {_strip_prefix(name): self.read(name) for name in self.tensors if _of(name, prefix)}
        with self.describing():
            state = unpack_kernels(state)
        return {name: x.float() if x.is_floating_point() else x for name, x in state.items()}

    def build(self, build: Callable[..., Module], prefix: str = "") -> Module:
        """The network with its weights, frozen, in evaluation mode, on the CPU.

        Args:
            build: called with the file's arguments, twice: first on the meta device.
            prefix: see `shapes`.

        Raises:
            WeightsError: it cannot be built, its weights do not fit, or are no finite numbers.
        """
        arguments = self.arguments
        with self.describing(), skip_filling():
            outline = build(**arguments)
        check_shapes(self.path, self.network, self.shapes(prefix), _shapes_of(outline), exact=True)
        with self.describing(), torch.random.fork_rng([]):
            network = build(**arguments)
        fill_network(network, self.state(prefix), self.path, self.network)
        return network.eval().requires_grad_(False)

    @contextmanager
    def describing(self) -> Iterator[None]:
        """Any error inside is the fault of what the file says about itself."""
        try:
            yield
        except BelamyError:
            raise
        except _NONSENSE as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise WeightsError(
                f"{self.path} describes itself wrongly: {reason}; make it again"
            ) from error


def _of(name: str, prefix: str) -> bool:
    return name.startswith(f"{prefix}/") if prefix else "/" not in name


def _strip_prefix(name: str) -> str:
    return name.rpartition("/")[2]


def _check_numbers(arguments: object) -> None:
    """No number is larger, and no list longer, than any network needs."""
    left, count = [arguments], 0
    while left:
        value = left.pop()
        count += 1
        if count > _MOST_ARGUMENTS:
            raise ValueError(f"there are more than {_MOST_ARGUMENTS} of them")
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, (int, float)):
            most = _LARGEST_ARGUMENT
            if not -most <= value <= most:
                raise ValueError(f"{show_value(value)} is beyond what the file could hold")


@contextmanager
def open_network_file(path: Path) -> Iterator[NetworkFile]:
    """A network file, verified, ready to be read a tensor at a time.

    Raises:
        WeightsError: missing, damaged, changed, or not safetensors.
    """
    if not path.is_file():
        raise files.missing_file(WeightsError, path)
    with reading(path):
        check_header(path)
        digest = verify_sha256(path)
        with safe_open(path, framework="pt") as handle:
            yield NetworkFile(path, digest, handle)


def check_shapes(
    path: Path,
    network: str,
    actual: Mapping[str, torch.Size],
    target: Mapping[str, torch.Size],
    *,
    exact: bool = False,
) -> None:
    """Raises WeightsError, naming the first few, unless a file has all shapes of a network.

    Args:
        actual: in the file.
        target: in the network.
        exact: whether the file may have nothing beyond (but for counters).
    """
    faults = [f"lacks {name}" for name in target if name not in actual]
    faults += [
        f"{name} is {_times(actual[name])} rather than {_times(shape)}"
        for name, shape in target.items()
        if name in actual and actual[name] != shape
    ]
    if exact:
        beyond = sorted(name for name in actual.keys() - target.keys() if not _is_counter(name))
        faults += [f"has {name} beyond it" for name in beyond]
    if faults:
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise WeightsError(f"{path} does not fit {network}: {'; '.join(faults[:3])}{more}")


def _times(shape: torch.Size) -> str:
    return "×".join(map(str, shape)) or "one number"


def _is_counter(name: str) -> bool:
    return name.endswith(BATCH_COUNTER)


def without_counters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict without batch norm's counters."""
    return {name: tensor for name, tensor in state.items() if not _is_counter(name)}


def join_states(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """One state dict of several networks: each one's word and a slash before its names."""
    return {
        f"{word}/{name}": tensor
        for word, network in networks.items()
        for name, tensor in network.state_dict().items()
    }


def _shapes_of(network: nn.Module) -> dict[str, torch.Size]:
    return {name: x.shape for name, x in without_counters(network.state_dict()).items()}


def fill_network(network: nn.Module, state: Mapping[str, Tensor], path: Path, name: str) -> None:
    """Put weights into a network that is built already.

    Args:
        state: all of the network's, counters or not.
        path: the file or folder that they are from, for messages.
        name: of the network, for messages.

    Raises:
        WeightsError: they are those of another one, or no finite numbers.
    """
    actual = {key: tensor.shape for key, tensor in state.items()}
    check_shapes(path, name, actual, _shapes_of(network), exact=True)
    for key, tensor in state.items():
        if not bool(tensor.isfinite().all()):
            raise WeightsError(f"{path} has values in {key} that are no numbers; get it again")
    network.load_state_dict(dict(state), strict=False)


def save_network_file(
    path: Path,
    tensors: Mapping[str, Tensor],
    *,
    network: str,
    arguments: Mapping[str, Any],
    trained_on: str,
    metadata: Mapping[str, str] | None = None,
    half: bool = False,
    eighth: bool = False,
) -> None:
    """Write a network that `belamy.networks.load.load_network(path)` loads, and its SHA-256.

    Args:
        path: a `.safetensors` file, replaced whole.
        tensors: the state dict; further networks have a word and a slash before their names.
        network: its name in the registry.
        arguments: what it is built with.
        trained_on: the data, in words.
        metadata: what its kind needs to be said, and notes.
        half: at half precision, which is as good in use.
        eighth: large kernels in 8 bits and the rest at half precision, for the package itself.
    """
    words = {"network": network, "trained_on": trained_on}
    words["arguments"] = json.dumps(dict(arguments), sort_keys=True)
    if eighth:
        tensors = pack_kernels(tensors)
    elif half:
        tensors = {name: x.half() if x.is_floating_point() else x for name, x in tensors.items()}
    sidecar = sidecar_of(path)
    with files.atomic_path(path) as temporary:
        write_tensors(temporary, tensors, {**(metadata or {}), **words})
        digest = files.sha256(temporary)
        sidecar.unlink(missing_ok=True)  # for a moment there is none, never a wrong one
    files.write_text(sidecar, f"{digest}  {path.name}\n")
