"""What a network file says of itself, read without torch.

Beside the file lies NAME.safetensors.sha256; see `belamy.networks.files.network_file`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open

from belamy import files
from belamy.errors import WeightsError
from belamy.renamed import NETWORKS as RENAMED

__all__ = [
    "SUFFIX",
    "check_header",
    "network_in",
    "read_metadata",
    "reading",
    "sidecar_of",
    "verify_sha256",
]

SUFFIX = ".safetensors"
_LARGEST_HEADER = 16 << 20  # bytes; ResNet-50 with a thousand names takes 40 kB
_LARGEST_FILE = 4 << 30  # bytes; more would be hashed for half a minute before it is refused


def network_in(metadata: Mapping[str, str]) -> str:
    """What today's registry calls the network that metadata name; empty where they name none."""
    name = metadata.get("network", "")
    return RENAMED.get(name, name)


def read_metadata(path: Path) -> dict[str, str]:
    """The words of a network file alone; the rest of it is not looked at.

    Raises:
        WeightsError: missing, damaged, or not safetensors.
    """
    if not path.is_file():
        raise files.missing_file(WeightsError, path)
    with reading(path):
        check_header(path)
        with safe_open(path, framework="numpy") as handle:
            return dict(handle.metadata() or {})


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What goes wrong while a network file is read inside, in a line."""
    try:
        yield
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged, or not safetensors: {error}") from error
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error


def check_header(path: Path) -> None:
    """Raises WeightsError before a header is parsed that no honest file would have, or a file
    hashed that is larger than any network's."""
    size = path.stat().st_size
    if size > _LARGEST_FILE:
        raise WeightsError(f"{path} has more than {_LARGEST_FILE >> 30} GB; no network here has")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
        raise WeightsError(f"{path} is damaged, or not safetensors; get the file again")


def sidecar_of(path: Path) -> Path:
    """Where the SHA-256 of a file is written down."""
    return path.with_name(path.name + ".sha256")


def verify_sha256(path: Path) -> str:
    """The SHA-256 of a file.

    Raises:
        WeightsError: it differs from the one written beside the file.
    """
    digest = files.sha256(path)
    sidecar = sidecar_of(path)
    written = sidecar.read_text("utf-8", "replace").split() if sidecar.is_file() else [digest]
    if written[:1] != [digest]:
        raise WeightsError(
            f"{path} has changed since it was written (its SHA-256 is {digest[:8]}…); "
            f"remove it and make, download or import it again"
        )
    return digest
