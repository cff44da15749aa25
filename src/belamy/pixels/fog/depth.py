"""Synthetic depth maps: plausible depths of a picture, to put fog at.

No estimate of the truth, but many kinds of plausible ones, so that a network that learns on them
does not come to rely on one. Each row of `DEPTHS` makes depths of one kind for a batch at once;
`mixed_depth` mixes a few of them for each picture, puts things in front, and fits the result to
the picture's own edges. Depths are in [0, 1], 1 the farthest.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import UnknownName
from belamy.pixels.guided import box_filter, guided_upsample

__all__ = [
    "DEPTHS",
    "SCENE",
    "depth_of",
    "mixed_depth",
    "random_occluders",
    "smooth_noise",
    "uniform",
]

SCENE = "scene"
"""What a picture out of doors might look like: several of `DEPTHS` together."""

_SCENE_KINDS = ("ground", "skies", "regions")

_SEEDS = 14  # regions of a picture, in `regions`. By eye
_NEAREST = 0.08  # of the ground, in units of the depth of the horizon. By eye
_UNLIKELY, _RARE = ("clouds", "tunnel"), 0.25  # kinds that scenes seldom have, and how often
_MIXED = 3  # kinds of depth in one picture, at most
_SIDE = 64  # pixels, of the pictures that depths are made for
_EDGE_RADIUS = 10  # windows of the guided filter, as a part of the picture's shorter side
_EDGE_EPSILON = 1e-3  # contrasts below 3 % are texture, not the edges of things


def uniform(count: int, low: float, high: float, rng: torch.Generator) -> Tensor:
    """(count, 1, 1, 1) random numbers in [low, high)."""
    return torch.rand((count, 1, 1, 1), generator=rng) * (high - low) + low


def _axes(image: Tensor) -> tuple[Tensor, Tensor]:
    """Down (1, 1, H, 1) and across (1, 1, 1, W), both from 0 to 1."""
    height, width = image.shape[-2:]
    down, across = torch.linspace(0, 1, height), torch.linspace(0, 1, width)
    return down.view(1, 1, -1, 1), across.view(1, 1, 1, -1)


def smooth_noise(
    image: Tensor, rng: torch.Generator, *, cells: int = 3, octaves: int = 3
) -> Tensor:
    """Cloudy noise (N, 1, H, W) in [0, 1], each picture's own, `cells` to a side and finer."""
    total = torch.zeros(())
    side = cells * 2**octaves  # twice as many as the finest grid has cells: enough for all of them
    for octave in range(octaves):
        points = cells * 2**octave + 1
        grid = torch.rand((len(image), 1, points, points), generator=rng)
        layer = F.interpolate(grid, (side, side), mode="bicubic", align_corners=True)
        total = total + layer * 0.5**octave
    return F.interpolate(_normalize(total), image.shape[-2:], mode="bilinear")


def _normalize(depth: Tensor) -> Tensor:
    """Each map to the whole of [0, 1]; a flat one to 0."""
    low, high = depth.amin((1, 2, 3), keepdim=True), depth.amax((1, 2, 3), keepdim=True)
    return (depth - low) / (high - low).clamp_min(1e-6)


def _ramp(image: Tensor, rng: torch.Generator) -> Tensor:
    """Near below, far above, along a line that is tilted a little."""
    down, across = _axes(image)
    tilt = uniform(len(image), -0.4, 0.4, rng)
    bend = uniform(len(image), 0.6, 2.0, rng)
    return _normalize(1 - down + tilt * (across - 0.5)) ** bend


def _ground(image: Tensor, rng: torch.Generator) -> Tensor:
    """A plane up to a horizon, and what is above it as far as that."""
    count = len(image)
    down, across = _axes(image)
    horizon = uniform(count, 0.1, 0.6, rng) + uniform(count, -0.1, 0.1, rng) * (across - 0.5)
    nearest = _NEAREST * uniform(count, 0.5, 3.0, rng)
    below = ((down - horizon) / (1 - horizon)).clamp_min(0)
    return nearest / (nearest + below)


