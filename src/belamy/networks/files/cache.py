"""Where weights are: inside the package, in the cache, in another package, or to be downloaded."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from belamy import files
from belamy.errors import WeightsError
from belamy.networks.files.header import SUFFIX, sidecar_of
from belamy.networks.files.package import installed_file
from belamy.networks.files.well_known import network_of
from belamy.networks.registry import find_architecture

__all__ = [
    "Status",
    "cached_path",
    "embedded_path",
    "find_older",
    "get_status",
    "remove_weights",
]

_DIGITS = 8  # of a SHA-256, in the names of older weights
_EMBEDDED = Path(__file__).parents[2] / "weights"


@dataclass(frozen=True)
class Status:
    """Whether a backbone's weights are here; `megabytes` of 2^20 bytes, None where unknown."""

    name: str
    state: Literal["embedded", "cached", "installed", "to install", "to download", "absent"]
    megabytes: float | None
    path: Path | None


def embedded_path(name: str) -> Path:
    """Where the package would keep the weights called `name`."""
    return _EMBEDDED / f"{name}{SUFFIX}"


def find_older(name: str, digests: Collection[str]) -> Path | None:
    """What the package kept of the weights called `name` from before they were replaced.

    Older weights are called by the beginning of their SHA-256: `older/NAME-01234567.safetensors`.

    Args:
        digests: the SHA-256s that are looked for, among others'.
    """
    for digest in digests:
        path = _EMBEDDED / "older" / f"{name}-{digest[:_DIGITS]}{SUFFIX}"
        if re.fullmatch("[0-9a-f]{64}", digest) and path.is_file():
            return path
    return None


def cached_path(name: str) -> Path:
    """Where the cache would keep the weights of the backbone `name`."""
    return files.cache_folder() / f"{network_of(name)}{SUFFIX}"


def get_status(name: str) -> Status:
    """Whether the weights of a backbone are in the package, in the cache, or elsewhere.

    Raises:
        UnknownName: no such backbone.
    """
    published = find_architecture(name, "backbone").published
    for state, path in (("embedded", embedded_path(name)), ("cached", cached_path(name))):
        if path.is_file():
            return Status(name, state, path.stat().st_size / 2**20, path)  # type: ignore[arg-type]
    if published is not None and published.package is not None:
        here = installed_file(published) is not None
        return Status(name, "installed" if here else "to install", published.megabytes, None)
    if published is not None:
        return Status(name, "to download", published.megabytes, None)
    return Status(name, "absent", None, None)


def remove_weights(name: str) -> Path:
    """Delete the weights of a backbone from the cache; gives the path that is free now.

    Raises:
        UnknownName: no such backbone.
        WeightsError: they are not in the cache.
    """
    find_architecture(name, "backbone")
    path = cached_path(name)
    if not path.is_file():
        raise WeightsError(
            f"{name} is not in the cache {files.cache_folder()}; there is nothing to remove"
        )
    path.unlink()
    sidecar_of(path).unlink(missing_ok=True)
    return path
