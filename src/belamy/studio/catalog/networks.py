"""Networks that are here: inside the package, in the cache, trained in the studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from belamy.errors import BelamyError
from belamy.networks.files.cache import get_status
from belamy.networks.layer_tables import find_table
from belamy.networks.registry import embedded_names, find_architecture, names_of

__all__ = ["classes_of", "kind_of_run", "list_networks"]

_HERE = ("embedded", "cached", "installed")
_KINDS = {
    "light": ("generator", None),
    "anystyle": ("arbitrary-style", None),
    "dehaze": ("dehaze", None),
    "translation": ("image-to-image", "translate"),
    "johnson": ("image-to-image", "apply_style"),
}
"""Architecture → kind, and the engine that uses it, of the networks in the package that are no
backbones."""

_RUNS = {"gan": "generator", "classify": "backbone", "translate": "image-to-image"}


def list_networks(runs: Path) -> list[dict[str, Any]]:
    """Name, kind and note of each; those without weights here are left out.

    Args:
        runs: the folder of the studio's own trainings.
    """
    backbones = [
        _row(name, "backbone", status)
        for name in names_of("backbone")
        if (status := get_status(name).state) in _HERE
    ]
    known = {row["name"] for row in backbones}
    others = [
        {**_row(name, kind, "embedded"), "engine": engine}
        for name, architecture in embedded_names().items()
        for kind, engine in [_KINDS.get(architecture, ("", None))]
        if kind and name not in known
    ]
    return [*backbones, *others, *_list_runs(runs)]


def _row(name: str, kind: str, note: str) -> dict[str, Any]:
    table = find_table(name) if kind == "backbone" else None
    return {
        "name": name,
        "kind": kind,
        "note": note,
        "layers": [layer.name for layer in table.layers] if table else [],
        "favourite": list(find_architecture(name, "backbone").layers.dream)
        if kind == "backbone"
        else [],
    }


def _list_runs(runs: Path) -> list[dict[str, Any]]:
    found = []
    for folder in sorted(runs.glob("*-*")):
        if (folder / "network.safetensors").is_file() and (kind := kind_of_run(folder)):
            job = folder.name.rpartition("-")[2]
            row = {"name": f"run:{job}", "kind": kind, "note": folder.name, "layers": []}
            engine = "translate" if kind == "image-to-image" else None
            found.append({**row, "favourite": [], "engine": engine})
    return found


def kind_of_run(folder: Path) -> str | None:
    """What was trained in a run folder; None where it is none."""
    try:
        said = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return _RUNS.get(str(said.get("kind"))) if isinstance(said, dict) else None


def classes_of(model: str) -> list[dict[str, Any]]:
    """Number and name of the classes of a backbone.

    Raises:
        BelamyError: it has none by name.
    """
    from belamy.networks.files.header import read_metadata
    from belamy.networks.find import find_network

    try:
        said = read_metadata(find_network(model, "backbone"))
        names = json.loads(said.get("classes", "[]"))
    except ValueError as error:
        raise BelamyError(f"{model} names no classes") from error
    return [{"label": index, "name": str(name)} for index, name in enumerate(names)]
