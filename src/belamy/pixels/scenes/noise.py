"""Fractal noise: the texture of clouds, rocks and water, at any place and any resolution.

Coordinates are in scene units, so that a picture keeps its composition at every size: a larger one
only has more of the finest octaves.

Source: K. Perlin, "Improving noise", SIGGRAPH 2002 (gradient noise and its quintic fade); F. K.
Musgrave, in "Texturing and Modeling", 2003, chapter 16 (ridges); I. Quilez, "Domain warping", 2002.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from belamy.devices import make_rng

_TABLE = 256
# Successive octaves are turned, or the lattice shows as lines along the axes.
_TURN = (math.cos(0.6), math.sin(0.6))
_GAIN = 0.5  # amplitude of each octave over that of the one before: 1/f, as in nature


@dataclass(frozen=True)
class Field:
    """A random field on the plane.

    Args:
        seed, name: what it was drawn from.
        order: (512,) a permutation of 0 … 255, twice over: the hash of the lattice.
        gradients: (256, 2) unit vectors.
        pixel: the side of a pixel in scene units; octaves finer than two of them are left out.
    """

    seed: int
    name: str
    order: Tensor
    gradients: Tensor
    pixel: float

    @classmethod
    def from_seed(cls, seed: int, name: str, pixel: float) -> Field:
        """The field called `name`; the pixel is in scene units."""
        source = make_rng(seed, "scene", name)
        order = torch.randperm(_TABLE, generator=source)
        angles = torch.rand(_TABLE, generator=source) * 2 * math.pi
        return cls(seed, name, order.repeat(2), torch.stack([angles.cos(), angles.sin()], 1), pixel)

    def numbers(self, purpose: str, *shape: int) -> Tensor:
        """Random numbers in [0, 1) that depend on the field and the purpose alone."""
        return torch.rand(shape, generator=make_rng(self.seed, "scene", self.name, purpose))

    def at_resolution(self, pixel: float) -> Field:
        """The same field for pixels of another size."""
        return replace(self, pixel=pixel)

    def octaves(self, frequency: float, most: int = 12) -> int:
        """How many octaves from `frequency` on a picture of this resolution can show."""
        return max(1, min(most, 1 + math.floor(math.log2(0.5 / (self.pixel * frequency)))))

    def noise(self, x: Tensor, y: Tensor) -> Tensor:
        """Perlin's gradient noise with period 1: about -0.7 to 0.7, zero on the lattice."""
        left, top = x.floor(), y.floor()
        u, v = x - left, y - top
        column, row = left.long() % _TABLE, top.long() % _TABLE
        right, below = (column + 1) % _TABLE, (row + 1) % _TABLE
        fade_u, fade_v = (t * t * t * (t * (t * 6 - 15) + 10) for t in (u, v))

        def corner(i: Tensor, j: Tensor, du: Tensor, dv: Tensor) -> Tensor:
            gradient = self.gradients[self.order[self.order[i] + j]]
            return gradient[..., 0] * du + gradient[..., 1] * dv

        upper = torch.lerp(corner(column, row, u, v), corner(right, row, u - 1, v), fade_u)
        lower = torch.lerp(
            corner(column, below, u, v - 1), corner(right, below, u - 1, v - 1), fade_u
        )
        return torch.lerp(upper, lower, fade_v)

    def fractal(self, x: Tensor, y: Tensor, frequency: float, most: int = 12) -> Tensor:
        """Octaves of noise from `frequency` upwards: about -1 to 1."""
        return self._sum(x, y, frequency, most, lambda noise: noise * 1.4)

    def billows(self, x: Tensor, y: Tensor, frequency: float, most: int = 12) -> Tensor:
        """Rounded heaps with sharp valleys between them: 0 to about 1."""
        return self._sum(x, y, frequency, most, lambda noise: noise.abs() * 1.6)

    def ridges(self, x: Tensor, y: Tensor, frequency: float, most: int = 12) -> Tensor:
        """Sharp crests; rough where it is high, smooth in the valleys: 0 to about 1."""
        total, weight = torch.zeros_like(x), torch.ones_like(x)
        amplitude = 0.5
        for _ in range(self.octaves(frequency, most)):
            crest = (1 - self.noise(x * frequency, y * frequency).abs() * 1.5).clamp(0, 1) ** 2
            total = total + crest * weight * amplitude
            weight = (crest * 1.6).clamp(0, 1)
            amplitude, frequency = amplitude * _GAIN, frequency * 2.03
            x, y = _rotate(x, y)
        return total

    def _sum(
        self, x: Tensor, y: Tensor, frequency: float, most: int, shape: Callable[[Tensor], Tensor]
    ) -> Tensor:
        total, amplitude, reach = torch.zeros_like(x), 1.0, 0.0
        for _ in range(self.octaves(frequency, most)):
            total = total + amplitude * shape(self.noise(x * frequency, y * frequency))
            reach = reach + amplitude
            amplitude, frequency = amplitude * _GAIN, frequency * 2.03
            x, y = _rotate(x, y)
        return total / min(reach, 1.6)


def _rotate(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    cosine, sine = _TURN
    return x * cosine - y * sine + 17.3, x * sine + y * cosine + 9.1
