"""Feed-forward image-to-image networks on pictures of any size: faststyle and translate."""

from __future__ import annotations

import functools
import os
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import Field, replace
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

import torch
from torch import Tensor

from belamy.devices import choose_device
from belamy.engines.compact import CompactPicture
from belamy.engines.recipes import recipe_of
from belamy.engines.tiling import fix_tile
from belamy.errors import OptionError, PictureWarning, WeightsError
from belamy.networks.files.ranges import Range
from belamy.networks.find import find_network
from belamy.networks.image_to_image.network import CHECKED_SIDE
from belamy.networks.image_to_image.onnx_files import hash_network
from belamy.networks.image_to_image.runtime import Runtime, TorchRuntime, load_runtime
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import Picture, Source, load_picture, resize
from belamy.pixels.images import fit as fit_size
from belamy.pixels.recipe import Recipe
from belamy.pixels.tiles import (
    apply_tiled,
    available_memory,
    blend_tiles,
    tile_for_memory,
)
from belamy.precision import PassPrecision
from belamy.steps import Step

__all__ = ["FeedforwardOptions", "Repainter", "extend_by_mirroring", "repaint"]

# What the largest activation costs, in bytes for each of its numbers, while others are held too.
_BYTES_PER_FLOAT = 16
# Free memory beyond which tiles become larger, but no faster. Strips take hardly longer than the
# whole, so that they begin earlier: at a megapixel, for the networks that belamy trains.
_ENOUGH, _ENOUGH_FOR_STRIPS = 4 * 1024**3, 1024**3
_SMALLEST_AUTO_TILE = 256  # pixels; smaller ones would be nearly all margin
_OWN_STATISTICS = (
    "an ONNX network shows no statistics of its own: each tile is painted by itself, and tones may "
    "differ between tiles; --tile none paints the picture whole"
)


class FeedforwardOptions(Protocol):
    """The options of every engine that repaints a picture in one forward pass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def image(self) -> Source | None: ...
    @property
    def network(self) -> str | os.PathLike[str]: ...
    @property
    def size(self) -> int | None: ...
    @property
    def strength(self) -> float: ...
    @property
    def keep_colors(self) -> bool: ...
    @property
    def tile(self) -> str | int: ...
    @property
    def runtime(self) -> str: ...
    @property
    def range(self) -> Range: ...
    @property
    def precision(self) -> PassPrecision: ...
    @property
    def device(self) -> str: ...


Options = TypeVar("Options", bound=FeedforwardOptions)


class Repainter(Generic[Options]):
    """A feed-forward network loaded once, for many pictures.

    Args:
        engine: which of `belamy.engines.ENGINES` this is, for the recipe.
        options: for all pictures; its `image` is repainted where no other is named.
        direction: which network, in a file that has several.

    Raises:
        UnknownName, WeightsError: the network is not here, damaged, or has a part that is unknown.
        OptionError: the runtime cannot run this file, or not on this device.
        MissingExtra: the runtime is not installed.
    """

    def __init__(self, engine: str, options: Options, direction: str | None = None) -> None:
        self.engine = engine
        self.device = choose_device(options.device)
        self.path = find_network(options.network, "image-to-image")
        self.runtime = load_runtime(
            self.path, options.runtime, self.device, direction, options.range, options.precision
        )
        self._given = options
        self.options = replace(options, precision=self.runtime.precision)
        self._weights = hash_network(self.path)

    @property
    def weights(self) -> dict[str, str]:
        """The network's file → its SHA-256."""
        return dict(self._weights)

    def __call__(self, image: Source | None = None) -> Picture:
        """The picture repainted."""
        (last,) = deque(self.steps(image), maxlen=1)
        return Picture(last.image, last.alpha, last.recipe)

    def recipe(self, image: Source | None = None) -> Recipe:
        """The recipe that the repainted picture will carry, but for how it is cut into tiles."""
        return self._recipe(self._options(image), None)

    def _options(self, image: Source | None) -> Options:
        options = self.options if image is None else replace(self.options, image=image)
        if options.image is None:
            raise OptionError("no picture to repaint; name one")
        return options

    def _recipe(self, options: Options, tile: int | None) -> Recipe:
        written = replace(options, tile="none" if tile is None else tile, device=str(self.device))
        return recipe_of(self.engine, written, self._weights, given=self._given, step=1)

    def paint(self, image: CompactPicture, options: Options, tile: int | None) -> Tensor:
        """A picture repainted, (1, 3, H, W), not clamped: one pass of the network."""
        return repaint(self.runtime, image.floats(), tile)

    def steps(self, image: Source | None = None) -> Iterator[Step]:
        """The same as a stream, of one step."""
        options = self._options(image)
        assert options.image is not None
        picture = _resize_picture(load_picture(options.image), options.size)
        base, alpha = CompactPicture.of(picture.image.to(self.device)), picture.alpha
        del picture  # whose floats are not needed all the time
        tile = _choose_tile(options.tile, self.runtime, base.numbers)
        blend = self._repaint(base, options, tile)
        yield Step(1, 1, blend, {}, alpha, self._recipe(options, tile))

    def fix_tile(self, size: tuple[int, int]) -> Literal["none"] | int:
        """Choose, by the memory that is free now, how all pictures of one size are cut.

        Args:
            size: (height, width).
        """
        given = self.options.tile
        tile = fix_tile(size, self.device, lambda like: _choose_tile(given, self.runtime, like))
        self.options = replace(self.options, tile=tile)
        return tile

    def repaint_frame(self, image: Tensor) -> Tensor:
        """A frame of a film (1, 3, H, W) repainted at its own size, without a recipe of its own."""
        base = CompactPicture.of(image.to(self.device))
        tile = _choose_tile(self.options.tile, self.runtime, base.numbers)
        return self._repaint(base, self.options, tile)

    def _repaint(self, base: CompactPicture, options: Options, tile: int | None) -> Tensor:
        # Few copies of a large picture at a time: nobody holds what was painted but `_blend`.
        painted = self.paint(base, options, tile).to(self.device, torch.float32)
        return _blend(base, self._check(painted), options)

    def _check(self, painted: Tensor) -> Tensor:
        low, high = painted.aminmax()  # those of what holds a NaN are NaN
        if not (bool(low.isfinite()) and bool(high.isfinite())):
            raise WeightsError(f"{self.path} paints values that are no numbers; get it again")
        return painted


