"""Colours and materials that rooms and streets are furnished with, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from belamy.pixels.rendering.camera import Floats
from belamy.pixels.rendering.materials import Library, Material

__all__ = ["Palette", "pick"]

_WOODS = ((0.72, 0.53, 0.33), (0.5, 0.33, 0.2), (0.33, 0.2, 0.12), (0.82, 0.7, 0.52))
_PHOTO_MIXES = (0.3, 1.0)


def pick(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between the two."""
    return float(rng.uniform(low, high))


@dataclass(frozen=True)
class Palette:
    """Materials of a scene.

    Args:
        library: its textures.
        rng: where the choices come from.
    """

    library: Library
    rng: np.random.Generator

    def pale(self) -> Floats:
        """A wall's colour: light, hardly coloured."""
        light = pick(self.rng, 0.6, 0.95)
        return np.clip(light * (1 + self.rng.normal(0, 0.06, 3)), 0, 0.97).astype(np.float32)

    def any(self) -> Floats:
        """Any colour, many of them dull and dark."""
        light, strength = self.rng.beta(1.3, 1.6), self.rng.beta(1, 2)
        hue = self.rng.random(3)
        hue = hue / hue.max()
        grey = 1 - strength
        return np.asarray(np.clip(light * (grey + strength * hue), 0.01, 0.95), np.float32)

    def dull(self) -> Floats:
        """Brick, stone, earth: from yellow to red, or grey."""
        light, warm = pick(self.rng, 0.12, 0.75), abs(float(self.rng.normal(0, 0.25)))
        shift = np.array([1 + warm, 1.0, 1 - warm]) * (1 + self.rng.normal(0, 0.04, 3))
        return np.clip(light * shift, 0.02, 0.95).astype(np.float32)

    def dark(self) -> Floats:
        """Nearly black."""
        return (pick(self.rng, 0.02, 0.2) * (1 + self.rng.normal(0, 0.1, 3))).astype(np.float32)

    def wood(self) -> Material:
        """Planks or veneer."""
        tone = np.array(_WOODS[int(self.rng.integers(len(_WOODS)))])
        tone = np.clip(tone * self.rng.uniform(0.6, 1.15) * (1 + self.rng.normal(0, 0.06, 3)), 0, 1)
        return self.pattern("planks", tone.astype(np.float32), period=pick(self.rng, 0.3, 1.5))

    def pattern(self, name: str, colour: Floats, **how: float) -> Material:
        """A pattern in a colour; see `Library.pattern`."""
        return self.library.pattern(name, colour, self.rng, **how)

    def picture(self, **how: float) -> Material:
        """A photo as it is, over the whole face."""
        return self.library.photo(np.zeros(3, np.float32), 1.0, self.rng, period=0.0, **how)

    def wall(self) -> Material:
        """Plaster in most rooms; else wood, paper, brick, or any colour."""
        kind = self.rng.random()
        if kind < 0.6:
            return self.pattern("plaster", self.pale(), period=pick(self.rng, 1, 4))
        if kind < 0.72:
            return self.pattern("plaster", self.any(), period=pick(self.rng, 1, 4))
        if kind < 0.8:
            return self.wood()
        if kind < 0.88:
            name = str(self.rng.choice(["tiles", "stripes", "spots", "rough"]))
            return self.pattern(name, self.pale(), period=pick(self.rng, 0.3, 1.5))
        return self.library.photo(self.pale(), pick(self.rng, 0.05, 0.5), self.rng, period=1.5)

    def floor(self) -> Material:
        """Wood, tiles, carpet."""
        kind = self.rng.random()
        if kind < 0.45:
            return self.wood()
        if kind < 0.65:
            return self.pattern("tiles", self.pale(), period=pick(self.rng, 0.6, 2.5))
        return self.pattern("rough", self.any(), period=pick(self.rng, 0.4, 2))

    def thing(self) -> Material:
        """What furniture and what stands on it is made of."""
        kind = self.rng.random()
        if kind < 0.25:
            return self.wood()
        if kind < 0.5:
            return self.pattern("plaster", self.any())
        if kind < 0.6:
            return self.pattern("rough", self.dark(), period=0.5)
        if kind < 0.7:
            return self.pattern("plaster", self.pale())
        if kind < 0.8:
            name = str(self.rng.choice(["stripes", "spots", "tiles", "doors", "rough"]))
            return self.pattern(name, self.any(), period=pick(self.rng, 0.2, 1))
        mixed = pick(self.rng, *_PHOTO_MIXES)
        return self.library.photo(self.any(), mixed, self.rng, period=pick(self.rng, 0.3, 1.2))

    def cloth(self) -> Material:
        """Of beds, sofas and curtains."""
        if self.rng.random() < 0.35:
            return self.library.photo(self.any(), pick(self.rng, 0.2, 0.9), self.rng, period=0.8)
        name = str(self.rng.choice(["rough", "plaster", "stripes", "spots"]))
        colour = self.any() if self.rng.random() < 0.6 else self.pale()
        return self.pattern(name, colour, period=pick(self.rng, 0.2, 0.8))
