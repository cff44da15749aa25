"""A film whose motion is known by formula: a textured ground that turns, and a disc before it.

What estimates motion, and what steadies films, is measured against it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng
from belamy.pixels.motion.flow import Motion

__all__ = ["RenderedFilm"]

_FINEST = 0.25  # cycles a pixel; beyond, resampling would be another thing to measure
_MARGIN = 1.5  # how much larger than the frame the textures are
_PERIOD = 60  # frames in which the disc goes round


@dataclass(frozen=True)
class RenderedFilm:
    """Frames, exact flow and exact occlusion.

    Args:
        height, width: of the frames, in pixels.
        seed: of the textures.
        degrees, zoom, shift: what the ground does in a frame.
        haze: of the light that is grey fog's, 0 to 1; less of it below.
        grain: deviation of the noise in each frame, in levels of 255.
    """

    height: int = 90
    width: int = 160
    seed: int = 0
    degrees: float = 0.3
    zoom: float = 1.004
    shift: tuple[float, float] = (1.3, 0.4)
    haze: float = 0.0
    grain: float = 0.0

    def frame(self, index: int) -> Tensor:
        """(1, 3, H, W) in [0, 1]."""
        ground = _sample(self._texture("ground"), self._ground(index, self._grid()))
        disc = _sample(self._texture("disc"), self._disc(index, self._grid()))
        cover = self._cover(index, self._grid())
        scene: Tensor = ground + cover * (disc - ground)
        if self.haze:
            rows = torch.linspace(1, 0.4, self.height).view(1, 1, -1, 1)
            scene = scene + self.haze * rows * (0.85 - scene)
        if self.grain:
            noise = torch.randn(scene.shape, generator=make_rng(self.seed, "grain", index))
            scene = scene + self.grain / 255 * noise
        return scene.clamp(0, 1)

    def motion(self, index: int) -> Motion:
        """From the frame before, exact; the mask is 1 where a thing is seen in both."""
        here = self._grid()
        of_ground = self._ground_back(index - 1, self._ground(index, here))
        of_disc = here + self._centre(index - 1) - self._centre(index)
        on_disc = self._cover(index, here) > 0.5
        source = torch.where(on_disc, of_disc, of_ground)
        was_disc = self._cover(index - 1, source) > 0.5
        x, y = source[:, 0:1], source[:, 1:2]
        inside = (x >= 0) & (y >= 0) & (x <= self.width - 1) & (y <= self.height - 1)
        visible = inside & (was_disc == on_disc)
        return Motion(source - here, visible.float())

    def _grid(self) -> Tensor:
        y, x = torch.meshgrid(torch.arange(self.height), torch.arange(self.width), indexing="ij")
        return torch.stack([x, y])[None].float()

    def _middle(self) -> Tensor:
        return torch.tensor([(self.width - 1) / 2, (self.height - 1) / 2]).view(1, 2, 1, 1)

    def _matrix(self, index: int) -> Tensor:
        angle, scale = math.radians(self.degrees) * index, self.zoom**index
        cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
        return torch.tensor([[cosine, sine], [-sine, cosine]])

    def _ground(self, index: int, points: Tensor) -> Tensor:
        """Places on the ground's texture, about its middle, that are seen at points of a frame."""
        moved = points - self._middle() - index * torch.tensor(self.shift).view(1, 2, 1, 1)
        return torch.einsum("ij,njhw->nihw", self._matrix(index), moved)

    def _ground_back(self, index: int, places: Tensor) -> Tensor:
        points = torch.einsum("ij,njhw->nihw", torch.linalg.inv(self._matrix(index)), places)
        return points + self._middle() + index * torch.tensor(self.shift).view(1, 2, 1, 1)

    def _centre(self, index: int) -> Tensor:
        turn = 2 * math.pi * index / _PERIOD
        way = torch.tensor([math.cos(turn) * self.width, math.sin(turn) * self.height])
        return self._middle() + way.view(1, 2, 1, 1) / 4

    def _disc(self, index: int, points: Tensor) -> Tensor:
        return points - self._centre(index)

    def _cover(self, index: int, points: Tensor) -> Tensor:
        distance = self._disc(index, points).square().sum(1, keepdim=True).sqrt()
        return (min(self.height, self.width) / 5 - distance + 0.5).clamp(0, 1)

    def _texture(self, name: str) -> Tensor:
        """(1, 3, S, S): noise that falls off as 1/f, without its finest waves."""
        side = round(_MARGIN * math.hypot(self.height, self.width))
        noise = torch.randn((1, 3, side, side), generator=make_rng(self.seed, "texture", name))
        rows, columns = torch.fft.fftfreq(side), torch.fft.rfftfreq(side)
        frequency = (rows[:, None] ** 2 + columns**2).sqrt()
        weight = (frequency < _FINEST) / frequency.clamp_min(4 / side)
        texture: Tensor = torch.fft.irfft2(torch.fft.rfft2(noise) * weight, (side, side))
        texture = 0.5 + 0.18 * texture / texture.std()
        return texture.clamp(0, 1)


def _sample(texture: Tensor, places: Tensor) -> Tensor:
    """The texture at places about its middle, in pixels; it goes on in mirrors."""
    grid = places.permute(0, 2, 3, 1) / (texture.shape[-1] / 2)
    sampled: Tensor = F.grid_sample(
        texture, grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )
    return sampled