def _resize_picture(picture: Picture, size: int | None) -> Picture:
    if size is None:
        return picture
    target = fit_size(picture.image.shape[-2], picture.image.shape[-1], size)
    alpha = None if picture.alpha is None else resize(picture.alpha, target)
    return Picture(resize(picture.image, target), alpha)


def _choose_tile(given: str | int, runtime: Runtime, image: Tensor) -> int | None:
    """The longest side of a tile in pixels; None where the picture is repainted whole.

    Args:
        given: auto, none, or a number of pixels.
    """
    if given == "none":
        return None
    if isinstance(given, int):
        tile = given
    else:
        cost = _BYTES_PER_FLOAT * runtime.geometry.floats
        most = _ENOUGH_FOR_STRIPS if isinstance(runtime, TorchRuntime) else _ENOUGH
        free = min(most, available_memory(image.device))
        least = max(_SMALLEST_AUTO_TILE, 4 * runtime.geometry.margin)  # half of it is margin
        tile = tile_for_memory(cost, free, least)
    return None if max(image.shape[-2:]) <= tile else tile


def repaint(runtime: Runtime, image: Tensor, tile: int | None) -> Tensor:
    """The picture repainted, at its own size.

    Args:
        runtime: what runs the network.
        image: (1, 3, H, W) in [0, 1], any size.
        tile: longest side of the tiles in pixels; None paints it whole.

    Returns:
        (1, 3, H, W), not clamped.
    """
    if runtime.side is not None:
        return _in_squares(runtime, image, runtime.side)
    if tile is None or max(image.shape[-2:]) <= tile:
        return _at_own_size(runtime, image)
    stride = runtime.geometry.stride
    # At least what a network takes, lest the last tile be mirrored where the picture ends.
    margin = _next_size(runtime.geometry.margin, stride)
    if tile < 2 * margin + stride:
        raise OptionError(f"a tile of {tile} px is all margin; take {4 * margin} or more")
    extended, corner = _extend(runtime, image)
    if isinstance(runtime, TorchRuntime):
        return _cut_back(runtime.paint_in_strips(extended, tile), image, corner)
    side = (tile - 2 * margin) // stride * stride + 2 * margin
    # the longest tile that `plan` takes cuts at multiples of the stride
    cut = side + stride - 1
    fixed = runtime.fix_statistics(extended)
    if fixed is not None:  # a pixel depends on its neighbourhood alone, so hard cuts do not show
        painted = apply_tiled(functools.partial(_paint, fixed), extended, cut, margin, align=stride)
    else:
        warnings.warn(_OWN_STATISTICS, PictureWarning, stacklevel=2)
        painted = blend_tiles(
            functools.partial(_paint, runtime), extended, cut, margin, align=stride
        )
    return _cut_back(painted, image, corner)


