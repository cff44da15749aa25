"""The pictures of a style transfer, read: content, styles, and the masks of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from belamy.engines.masks import read_mask
from belamy.engines.recipes import as_list
from belamy.engines.sizes import choose_side
from belamy.engines.style.options import read_weights
from belamy.engines.style.targets import StyleImage
from belamy.errors import OptionError
from belamy.pixels.colors import match_colors
from belamy.pixels.images import Source, compose, fit, load_picture, resize
from belamy.pixels.pyramid import Size

__all__ = [
    "PaintOptions",
    "Pictures",
    "final_size",
    "read_pictures",
    "shrink",
]

_HARDLY = 0.5 / 255  # of a mask: resizing alone leaves as much of what was nothing


class PaintOptions(Protocol):
    """The options that every way to paint in the style of pictures has."""

    @property
    def content(self) -> Source: ...
    @property
    def style(self) -> Source | Sequence[Source]: ...
    @property
    def size(self) -> int | str | None: ...
    @property
    def style_weight(self) -> float | Sequence[float]: ...
    @property
    def mask(self) -> Source | Sequence[Source]: ...
    @property
    def style_mask(self) -> Source | Sequence[Source]: ...
    @property
    def keep_colors(self) -> str | None: ...


@dataclass(frozen=True)
class Pictures:
    """What is painted, and in which styles.

    Args:
        content: (1, 3, H, W), at the size of the result.
        alpha: (1, 1, H, W), its transparency; None where there is none.
        styles: at full size.
        masks: (1, 1, H, W) each, one a style: its region; none where the styles are blended.
        note: what was stretched.
        side: the size of the result, as it was asked for or chosen; None for the content's own.
    """

    content: Tensor
    alpha: Tensor | None
    styles: tuple[StyleImage, ...]
    masks: tuple[Tensor, ...]
    note: str
    side: int | str | None = None

    def cover(self, size: Size) -> Tensor | None:
        """Where anything is painted, (1, 1, *size) in [0, 1]; None for everywhere."""
        if not self.masks:
            return None
        return resize(torch.stack(self.masks).sum(dim=0).clamp(0, 1), size)


def read_pictures(
    options: PaintOptions, device: torch.device, largest: int | None = None
) -> Pictures:
    """Everything that the options name.

    Args:
        options: with the paths.
        device: where the pictures go.
        largest: long side of the result at most, where no size is asked for; None for any.

    Raises:
        ImageError: a picture cannot be read.
        OptionError: masks or weights that do not fit the styles in number, or a mask that is black.
    """
    picture = load_picture(options.content)
    height, width = picture.image.shape[-2:]
    side = options.size
    if side is None and largest is not None:
        side = choose_side(options.content, None, (height, width), largest, "painting")
    size = final_size(height, width, side)
    content = resize(picture.image, size).to(device)
    alpha = None if picture.alpha is None else resize(picture.alpha, size).to(device)
    match = content if options.keep_colors == "match" else None
    styles, notes = _read_styles(options, match, device)
    masks = [_read_mask(source, "mask") for source in as_list(options.mask)]
    notes = [_describe_stretching("mask", masks, "content", (height, width)), *notes]
    note = "; ".join(dict.fromkeys(filter(None, notes)))
    regions = _split_masks([resize(mask, size).to(device) for mask in masks], len(styles))
    return Pictures(content, alpha, styles, regions, note, side)


def final_size(height: int, width: int, size: int | str | None) -> Size:
    """The result's size: `512` for a long side, `512+` for as many pixels as a square has.

    None, or `full`, leaves it as it is.
    """
    if size is None or size == "full":
        return height, width
    if isinstance(size, int):
        return fit(height, width, size)
    side = int(size.removesuffix("+"))
    if not size.endswith("+"):
        return fit(height, width, side)
    factor = side / math.sqrt(height * width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def _read_styles(
    options: PaintOptions, match: Tensor | None, device: torch.device
) -> tuple[tuple[StyleImage, ...], list[str]]:
    """The styles at full size, and what to tell the user of their masks.

    Args:
        match: whose colours they get; None leaves them theirs.
    """
    sources, masks = as_list(options.style), as_list(options.style_mask)
    weights = read_weights(options.style_weight) or [1.0] * len(sources)
    if not sources:
        raise OptionError("there is no style; name one picture or more")
    for name, given in (("style-weight", weights), ("style-mask", masks)):
        if given and len(given) != len(sources):
            raise OptionError(
                f"{len(given)} of {name} for {len(sources)} styles; give one for each"
            )
    styles, notes = [], []
    for index, source in enumerate(sources):
        image, mask, note = _read_style(source, masks[index] if masks else None)
        image = image.to(device)
        image = image if match is None else match_colors(image, match)
        styles.append(StyleImage(image, None if mask is None else mask.to(device), weights[index]))
        notes.append(note)
    return tuple(styles), notes


def _read_style(source: Source, mask_source: Source | None) -> tuple[Tensor, Tensor | None, str]:
    """A style, what counts of it, and a note: its transparency times its mask."""
    picture = load_picture(source)
    image, mask, note = compose(picture), picture.alpha, ""
    if mask_source is not None:
        size = (image.shape[-2], image.shape[-1])
        drawn = _read_mask(mask_source, "style-mask")
        note = _describe_stretching("style-mask", [drawn], "style", size)
        resized = resize(drawn, size)
        mask = resized if mask is None else resized * mask
    if mask is not None and not bool(mask.max() > 0):
        raise OptionError("nothing of a style can be seen; its mask or itself is transparent")
    return image, mask, note


def shrink(style: StyleImage, long_side: int) -> StyleImage:
    """The style with a long side of so many pixels; it is never enlarged."""
    height, width = style.image.shape[-2:]
    size = fit(height, width, max(1, min(long_side, max(height, width))))
    mask = None if style.mask is None else resize(style.mask, size)
    return StyleImage(resize(style.image, size), mask, style.weight)


def _read_mask(source: Source, name: str) -> Tensor:
    """A mask (1, 1, H, W) of which something counts."""
    mask = read_mask(source)
    if not bool(mask.max() > 0):
        raise OptionError(f"a {name} is black all over, so nothing would count; make it white")
    return mask


def _split_masks(masks: Sequence[Tensor], styles: int) -> tuple[Tensor, ...]:
    """One mask a style, if there is any: of two styles the second has what is black in the first's.

    Raises:
        OptionError: neither so many masks as styles, nor one for two; or it leaves nothing.
    """
    if len(masks) == 1 and styles == 2:
        masks = [masks[0], 1 - masks[0]]
        if not bool(masks[1].max() > _HARDLY):
            raise OptionError("the mask is white all over and leaves no place to the second style")
    if masks and len(masks) != styles:
        raise OptionError(
            f"{len(masks)} masks for {styles} styles; give one for each, or one for one or two"
        )
    return tuple(masks)


def _describe_stretching(name: str, masks: Sequence[Tensor], of: str, size: Size) -> str:
    sizes = {tuple(mask.shape[-2:]) for mask in masks} - {size}
    if not sizes:
        return ""
    others = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
    return f"a {name} of {others} is stretched to the {of}'s {size[1]}x{size[0]}"
