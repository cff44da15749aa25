"""From a name or a file to a generator that paints pictures from nothing."""

from __future__ import annotations

from pathlib import Path

from belamy.errors import UnknownName, WeightsError
from belamy.networks.files.weights import embedded_path, verified_sha256
from belamy.networks.gan.registry import Generator, load_generator

__all__ = ["EMBEDDED", "IN_RUN", "find_generator", "label_index", "open_generator"]

EMBEDDED = ("portraits",)
"""Painters inside the package."""

IN_RUN = "network.safetensors"
"""What a training leaves in its run folder."""

_SUFFIX = ".safetensors"


def find_generator(network: str | Path) -> Path:
    """The file that `network` means: a painter inside the package, a file, or a run's folder.

    Raises:
        UnknownName: none of these.
        WeightsError: the file is not here, or is of no kind that is known.
    """
    name = str(network)
    path = embedded_path(name) if name in EMBEDDED else Path(network).expanduser()
    if name in EMBEDDED and not path.is_file():
        raise WeightsError(
            f"the painter {name!r} is not in this copy of belamy; train one: belamy gan train "
            "PICTURES, or name a network's file"
        )
    if path.is_dir():
        path = _of_run(path)
    if path.suffix == "" and len(path.parts) < 2 and not path.exists():
        raise UnknownName("painter", name, EMBEDDED)
    if path.suffix.lower() != _SUFFIX:
        raise WeightsError(f"{path} is no painter; name a {_SUFFIX} file of belamy gan train")
    if not path.is_file():
        raise WeightsError(f"no network at {path}; check the path")
    return path


def _of_run(folder: Path) -> Path:
    if not (folder / IN_RUN).is_file():
        raise WeightsError(f"{folder} has no {IN_RUN} in it; let its training end, or name a file")
    return folder / IN_RUN


def open_generator(network: str | Path) -> tuple[Generator, str, str]:
    """The generator that `network` means, frozen, on the CPU; its file's name and SHA-256.

    Raises:
        UnknownName, WeightsError: as in `find_generator`; or it is damaged, or no generator.
    """
    path = find_generator(network)
    digest = verified_sha256(path)
    return load_generator(path), path.name, digest


def label_index(generator: Generator, label: str | None) -> int | None:
    """The number of a label by its name; None where none is asked for.

    Raises:
        UnknownName: it has no such label, or none at all; the message names those that there are.
    """
    if label is not None and label not in generator.labels:
        raise UnknownName("label", label, generator.labels)
    return None if label is None else generator.labels.index(label)
