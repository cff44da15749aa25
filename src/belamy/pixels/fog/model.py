"""The atmospheric scattering model of haze: its forward, its inverse, and random haze to train on.

    I = J·t + A·(1 − t)        t = exp(−β·depth)

I is what is seen, J what would be seen without fog, t the transmission, the part of the light that
comes through, and A the air light, the colour of the fog itself (Koschmieder 1924). Strictly it
holds for linear light; here, as in the benchmarks of the field (RESIDE, O-HAZE) and in the dark
channel prior's paper, for sRGB values as they are: what is learned and measured is then the same.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from belamy.pixels.fog.depth import mixed_depth, random_occluders, smooth_noise, uniform

__all__ = [
    "MIN_TRANSMISSION",
    "Fog",
    "add_bright_region",
    "apply_fog",
    "degrade",
    "density_for",
    "fog_at",
    "random_fog",
    "random_scene",
    "remove_fog",
]

MIN_TRANSMISSION = 0.1
"""What a transmission is taken for at least where fog is removed: there, all but noise is lost. He
et al.'s 0.1."""

_CLEAR = 0.25  # of the pictures have no fog at all: most photos that people have
_FRONT = 0.5  # of them have something in front
_THINNEST, _DENSEST = 0.25, 4.0  # β, in units of one over the largest depth
_PATCHY = 0.3  # of the fogs are
_TINTED, _DEEPLY_TINTED = 0.5, 0.2  # of the air lights are
_SIDED = 0.2  # are lighter on one side
_USUAL = 0.75  # of the fogs in rooms are as dense as RESIDE's
_CLEAR_SCENES = 0.12  # of the rendered scenes have no fog
_LIGHT = 0.8  # of the air lights are at least `_LIGHTEST`, as by day; the others may be darker
_LIGHTEST, _DARKEST = 0.7, 0.45
_NOISE = 0.02  # at most, of a camera
_WHITE = 0.3  # of the scenes have a large bright region. By eye
_WHITEST, _LEAST_WHITE = 1.0, 0.7


@dataclass(frozen=True)
class Fog:
    """Haze: transmission map and air light of the scattering model.

    Args:
        transmission: (N, 1, H, W), the part of the light that comes through, in (0, 1].
        air: (N, 3, 1, 1), or (N, 3, H, W) where it differs from place to place, in [0, 1].
    """

    transmission: Tensor
    air: Tensor

    def on(self, image: Tensor) -> Tensor:
        """See `apply_fog`."""
        return apply_fog(image, self.transmission, self.air)

    def to(self, device: torch.device) -> Fog:
        """The same on another device."""
        return Fog(self.transmission.to(device), self.air.to(device))


def apply_fog(image: Tensor, transmission: Tensor, air: Tensor) -> Tensor:
    """The scattering model I = J·t + A·(1 − t): (N, 3, H, W), in [0, 1] where J and A are."""
    return image * transmission + air * (1 - transmission)


def remove_fog(
    image: Tensor, transmission: Tensor, air: Tensor, least: float = MIN_TRANSMISSION
) -> Tensor:
    """The inverse model J = (I − A)/max(t, least) + A: (N, 3, H, W), not clamped."""
    # written so that where t is 1 a picture stays as it is, to the last digit
    return image + (image - air) * (1 / transmission.clamp_min(least) - 1)


def density_for(depth: Tensor, amount: float) -> float:
    """The β for which `amount` of the light is the fog's, as a mean over the picture.

    Args:
        depth: of the picture, any shape, 0 or more, not 0 everywhere.
        amount: mean of 1 − t, at least 0 and below 1.

    Returns:
        β, up to the 1000 that nothing could be seen through.
    """
    low, high = 0.0, 1000.0
    for _ in range(50):  # halvings: to the last digit of a float
        middle = (low + high) / 2
        opaque = 1 - float(torch.exp(-middle * depth).mean())
        low, high = (middle, high) if opaque < amount else (low, middle)
    return (low + high) / 2


