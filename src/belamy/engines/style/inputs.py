"""The pictures of a style transfer, read: content, styles, and the masks of both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from belamy.engines.style.targets import StyleImage
from belamy.errors import OptionError
from belamy.pixels.colors import match_colors
from belamy.pixels.images import compose, fit, load_image, load_picture, resize
from belamy.pixels.pyramid import Size

_HARDLY = 0.5 / 255  # of a mask: resizing alone leaves as much of what was nothing


@dataclass(frozen=True)
class Pictures:
    """What is painted, and in whose manner.

    Args:
        content: (1, 3, H, W), at the size of the result.
        alpha: (1, 1, H, W), its transparency; None where there is none.
        styles: at full size.
        masks: (1, 1, H, W) each, one a style: its region; none where the styles are blended.
        note: what was stretched.
    """

    content: Tensor
    alpha: Tensor | None
    styles: tuple[StyleImage, ...]
    masks: tuple[Tensor, ...]
    note: str

    def cover(self, size: Size) -> Tensor | None:
        """Where anything is painted, (1, 1, *size) in [0, 1]; None for everywhere."""
        if not self.masks:
            return None
        return resize(torch.stack(self.masks).sum(dim=0).clamp(0, 1), size)


def listed(given: Any) -> list[Any]:
    """One picture, or several, as a list."""
    return list(given) if isinstance(given, (list, tuple)) else [given]


def read_pictures(options: Mapping[str, Any], device: torch.device) -> Pictures:
    """Everything that the options name.

    Raises:
        ImageError: a picture cannot be read.
        OptionError: masks or weights that do not fit the styles in number, or a mask that is black.
    """
    picture = load_picture(options["content"])
    height, width = picture.image.shape[-2:]
    size = final_size(height, width, options["size"])
    content = resize(picture.image, size).to(device)
    alpha = None if picture.alpha is None else resize(picture.alpha, size).to(device)
    match = content if options["keep_colors"] == "match" else None
    styles, notes = _styles(options, match, device)
    masks = [_mask(source, "mask") for source in listed(options["mask"])]
    notes = [_stretched("mask", masks, "content", (height, width)), *notes]
    note = "; ".join(dict.fromkeys(filter(None, notes)))
    regions = _regions([resize(mask, size).to(device) for mask in masks], len(styles))
    return Pictures(content, alpha, styles, regions, note)


def final_size(height: int, width: int, size: int | str) -> Size:
    """The result's size: `512` for a long side, `512+` for as many pixels as a square has."""
    if isinstance(size, int):
        return fit(height, width, size)
    side = int(size.removesuffix("+"))
    factor = side / math.sqrt(height * width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def _styles(
    options: Mapping[str, Any], match: Tensor | None, device: torch.device
) -> tuple[tuple[StyleImage, ...], list[str]]:
    """The styles at full size, and what to tell the user of their masks."""
    sources, masks = listed(options["style"]), listed(options["style_mask"])
    weights = options["style_weight"] or [1.0] * len(sources)
    if not sources:
        raise OptionError("there is no style; name one picture or more")
    for name, given in (("style-weight", weights), ("style-mask", masks)):
        if given and len(given) != len(sources):
            raise OptionError(
                f"{len(given)} of {name} for {len(sources)} styles; give one for each"
            )
    found, notes = [], []
    for index, source in enumerate(sources):
        picture = load_picture(source)
        image, mask = compose(picture).to(device), picture.alpha
        if masks:
            shape = (image.shape[-2], image.shape[-1])
            drawn = _mask(masks[index], "style-mask")
            notes.append(_stretched("style-mask", [drawn], "style", shape))
            given = resize(drawn, shape)
            mask = given if mask is None else given * mask
        if mask is not None and not bool(mask.max() > 0):
            raise OptionError("nothing of a style can be seen; its mask or itself is transparent")
        image = image if match is None else match_colors(image, match)
        found.append(StyleImage(image, None if mask is None else mask.to(device), weights[index]))
    return tuple(found), notes


def shrunk(style: StyleImage, long_side: int) -> StyleImage:
    """The style with a long side of so many pixels; it is never enlarged."""
    height, width = style.image.shape[-2:]
    size = fit(height, width, max(1, min(long_side, max(height, width))))
    mask = None if style.mask is None else resize(style.mask, size)
    return StyleImage(resize(style.image, size), mask, style.weight)


def _mask(source: Any, name: str) -> Tensor:
    """A mask's brightness (1, 1, H, W)."""
    mask = load_image(source, background="black").mean(dim=1, keepdim=True)
    if not bool(mask.max() > 0):
        raise OptionError(f"a {name} is black all over, so nothing would count; make it white")
    return mask


def _regions(masks: Sequence[Tensor], styles: int) -> tuple[Tensor, ...]:
    """One mask a style, if there is any."""
    if len(masks) == 1 and styles == 2:
        masks = [masks[0], 1 - masks[0]]
        if not bool(masks[1].max() > _HARDLY):
            raise OptionError("the mask is white all over and leaves no place to the second style")
    if masks and len(masks) != styles:
        raise OptionError(
            f"{len(masks)} masks for {styles} styles; give one for each, or one for one or two"
        )
    return tuple(masks)


def _stretched(name: str, masks: Sequence[Tensor], of: str, size: Size) -> str:
    sizes = {tuple(mask.shape[-2:]) for mask in masks} - {size}
    if not sizes:
        return ""
    found = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
    return f"a {name} of {found} is stretched to the {of}'s {size[1]}x{size[0]}"
