"""Whether a network's name is known, asked before anything is loaded.

This module imports no torch.
"""

from __future__ import annotations

import re
from pathlib import Path

from belamy.networks.architecture import Kind
from belamy.networks.files.well_known import network_of
from belamy.networks.find import AUTO, find_network
from belamy.networks.registry import embedded_names, names_of

__all__ = ["check_name"]

_WORD = re.compile(r"[\w-]+")


def check_name(network: object, kind: Kind | None = None) -> None:
    """Say at once that there is no network of a name, as loading it would.

    Args:
        network: a name, or anything else, which is left for the loading to judge.
        kind: what it must be for; None for anything.

    Raises:
        UnknownName: it is a plain word, but no network here, and no file or folder.
    """
    if not isinstance(network, str) or _WORD.fullmatch(network) is None or network == AUTO:
        return
    known = (*embedded_names(), *names_of("backbone"))
    if network_of(network) not in known and not Path(network).exists():
        find_network(network, kind)