def random_scene(image: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures and depths for them; half get something out of the next picture in front.

    Args:
        image: (N, 3, H, W) in [0, 1], on the CPU.
        rng: random generator.

    Returns:
        the pictures (N, 3, H, W) and their depths (N, 1, H, W) in [0, 1].
    """
    count = len(image)
    depth = mixed_depth(image, rng)
    nearest = uniform(count, 0.0, 0.4, rng)
    depth = nearest + (1 - nearest) * depth
    front = random_occluders(image, rng) * (uniform(count, 0, 1, rng) < _FRONT)
    near = uniform(count, 0.0, 0.7, rng) * depth.amin((1, 2, 3), keepdim=True).clamp_min(0.1)
    pasted = torch.where(front > 0, image.roll(1, 0).flip(-1), image)
    return pasted, torch.where(front > 0, near, depth)


def add_bright_region(image: Tensor, rng: torch.Generator) -> Tensor:
    """Scenes, some with a large bright region in them: a white sky, snow, a wall, a tablecloth.

    Fog is light and even, but not all that is light and even is fog: to tell them apart by the rest
    of the picture has to be learned on pictures that have both.

    Args:
        image: (N, 3, H, W) in [0, 1], on the CPU.
        rng: random generator.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    count, _, height, _ = image.shape
    upwards = torch.linspace(0.5, -0.5, height).view(1, 1, -1, 1)
    # above, below, or anywhere; more where the picture is light already, so that edges are its own
    score = upwards * uniform(count, -2, 3, rng) + image.mean(1, keepdim=True)
    score = score + smooth_noise(image, rng) * uniform(count, 0, 1, rng)
    fraction = uniform(count, 0.1, 0.7, rng).flatten()
    ranks = score.flatten(1).sort(dim=1).values
    limit = ranks.gather(1, ((1 - fraction) * (ranks.shape[1] - 1)).long()[:, None]).view(
        -1, 1, 1, 1
    )
    inside = torch.sigmoid((score - limit) * torch.exp(uniform(count, 2.0, 5.0, rng)))
    inside = inside * (uniform(count, 0, 1, rng) < _WHITE)
    bright = uniform(count, _LEAST_WHITE, _WHITEST, rng)
    tint = 1 + 0.04 * torch.randn((count, 3, 1, 1), generator=rng)
    shade = 0.1 * (smooth_noise(image, rng, cells=1, octaves=1) - 0.5)
    left = uniform(count, 0, 0.3, rng) * (image - image.mean((2, 3), keepdim=True))
    return (image * (1 - inside) + (bright * tint + shade + left) * inside).clamp(0, 1)


def random_fog(depth: Tensor, rng: torch.Generator) -> Fog:
    """Fog of any kind on a batch: none to dense, white to coloured, even to patchy.

    Args:
        depth: (N, 1, H, W) in [0, 1].
        rng: random generator.
    """
    count = len(depth)
    span = torch.tensor(_DENSEST / _THINNEST).log()
    density = _THINNEST * torch.exp(span * uniform(count, 0, 1, rng))
    density = density * (uniform(count, 0, 1, rng) >= _CLEAR)
    patches = smooth_noise(depth, rng, cells=2, octaves=4) - 0.5
    patchy = uniform(count, 0.2, 1.4, rng) * (uniform(count, 0, 1, rng) < _PATCHY)
    transmission = torch.exp(-density * depth * (1 + patchy * patches))
    return Fog(transmission, _random_air(depth, rng))


def fog_at(depth: Tensor, outdoors: Tensor, rng: torch.Generator) -> Fog:
    """Fog of any density at depths that are known.

    Rooms have it as RESIDE's indoor set has (Li et al. 2019): t = exp(−β·depth/farthest), β mostly
    0.5 to 2. Out of doors, where some things are a thousand times as far as others, depths end
    at some multiple of the median, and the fog is as dense as takes a part of the light.

    Args:
        depth: (N, 1, H, W) in metres.
        outdoors: (N,), whether each picture is of the open.
        rng: random generator.
    """
    count = len(depth)
    middle = depth.flatten(1).median(1).values.view(-1, 1, 1, 1)
    span = torch.exp(uniform(count, 0.6, 3.0, rng))
    capped = torch.minimum(depth, middle * span)
    open_air = outdoors.view(-1, 1, 1, 1)
    near = torch.where(open_air, capped, depth)
    near = near / near.amax((2, 3), keepdim=True).clamp_min(1e-6)
    usual, dense = uniform(count, 0.5, 2.0, rng), uniform(count, 0.1, 4.0, rng)
    density = torch.where(uniform(count, 0, 1, rng) < _USUAL, usual, dense)
    amount = uniform(count, 0.05, 0.8, rng).flatten().tolist()
    by_amount = torch.tensor(
        [density_for(one, part) for one, part in zip(near, amount, strict=True)]
    )
    density = torch.where(open_air, by_amount.view(-1, 1, 1, 1).clamp_max(12), density)
    density = density * (uniform(count, 0, 1, rng) >= _CLEAR_SCENES)
    return Fog(torch.exp(-density * near), _random_air(depth, rng))


def _random_air(depth: Tensor, rng: torch.Generator) -> Tensor:
    """(N, 3, H, W): a grey of 0.7 to 1 in most, down to 0.45 in some; half have a cast, mostly a
    small one, from blue to yellow; a fifth are brighter on one side by up to a tenth."""
    count = len(depth)
    least = torch.where(uniform(count, 0, 1, rng) < _LIGHT, _LIGHTEST, _DARKEST)
    bright = least + (1 - least) * uniform(count, 0, 1, rng)
    cast = uniform(count, 0, 1, rng)
    strength = (cast < _TINTED) * 0.25 + (cast < _DEEPLY_TINTED) * 0.75
    warmth = uniform(count, -0.16, 0.16, rng) * strength
    green = uniform(count, -0.03, 0.03, rng) * strength
    tint = torch.cat([warmth, green, -warmth], dim=1)  # (N, 3, 1, 1)
    sided = (uniform(count, 0, 1, rng) < _SIDED).float() * 0.1
    gradient = sided * (smooth_noise(depth, rng, cells=1, octaves=1) - 0.5)
    return (bright * (1 + tint + gradient)).clamp(0, 1)


def degrade(image: Tensor, rng: torch.Generator) -> Tensor:
    """Degradations by cameras and files: noise on a half of the pictures, JPEG on a third.

    Args:
        image: (N, 3, H, W) in [0, 1], on the CPU.
        rng: random generator.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    draws = torch.rand((len(image), 4), generator=rng).tolist()
    pictures = []
    for one, (noisy, level, packed, quality) in zip(image, draws, strict=True):
        if noisy < 1 / 2:
            noise = torch.randn(one.shape, generator=rng)
            one = (one + _NOISE * level * noise).clamp(0, 1)
        pictures.append(_jpeg(one, round(40 + 55 * quality)) if packed < 1 / 3 else one)
    return torch.stack(pictures)


def _jpeg(image: Tensor, quality: int) -> Tensor:
    """(3, H, W), as it would come back from a JPEG."""
    pixels = (image * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "JPEG", quality=quality)
    with Image.open(file) as opened:
        back = torch.from_numpy(np.array(opened))
    return back.permute(2, 0, 1).float() / 255
