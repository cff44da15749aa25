"""From a name or a file to a network that repaints pictures, whoever trained it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from belamy.errors import UnknownName, WeightsError
from belamy.networks.files.weights import embedded_path
from belamy.networks.image_to_image.network import Painter, load_painter
from belamy.networks.image_to_image.third_party import load_pth, load_t7

__all__ = ["EMBEDDED", "LOADERS", "ONNX", "find_style", "load_style"]

EMBEDDED: tuple[str, ...] = ("starry-night", "impressionism")
"""Networks inside the package that repaint; the second one has both directions of a translation."""

ONNX = ".onnx"

LOADERS: dict[str, Callable[[Path], Painter]] = {
    ".safetensors": load_painter,
    ".t7": load_t7,
    ".pth": load_pth,
    ".pt": load_pth,
    ".model": load_pth,  # what PyTorch's example called its files at first
}
"""Suffix → how such a file is read."""


def find_style(network: str | Path) -> Path:
    """The file that `network` means: a style inside the package, or a path.

    Raises:
        UnknownName: neither.
        WeightsError: the file is not here, or is of no kind that is known.
    """
    name = str(network)
    if name in EMBEDDED:
        return embedded_path(name)
    path = Path(network).expanduser()
    if path.suffix == "" and len(path.parts) < 2 and not path.exists():
        raise UnknownName("style", name, EMBEDDED)
    if path.suffix.lower() not in (*LOADERS, ONNX):
        known = ", ".join((*LOADERS, ONNX))
        raise WeightsError(f"{path} is no network that is known here; known are {known}")
    if not path.is_file():
        raise WeightsError(f"no network at {path}; check the path")
    return path


def load_style(path: Path, direction: str | None = None) -> Painter:
    """The network in a file of one of `LOADERS`, frozen, on the CPU.

    Args:
        path: the file.
        direction: which one, in a file of belamy's that has several; the first if None.

    Raises:
        WeightsError: it is damaged, of another network, or has none of this direction.
    """
    suffix = path.suffix.lower()
    if direction is None:
        return LOADERS[suffix](path)
    if LOADERS[suffix] is not load_painter:
        raise WeightsError(f"{path} has no direction {direction!r}: it is of one alone")
    return load_painter(path, direction)