def _in_squares(runtime: Runtime, image: Tensor, side: int) -> Tensor:
    """Repainted by a network that takes squares of one size alone."""
    whole = functools.partial(_at_size, runtime, (side, side))
    return blend_tiles(whole, image, side, side // 8)


def _at_own_size(runtime: Runtime, image: Tensor) -> Tensor:
    extended, corner = _extend(runtime, image)
    return _cut_back(_paint(runtime, extended), image, corner)


def _extend(runtime: Runtime, image: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """The picture mirrored at its borders to a size that the network takes; where it lies there."""
    stride = runtime.geometry.stride
    height, width = (_next_size(length, stride) for length in image.shape[-2:])
    return _extend_to((height, width), image, stride)


def _next_size(length: int, stride: int) -> int:
    """What a network takes: a multiple of its stride, large enough for its borders."""
    return -(-max(length, CHECKED_SIDE) // stride) * stride


def _extend_to(size: tuple[int, int], image: Tensor, stride: int) -> tuple[Tensor, tuple[int, int]]:
    """What is added above and to the left is a multiple of the stride, so that the network's own
    grid lies on the picture as it would without."""
    top, left = (
        (n - own) // 2 // stride * stride for n, own in zip(size, image.shape[-2:], strict=True)
    )
    return extend_by_mirroring(image, size, (top, left)), (top, left)


def _cut_back(painted: Tensor, image: Tensor, corner: tuple[int, int]) -> Tensor:
    (top, left), (height, width) = corner, image.shape[-2:]
    return painted[..., top : top + height, left : left + width]


def _at_size(runtime: Runtime, size: tuple[int, int], image: Tensor) -> Tensor:
    extended, corner = _extend_to(size, image, runtime.geometry.stride)
    return _cut_back(_paint(runtime, extended), image, corner)


def _paint(runtime: Runtime, image: Tensor) -> Tensor:
    generated = runtime(image)
    if generated.shape != image.shape:
        raise WeightsError(
            f"the network makes {tuple(generated.shape)} of a picture of {image.shape[-2]}×"
            f"{image.shape[-1]}; only those that keep the size are run here"
        )
    return generated


def extend_by_mirroring(
    image: Tensor, size: tuple[int, int], corner: tuple[int, int] = (0, 0)
) -> Tensor:
    """The picture in a larger one that goes on as in mirrors, as often as it takes.

    Args:
        image: (N, C, H, W).
        size: (height, width), none smaller than the picture's.
        corner: where the picture's first row and column come to lie.
    """
    rows, columns = (
        _mirror(own, length, first, image.device)
        for own, length, first in zip(image.shape[-2:], size, corner, strict=True)
    )
    if rows is None and columns is None:  # nothing is added, nor copied
        return image
    extended = image.new_empty((*image.shape[:2], *size))
    for channel, out in zip(
        torch.split(image, 1, dim=1), torch.split(extended, 1, dim=1), strict=True
    ):  # pictures can be large
        tall = channel if rows is None else channel.index_select(-2, rows)
        out.copy_(tall if columns is None else tall.index_select(-1, columns))
    return extended


def _mirror(own: int, length: int, first: int, device: torch.device) -> Tensor | None:
    """Which of its `own` places each of `length` shows; None where they are the same."""
    if length == own:
        return None
    positions = torch.arange(length, device=device) - first
    period = max(1, 2 * own - 2)  # the border pixel itself is not doubled
    back = positions.remainder(period)
    return torch.minimum(back, (period - back).clamp_min(0))


def _blend(base: CompactPicture, generated: Tensor, options: FeedforwardOptions) -> Tensor:
    """The generated picture in its strength over the base, its colours kept if so asked."""
    generated = generated.clamp(0, 1)
    if options.keep_colors:
        generated = keep_colors(base.floats(), generated)
    for own, channel in zip(
        torch.split(generated, 1, dim=1), base.channels(base.size), strict=True
    ):
        own.sub_(channel).mul_(options.strength).add_(channel)
    return generated
