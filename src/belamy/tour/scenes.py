"""What the tour begins with: pictures that belamy draws itself."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from belamy.pixels.images import save_image
from belamy.pixels.scenes import clouds, landscape, still_life

__all__ = ["draw_scenes", "dusk"]

_SCENES = {"clouds": clouds, "landscape": landscape, "still-life": still_life}
_SIZE = (96, 144)  # height and width of the pictures of a domain, in pixels
_DAY, _DUSK = 100, 200  # the first seeds of the two domains, which share no landscape

# What is left of the light at dusk, red, green and blue: of the sky above, of the ground below.
_ABOVE, _BELOW = (0.45, 0.42, 0.80), (1.0, 0.66, 0.46)


def draw_scenes(folder: Path, side: int, count: int) -> None:
    """Draw three scenes, and two domains of landscapes: `day/` and `dusk/`.

    Args:
        folder: where, made if it is not there.
        side: long side of the scenes in pixels.
        count: landscapes of each domain.
    """
    for name, draw in _SCENES.items():
        save_image(draw(side * 5 // 8, side, 1), folder / f"{name}.png")
    for number in range(count):
        day = landscape(*_SIZE, _DAY + number)
        save_image(day, folder / "day" / f"{number:02d}.png")
        save_image(dusk(landscape(*_SIZE, _DUSK + number)), folder / "dusk" / f"{number:02d}.png")


def dusk(image: Tensor) -> Tensor:
    """A landscape (1, 3, H, W) in the last light. By eye."""
    height = torch.linspace(0, 1, image.shape[-2]).view(1, 1, -1, 1)  # 0 above
    above, below = (torch.tensor(light).view(1, 3, 1, 1) for light in (_ABOVE, _BELOW))
    return image.pow(1.25) * torch.lerp(above, below, height)
