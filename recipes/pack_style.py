"""Write a style network as the package keeps it: python recipes/pack_style.py IN OUT [PICTURE...]

Large kernels in 8 bits, all else at half precision. With pictures, it says how far what both paint
is apart, in levels of 255, in the mean.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pack_translation import read_words

from belamy.engines.faststyle.api import apply_style
from belamy.networks.image_to_image.load import load_image_net, save_image_net

__all__ = ["main"]


def main(source: str, target: str, *pictures: str) -> None:
    words = read_words(Path(source))
    save_image_net(Path(target), load_image_net(Path(source)), eighth=True, **words)
    for picture in pictures:
        old, new = (apply_style(picture, network=one, size=512).image for one in (source, target))
        change = float((old - new).abs().mean()) * 255
        sys.stdout.write(f"{Path(picture).name}: {change:.2f} levels of 255\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
