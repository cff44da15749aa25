"""The statistics of a whole picture at each instance norm, found from tiles of it.

Norm by norm: once all norms before it have their statistics, every tile is taken as far as this
one, and what it holds of the picture is counted. Activations that are smaller than the picture are
kept from norm to norm, so that little is computed twice; those as large as it are not, since they
are what the picture is cut for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from belamy.networks.image_to_image.layers import Affine, Sum
from belamy.pixels.tiles import Tile

__all__ = ["fix_norms"]

# Of each pixel, of activations that are kept between two norms: those of 256 channels at a quarter
# of the picture's sides.
_MOST_KEPT = 16.0


def fix_norms(
    network: nn.Sequential, image: Tensor, tiles: Sequence[Tile] | None = None
) -> nn.Sequential:
    """The same network with the statistics that `image` has at each of its instance norms.

    What is left looks at a neighbourhood alone, so that a picture can be cut into tiles that fit
    together without a seam.

    Args:
        network: made by `belamy.networks.image_to_image.layers.build`; its weights are shared with
            the result, not copied.
        image: (N, 3, H, W) as the network takes it; the statistics are over all N pictures.
        tiles: they cover the picture; crops and keeps begin and end at multiples of the network's
            stride. None: one that is all of it.
    """
    height, width = image.shape[-2:]
    whole = (slice(0, height), slice(0, width))
    found = list(tiles or [Tile(whole, whole)])
    crops = [image[..., tile.crop[0], tile.crop[1]] for tile in found]
    fixed = _fix(network, _Activations(found, (height, width), crops, ()))
    assert isinstance(fixed, nn.Sequential)
    return fixed


@dataclass(frozen=True)
class _Activations:
    """What each tile is at some place of the network: kept tensors, and what is yet to be done."""

    tiles: list[Tile]
    size: tuple[int, int]
    kept: list[Tensor]
    steps: tuple[nn.Module, ...]

    def of(self, index: int) -> Tensor:
        x = self.kept[index]
        for step in self.steps:
            x = step(x)
        return x

    def after(self, step: nn.Module) -> _Activations:
        return _Activations(self.tiles, self.size, self.kept, (*self.steps, step))

    def settle(self) -> _Activations:
        """The same, computed and kept, where that is smaller than the picture and not too deep."""
        rows, columns = self.tiles[0].crop
        pixels = (rows.stop - rows.start) * (columns.stop - columns.start)
        first = self.of(0)
        floats = first[0].numel() / pixels
        small = first.shape[-1] * first.shape[-2] < pixels and floats <= _MOST_KEPT
        if not small and len(self.tiles) > 1:
            return self
        others = (self.of(index) for index in range(1, len(self.tiles)))
        return _Activations(self.tiles, self.size, [first, *others], ())

    def inner(self, index: int, x: Tensor) -> Tensor:
        """The part of a tile's activation that no other tile counts."""
        tile = self.tiles[index]
        rows, columns = (
            _inner(crop, keep, whole, length)
            for crop, keep, whole, length in zip(
                tile.crop, tile.keep, self.size, x.shape[-2:], strict=True
            )
        )
        return x[..., rows, columns]


def _inner(crop: slice, keep: slice, whole: int, length: int) -> slice:
    """Where the kept part of a crop lies in an activation of `length` places.

    What a network adds at the picture's borders belongs to the tiles that lie there.
    """
    pixels = crop.stop - crop.start
    # places for each pixel are 1, 2, ½, ¼ …; what is over is padding, alike on both sides
    scale = 2.0 ** round(torch.tensor(length / pixels).log2().item())
    lead = (length - pixels * scale) / 2
    start = 0 if keep.start == 0 else round(lead + (keep.start - crop.start) * scale)
    stop = length if keep.stop == whole else round(lead + (keep.stop - crop.start) * scale)
    return slice(start, stop)


def _fix(module: nn.Module, x: _Activations) -> nn.Module:
    """The module with its norms fixed."""
    if isinstance(module, nn.Sequential):
        parts = []
        for part in module:
            fixed = _fix(part, x)
            parts.append(fixed)
            x = x.after(fixed)
            if isinstance(part, (Sum, nn.InstanceNorm2d)):
                x = x.settle()
        return nn.Sequential(*parts)
    if isinstance(module, Sum):
        return type(module)([_fix(branch, x) for branch in module.branches])
    if isinstance(module, nn.InstanceNorm2d):
        return _affine_of(module, x)
    return module


@torch.no_grad()
def _affine_of(norm: nn.InstanceNorm2d, x: _Activations) -> Affine:
    mean, variance = _moments(x)
    own = x.kept[0]
    exact = torch.promote_types(own.dtype, torch.float32)
    affine = Affine(norm.num_features).to(own.device, exact)
    scale = (variance + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    affine.weight.copy_(scale)
    affine.bias.copy_(-mean * scale if not norm.affine else norm.bias - mean * scale)
    return affine.requires_grad_(False)


def _moments(x: _Activations) -> tuple[Tensor, Tensor]:
    """Each channel's mean and variance over all tiles, joined as Chan, Golub and LeVeque do."""
    count, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for index in range(len(x.tiles)):
        part = x.inner(index, x.of(index)).transpose(0, 1).flatten(1).double()
        more = part.shape[1]
        if index == 0:
            mean, squares = torch.zeros_like(part[:, 0]), torch.zeros_like(part[:, 0])
        own = part.mean(dim=1)
        squares = squares + part.var(dim=1, correction=0) * more
        squares = squares + (own - mean).square() * (count * more / (count + more))
        mean = mean + (own - mean) * (more / (count + more))
        count += more
    return mean, squares / count
