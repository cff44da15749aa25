"""Weights out of an installed package: found without importing it, checked, kept in the cache.

The package is never run: its file is read where pip has put it, by torch's restricted reader.
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

from belamy import files
from belamy.errors import WeightsError
from belamy.networks.files.published import Package, Published

__all__ = ["how_to_install", "import_from_package", "installed_file"]


def installed_file(row: Published | None) -> Path | None:
    """Where the file of published weights lies in an installed package; None if it does not."""
    if row is None or row.package is None:
        return None
    found = importlib.util.find_spec(row.package.module)
    folders = (found.submodule_search_locations if found is not None else None) or ()
    paths = (Path(folder) / row.url for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def import_from_package(name: str, row: Published, target: Path) -> None:
    """Convert the weights of an installed package and keep them.

    Args:
        name: of the network, in the registry.
        row: its published weights.
        target: the file to write, whole or not at all.

    Raises:
        WeightsError: the package is not installed, or its file is not the one that was published.
        BelamyError: the target cannot be written.
    """
    import torch

    from belamy.networks.files.network_file import save_network_file, without_counters

    path, package = installed_file(row), row.package
    if path is None or package is None:
        raise WeightsError(f"the weights of {name} are not here; {how_to_install(row)}")
    if files.sha256(path) != package.sha256:
        raise WeightsError(
            f"{path} is not the file that was published (its SHA-256 should begin with "
            f"{package.sha256[:8]}); install {package.name} again"
        )
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    lists = {"mean": row.mean, "std": row.std, "classes": tuple(row.classes)}
    save_network_file(
        target,
        {_rename(key, package): tensor for key, tensor in without_counters(state).items()},
        network=name,
        arguments={},
        trained_on=row.trained_on,
        metadata={
            **{key: json.dumps(value) for key, value in lists.items()},
            "side": str(row.side),
            "short_side": str(row.short_side),
            "source": package.name,
            "licence": row.licence,
        },
    )


def how_to_install(row: Published) -> str:
    """What a person does to have the package, on one line."""
    assert row.package is not None
    return f"run: pip install 'belamy[{row.package.extra}]' ({row.megabytes:.0f} MB)"


def _rename(key: str, package: Package) -> str:
    for pattern, name in package.tensor_names.items():
        key, count = re.subn(pattern, name, key)
        if count:
            break
    return key
