"""An image as a Pillow picture of 8 bits, and as the PNG that a notebook shows."""

from __future__ import annotations

import io

import torch
from PIL import Image
from torch import Tensor

from belamy.errors import ImageError

__all__ = ["LONGEST_SIDE", "to_pil", "to_png"]

LONGEST_SIDE = 1024  # pixels of what a notebook shows: its cells are about as wide


def to_pil(image: Tensor, alpha: Tensor | None = None) -> Image.Image:
    """A Pillow picture, RGB or RGBA, rounded to 8 bits; values outside of [0, 1] are clamped.

    Args:
        image: (1, C, H, W) or (C, H, W) with C = 1 or 3, sRGB.
        alpha: (1, 1, H, W) of the same height and width.

    Raises:
        ImageError: another shape, or values that are not finite numbers.
    """
    colours = [*_finite(image, (1, 3), "the image").expand(3, -1, -1)]
    if alpha is not None:
        opacity = _finite(alpha, (1,), "alpha")
        if opacity.shape[1:] != colours[0].shape:
            raise ImageError(
                f"alpha is {tuple(opacity.shape[1:])}, its image {tuple(colours[0].shape)}; "
                "they must be of one size"
            )
        colours.append(opacity[0])
    pixels = torch.empty((*colours[0].shape, len(colours)), dtype=torch.uint8)
    for index, channel in enumerate(colours):  # one at a time: pictures can be large
        pixels[..., index] = channel.clamp(0, 1).mul_(255).round_()
    return Image.fromarray(pixels.numpy())


def to_png(picture: Image.Image) -> bytes:
    """The picture as PNG for a screen: `LONGEST_SIDE` at most, never enlarged."""
    scaled = picture.copy()
    scaled.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    scaled.save(buffer, "PNG")
    return buffer.getvalue()


def _finite(image: Tensor, channels: tuple[int, ...], name: str) -> Tensor:
    """The one picture in `image` as (C, H, W) floats on the CPU, known to be finite."""
    plain = image.detach().cpu().float()
    plain = plain[0] if plain.ndim == 4 and len(plain) == 1 else plain
    if plain.ndim != 3 or plain.shape[0] not in channels or 0 in plain.shape:
        expected = " or ".join(f"(1, {count}, H, W)" for count in channels)
        raise ImageError(f"{name} has the shape {tuple(image.shape)}; it must be {expected}")
    broken = sum(channel.numel() - int(channel.isfinite().sum()) for channel in plain)
    if broken > 0:
        raise ImageError(
            f"{name} has {broken} values that are not numbers; the work has diverged, try smaller "
            "steps"
        )
    return plain