def _room(image: Tensor, rng: torch.Generator) -> Tensor:
    """A box seen from within: floor, ceiling, two walls, and the wall at the end."""
    count = len(image)
    down, across = _axes(image)
    x, y = uniform(count, 0.2, 0.8, rng), uniform(count, 0.2, 0.8, rng)
    end = uniform(count, 0.1, 0.6, rng)  # the size of the far wall, as a part of the picture
    # of the rays' directions, in units of where each wall would be met at depth 1
    upright = torch.maximum((down - y) / (1.05 - y), (y - down) / (y + 0.05))
    level = torch.maximum((across - x) / (1.05 - x), (x - across) / (x + 0.05))
    steepest = torch.maximum(upright, level)  # (N, 1, H, W)
    return end / torch.maximum(steepest, end)


def _regions(image: Tensor, rng: torch.Generator) -> Tensor:
    """Parts of the picture that are alike in colour and near each other, each at its own depth.

    A Voronoi diagram in place and colour, around places drawn at random: its borders follow the
    picture's edges.
    """
    count, _, height, width = image.shape
    down, across = _axes(image)
    seeds = torch.rand((count, _SEEDS, 2), generator=rng)
    rows = (seeds[..., 0] * (height - 1)).long()
    columns = (seeds[..., 1] * (width - 1)).long()
    soft = box_filter(image, max(1, min(height, width) // 50))
    colours = soft[torch.arange(count)[:, None], :, rows, columns]  # (N, seeds, 3)
    weight = uniform(count, 0.5, 3.0, rng)
    nearest = torch.full((count, 1, height, width), torch.inf)
    depth = torch.zeros((count, 1, height, width))
    chosen = torch.rand((count, _SEEDS), generator=rng)
    lower = uniform(count, 0.0, 1.0, rng).view(-1, 1)  # how far what is below is near too
    chosen = chosen * (1 - lower) + (1 - seeds[..., 0]) * lower
    for seed in range(_SEEDS):
        place = seeds[:, seed].view(count, 2, 1, 1, 1)
        apart = (down - place[:, 0]).square() + (across - place[:, 1]).square()
        unlike = (soft - colours[:, seed, :, None, None]).square().sum(1, keepdim=True)
        distance = apart + weight * unlike
        depth = torch.where(distance < nearest, chosen[:, seed].view(-1, 1, 1, 1), depth)
        nearest = torch.minimum(nearest, distance)
    return depth


def _skies(image: Tensor, rng: torch.Generator) -> Tensor:
    """What is high up, smooth, and bright or blue is far; the rest comes nearer downwards."""
    down, _ = _axes(image)
    radius = max(1, min(image.shape[-2:]) // 25)
    grey = image.mean(1, keepdim=True)
    rough = (box_filter(grey.square(), radius) - box_filter(grey, radius).square()).clamp_min(0)
    light = torch.maximum(grey, image[:, 2:3])
    far = torch.sigmoid(8 * (light - 0.5) - 60 * rough.sqrt() + 6 * (0.5 - down))
    near = 1 - down
    return torch.maximum(far, near * uniform(len(image), 0.2, 0.9, rng))


def _clouds(image: Tensor, rng: torch.Generator) -> Tensor:
    """Smooth noise: no scene in particular."""
    return smooth_noise(image, rng)


def _tunnel(image: Tensor, rng: torch.Generator) -> Tensor:
    """Far in the middle, or in the middle alone near."""
    count = len(image)
    down, across = _axes(image)
    x, y = uniform(count, 0.2, 0.8, rng), uniform(count, 0.2, 0.8, rng)
    radius = _normalize(((down - y).square() + (across - x).square()).sqrt())
    return torch.where(uniform(count, 0, 1, rng) < 0.75, 1 - radius, radius)


def _even(image: Tensor, rng: torch.Generator) -> Tensor:
    """Everything as far as everything else: a wall, or fog that is the same all over."""
    return uniform(len(image), 0.3, 1.0, rng).expand(-1, 1, *image.shape[-2:])


DEPTHS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "ramp": _ramp,
    "ground": _ground,
    "room": _room,
    "regions": _regions,
    "skies": _skies,
    "clouds": _clouds,
    "tunnel": _tunnel,
    "even": _even,
}
"""Types of depth map: (N, 3, H, W) and rng → (N, 1, H, W) in [0, 1]."""


def random_occluders(image: Tensor, rng: torch.Generator) -> Tensor:
    """Where something might stand in front: (N, 1, H, W) of 0 and 1, up to a third of a picture.

    Half of them are round, half are cut straight; most reach the lower border.
    """
    count = len(image)
    down, across = _axes(image)
    x, y = uniform(count, 0.0, 1.0, rng), uniform(count, 0.4, 1.1, rng)
    wide, high = uniform(count, 0.05, 0.4, rng), uniform(count, 0.05, 0.5, rng)
    u, v = ((across - x) / wide).abs(), ((down - y) / high).abs()
    straight = uniform(count, 0, 1, rng) < 0.5
    distance = torch.where(straight, torch.maximum(u, v), (u.square() + v.square()).sqrt())
    ragged = uniform(count, 0.0, 0.7, rng) * (smooth_noise(image, rng, cells=5) - 0.5)
    return (distance + ragged < 1).float()


def mixed_depth(image: Tensor, rng: torch.Generator) -> Tensor:
    """Random depth maps for a batch, each a mix of one to three types, three in four edge-aligned.

    Args:
        image: (N, 3, H, W) in [0, 1], on the CPU.
        rng: random generator.

    Returns:
        (N, 1, H, W) in [0, 1].
    """
    count, _, height, width = image.shape
    small = _downsample(image)
    kinds = torch.stack([depth(small, rng) for depth in DEPTHS.values()], dim=1)
    weights = torch.zeros(count, len(DEPTHS))
    often = torch.tensor([_RARE if kind in _UNLIKELY else 1.0 for kind in DEPTHS])
    for _ in range(_MIXED):
        one = torch.multinomial(often, count, replacement=True, generator=rng)[:, None]
        weights.scatter_add_(1, one, torch.rand((count, 1), generator=rng) ** 2)
    weights = weights / weights.sum(1, keepdim=True).clamp_min(1e-6)
    depth = (kinds * weights.view(count, -1, 1, 1, 1)).sum(1)  # (N, 1, h, w)
    fitted = _fit_edges(image, depth)
    plain = F.interpolate(depth, (height, width), mode="bilinear")
    depth = torch.where(uniform(count, 0, 1, rng) < 0.75, fitted, plain)
    return depth.clamp(0, 1)


def depth_of(image: Tensor, kind: str, rng: torch.Generator) -> Tensor:
    """Edge-aligned depth maps of one type.

    Args:
        image: (N, 3, H, W) in [0, 1], on the CPU.
        kind: a name of `DEPTHS`, or `scene`: a third each of the ground, the sky and the regions.
        rng: random generator.

    Returns:
        (N, 1, H, W) in [0, 1].

    Raises:
        UnknownName: there is no such kind.
    """
    if kind != SCENE and kind not in DEPTHS:
        raise UnknownName("depth", kind, (SCENE, *DEPTHS))
    small = _downsample(image)
    kinds = _SCENE_KINDS if kind == SCENE else (kind,)
    depth = torch.stack([DEPTHS[one](small, rng) for one in kinds]).mean(0)
    return _fit_edges(image, depth).clamp(0, 1)


def _fit_edges(image: Tensor, depth: Tensor) -> Tensor:
    """Small depths (N, 1, h, w) at the picture's size, along its edges."""
    radius = max(1, min(depth.shape[-2:]) // _EDGE_RADIUS)
    return guided_upsample(image, depth, radius=radius, epsilon=_EDGE_EPSILON)


def _downsample(image: Tensor) -> Tensor:
    """With a shorter side of 64 pixels at most: depths are smooth, and fitted to edges later."""
    height, width = image.shape[-2:]
    scale = min(1.0, _SIDE / min(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(image, size, mode="area")
