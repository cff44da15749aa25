"""Networks that were read lately are kept, so that a function called twice reads its file once.

What is given out is a copy of the modules around the same numbers: changing its padding, precision,
device or hooks changes no other. Nobody writes into the numbers: networks for trainings are read by
`belamy.networks.load` itself.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from belamy.devices import choose_device
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.find import find_network

__all__ = ["forget", "share", "share_backbone"]

Network = TypeVar("Network")

_MOST = 4  # networks
_MOST_BYTES = 512 << 20  # of all of them

# What was read, and the module in it; the latest at the end.
_kept: OrderedDict[Hashable, tuple[Any, nn.Module]] = OrderedDict()
_lock = threading.Lock()


def share(
    path: Path,
    settings: Hashable,
    load: Callable[[], Network],
    module_of: Callable[[Network], nn.Module],
) -> Network:
    """The network in a file, frozen, in evaluation mode; read only if it was not lately.

    Args:
        path: the file; one that has changed since is read again.
        settings: whatever else decides what is read.
        load: reads it.
        module_of: the module in what that gives.
    """
    found = path.stat()
    key = (path.resolve(), found.st_mtime_ns, found.st_size, found.st_ino, settings)
    with _lock:
        kept = _kept.get(key)
        if kept is not None:
            _kept.move_to_end(key)
    if kept is None:
        with torch.inference_mode(False):  # or no gradient would ever go through it
            network = load()
        kept = (network, module_of(network))
        _keep(key, *kept)
    copied: Network = _copy_around(*kept)
    return copied


def share_backbone(
    model: str | Path, *, layers: Iterable[str] | None = None, device: torch.device | None = None
) -> Backbone:
    """The same as `belamy.networks.backbone.load_backbone`; read only if it was not lately."""
    place = choose_device(str(device or "cpu"))
    names = None if layers is None else tuple(sorted(set(layers)))
    return share(
        find_network(model, "backbone"),
        ("backbone", names, str(place)),
        lambda: load_backbone(model, layers=names, device=place),
        lambda backbone: backbone,
    )


def forget() -> None:
    """Keep none of them any longer."""
    with _lock:
        _kept.clear()


def _keep(key: Hashable, network: Any, module: nn.Module) -> None:
    with _lock:
        _kept[key] = (network, module)
        while len(_kept) > _MOST or sum(_bytes_of(one) for _, one in _kept.values()) > _MOST_BYTES:
            _kept.popitem(last=False)


def _tensors_of(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]


def _bytes_of(network: nn.Module) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in _tensors_of(network))


def _copy_around(network: Any, module: nn.Module) -> Any:
    """The modules copied, the numbers not."""
    shared: dict[int, Any] = {id(one): one.detach() for one in module.buffers()}
    for one in module.parameters():
        shared[id(one)] = nn.Parameter(one.detach(), requires_grad=False)
    return copy.deepcopy(network, shared)
