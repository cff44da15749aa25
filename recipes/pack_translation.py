"""Write a translation network as the package holds it: python recipes/pack_translation.py IN OUT

Large kernels in 8 bits, all else at half precision; what it computes changes by about a level of
255 at the most.
"""

from __future__ import annotations

import sys
from pathlib import Path

from belamy.networks.files.network_file import open_network_file
from belamy.networks.image_to_image.load import load_image_net, save_image_net

__all__ = ["main"]


def main(source: str, target: str) -> None:
    directions = ("a-to-b", "b-to-a")
    with open_network_file(Path(source)) as file:
        arguments, words = file.arguments, dict(file.metadata)
    own = {name: words.pop(name) for name in ("network", "style", "trained_on")}
    notes = {name: x for name, x in words.items() if name not in ("arguments", "directions")}
    networks = {name: load_image_net(Path(source), name) for name in directions}
    save_image_net(Path(target), networks, arguments=arguments, notes=notes, eighth=True, **own)


if __name__ == "__main__":
    main(*sys.argv[1:])
