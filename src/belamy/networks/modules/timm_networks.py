"""Networks of timm (pytorch-image-models): `timm:NAME`, or `timm:NAME@FILE` with weights of a file.

Weights come from the file, or from what timm keeps in its caches; nothing is ever downloaded.
A vision transformer that can take pictures of any size is built so.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from belamy.errors import UnknownName, WeightsError
from belamy.files import expand_home
from belamy.networks.files.containers import read_container, reason_of
from belamy.networks.files.network_file import BATCH_COUNTER
from belamy.networks.files.unwrap import unwrap
from belamy.networks.files.well_known import TIMM
from belamy.networks.modules.torch_network import TorchNetwork
from belamy.networks.on_torchvision import import_on_torchvision

__all__ = ["load_timm"]

_OFFLINE = "HF_HUB_OFFLINE"
# Pictures of any size, of those that know the word; the others take no such argument.
_ANY_SIZE: tuple[dict[str, bool], ...] = ({"dynamic_img_size": True}, {})


def load_timm(model: str) -> TorchNetwork:
    """A network of timm's with its weights, and how it takes pictures.

    Args:
        model: `timm:NAME` or `timm:NAME@FILE`.

    Raises:
        MissingExtra: timm is not installed.
        UnknownName: it has no such network.
        WeightsError: its weights are not here, or are of another network.
    """
    name, _, file = model.removeprefix(TIMM).partition("@")
    timm = import_on_torchvision("timm", "timm", "timm")
    if not timm.is_model(name):
        raise UnknownName("network of timm", name, timm.list_models())
    if file:
        return TorchNetwork(_with_file(timm, name, expand_home(file)))
    return TorchNetwork(_with_cached(timm, name))


def _build(timm: Any, name: str, **arguments: Any) -> nn.Module:
    """
    Raises:
        WeightsError: timm has no such weights (a tag after the dot that it does not know).
    """
    for more in _ANY_SIZE:
        try:
            built: nn.Module = timm.create_model(name, **arguments, **more)
        except TypeError:
            if not more:
                raise
        except (RuntimeError, ValueError) as error:
            if arguments.get("pretrained"):
                raise
            raise WeightsError(f"timm cannot build {name}: {reason_of(error)}") from error
        else:
            return built
    raise AssertionError("the last of them says nothing of sizes")


def _with_file(timm: Any, name: str, path: Path) -> nn.Module:
    module = _build(timm, name, pretrained=False)
    state = unwrap(path, read_container(path), tuple(module.state_dict())).state
    classes = _count_classes(module, state)
    if classes is not None:
        module = _build(timm, name, pretrained=False, num_classes=classes)
    own = {key: x for key, x in module.state_dict().items() if not key.endswith(BATCH_COUNTER)}
    missing, others = own.keys() - state.keys(), state.keys() - own.keys()
    unlike = {key for key in own.keys() & state.keys() if own[key].shape != state[key].shape}
    if odd := sorted(missing) + sorted(others) + sorted(unlike):
        raise WeightsError(
            f"{path} is not of timm's {name}: {len(missing)} of {len(own)} tensors are missing, "
            f"{len(others)} are not its own, {len(unlike)} have another shape, as {odd[0]}"
        )
    module.load_state_dict(state, strict=False)
    return module


def _count_classes(module: nn.Module, state: Mapping[str, Tensor]) -> int | None:
    """The classes of a head that was trained anew; None where they are the usual ones."""
    configuration = getattr(module, "pretrained_cfg", None) or {}
    head, own = configuration.get("classifier"), module.state_dict()
    for part in head if isinstance(head, (tuple, list)) else (head,):
        name = f"{part}.weight"
        if name in own and name in state and len(own[name]) != len(state[name]):
            return len(state[name])
    return None


def _with_cached(timm: Any, name: str) -> nn.Module:
    how = (
        f"give a file, as timm:{name}@FILE, or fetch them once: "
        f"python -c \"import timm; timm.create_model('{name}', pretrained=True)\""
    )
    try:
        configuration = timm.get_pretrained_cfg(name)
    except (RuntimeError, ValueError) as error:
        raise WeightsError(f"timm knows no weights of {name}: {reason_of(error)}") from error
    if configuration is None or not _is_offline(configuration):
        raise WeightsError(f"the weights of timm's {name} are not here; {how}")
    try:
        with _offline():
            return _build(timm, name, pretrained=True)
    # What is not in the cache is refused by whichever library would have fetched it.
    except Exception as error:
        raise WeightsError(f"the weights of timm's {name} are not here; {how}") from error


def _is_offline(configuration: Any) -> bool:
    """Whether timm can be kept from downloading: from the hub it can, from a plain address only
    when the file is there already."""
    if getattr(configuration, "hf_hub_id", None):
        return True
    address = getattr(configuration, "url", None)
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    return isinstance(address, str) and (folder / address.rsplit("/", 1)[-1]).is_file()


@contextmanager
def _offline() -> Iterator[None]:
    """The hub's library, kept from the network; it read the variable when it was imported."""
    before = os.environ.get(_OFFLINE)
    os.environ[_OFFLINE] = "1"
    try:
        constants: Any = importlib.import_module("huggingface_hub.constants")
    except ImportError:
        constants = None
    flag = getattr(constants, _OFFLINE, None)
    if constants is not None:
        setattr(constants, _OFFLINE, True)
    try:
        yield
    finally:
        if constants is not None:
            setattr(constants, _OFFLINE, flag)
        if before is None:
            del os.environ[_OFFLINE]
        else:
            os.environ[_OFFLINE] = before
