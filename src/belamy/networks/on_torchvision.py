"""Packages that stand on torchvision, whose build has to be that of torch."""

from __future__ import annotations

import importlib
from typing import Any

import torch

from belamy.errors import MissingExtra, WeightsError

__all__ = ["import_on_torchvision"]


def import_on_torchvision(module: str, package: str, extra: str) -> Any:
    """A module of a package that loads torchvision with itself.

    The package index has one torchvision, on Linux for CUDA, and pip does not see that the torch
    beside it is for processors alone. It then cannot be loaded, with an error of its own.

    Args:
        module: its name, as `timm`.
        package: what pip calls it.
        extra: belamy's, that brings it.

    Raises:
        MissingExtra: it is not installed.
        WeightsError: it is, but torchvision is of another build than torch.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(package, extra) from error
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"{package} cannot be loaded: {reason}; install the torchvision that is made for torch "
            f"{torch.__version__}{_place_of(torch.__version__)}"
        ) from error


def _place_of(version: str) -> str:
    """Where that build lies, of a torch that is not the index's own, as 2.13.0+cpu."""
    build = version.partition("+")[2]
    if not build:
        return ""
    index = f"https://download.pytorch.org/whl/{build}"
    return f": pip install --force-reinstall --no-deps torchvision --index-url {index}"
