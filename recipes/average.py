"""Write the mean of two style networks: python recipes/average.py LEARNED BEFORE SHARE OUT

SHARE of BEFORE, from which LEARNED has been trained, and the rest of LEARNED: as bold as the one,
and as clear as the other (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). What the
file says of itself is LEARNED's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pack_translation import read_words

from belamy.networks.image_to_image.load import load_image_net, save_image_net

__all__ = ["main"]


def main(learned: str, before: str, share: str, target: str) -> None:
    network, other = (load_image_net(Path(path)) for path in (learned, before))
    start = other.state_dict()
    network.load_state_dict(
        {
            name: value.lerp(start[name], float(share))
            for name, value in network.state_dict().items()
        }
    )
    save_image_net(Path(target), network, **read_words(Path(learned)))


if __name__ == "__main__":
    main(*sys.argv[1:])
