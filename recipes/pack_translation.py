"""Write a translation network as the package holds it: python recipes/pack_translation.py IN OUT

Large kernels in 8 bits, all else at half precision; what it computes changes by about a level of
255 at the most.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from belamy.networks.files.network_file import open_network_file
from belamy.networks.image_to_image.load import load_image_net, save_image_net

__all__ = ["main", "read_words"]


def main(source: str, target: str) -> None:
    directions = ("a-to-b", "b-to-a")
    networks = {name: load_image_net(Path(source), name) for name in directions}
    save_image_net(Path(target), networks, eighth=True, **read_words(Path(source)))


def read_words(path: Path) -> dict[str, Any]:
    """What a network's file says of itself, as `save_image_net` takes it."""
    with open_network_file(path) as file:
        arguments, words = file.arguments, dict(file.metadata)
    own = {name: words.pop(name) for name in ("network", "style", "trained_on")}
    notes = {name: x for name, x in words.items() if name not in ("arguments", "directions")}
    return {**own, "arguments": arguments, "notes": notes}


if __name__ == "__main__":
    main(*sys.argv[1:])
