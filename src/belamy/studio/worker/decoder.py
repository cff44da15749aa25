"""`python -m belamy.studio.worker.decoder`: reads the pictures that are dropped in, without torch.

A process of its own, so that a file that brings down a decoder brings down nothing else; its memory
and its time are limited where the system can do so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from belamy.errors import BelamyError, ImageError
from belamy.files import atomic_path, sha256
from belamy.pixels import srgb
from belamy.pixels.decode import open_picture
from belamy.pixels.recipe import read_recipe
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.first_frame import media_of, read_first_frame

__all__ = ["decode", "main"]

_MEMORY = 2 << 30  # bytes that a decoder may take
_SHOWN = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
"""Pillow's formats that every browser shows as they are, upright and in their colours."""
_SUFFIXES = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "WEBP": ".webp",
    "GIF": ".gif",
    "AVIF": ".avif",
    "TIFF": ".tif",
    "BMP": ".bmp",
}
_THUMB_SIDE, _THUMB_QUALITY = 384, 82


def main() -> None:
    """Decode what the server names, until it is gone."""
    channel = Channel.take_over()
    _limit_memory()
    channel.send({"type": "ready"})
    for order in channel.orders():
        answer: dict[str, Any]
        try:
            answer = decode(order)
        except BelamyError as error:
            answer = {"error": " ".join(str(error).split())}
        except (MemoryError, OSError, ValueError) as error:
            answer = {"error": f"the picture cannot be read ({type(error).__name__})"}
        channel.send({"type": "decoded", "id": order["id"], **answer})


def decode(order: dict[str, Any]) -> dict[str, Any]:
    """Look at a file; leave a small copy, and one that browsers show where they cannot show it.

    Args:
        order: `path` of the file, `name` to call it in messages, `thumb` and `view` to be written,
            `megapixels` that it may have, `film` whether it is one.

    Raises:
        ImageError: it is no picture, damaged, or too large.
    """
    path = Path(order["path"])
    if order.get("film"):
        return _decode_film(path, order)
    with open_picture(path, name=order["name"], max_megapixels=order["megapixels"]) as picture:
        kind = str(picture.format)
        plain = kind in _SHOWN and picture.mode in ("RGB", "RGBA", "L", "LA", "P", "1")
        colours, alpha = srgb.to_srgb(picture, order["name"])
    whole = _to_picture(colours, alpha)
    media = _SHOWN.get(kind, "") if plain else ""
    if not media:
        media = "image/png"
        with atomic_path(order["view"]) as temporary:
            whole.save(temporary, "PNG", compress_level=1)
    _save_small(whole, order)
    return {
        "width": colours.shape[1],
        "height": colours.shape[0],
        "media": media,
        "suffix": _SUFFIXES.get(kind, ".png"),
        "plain": plain,
        "sha256": sha256(path),
        "recipe": _recipe(path),
    }


def _decode_film(path: Path, order: dict[str, Any]) -> dict[str, Any]:
    """A film: its first frame stands for it."""
    first, said = read_first_frame(path, order["name"], order["megapixels"])
    with atomic_path(order["view"]) as temporary:
        first.save(temporary, "PNG", compress_level=1)
    width, height = first.size
    _save_small(first, order)
    suffix = Path(order["name"]).suffix.lower() or ".mp4"
    return {
        "width": width,
        "height": height,
        "media": "image/png",
        "suffix": suffix,
        "plain": False,
        "sha256": sha256(path),
        "recipe": _recipe(path),
        "film": {**said, "media": media_of(suffix)},
    }


def _save_small(picture: Image.Image, order: dict[str, Any]) -> None:
    picture.thumbnail((_THUMB_SIDE, _THUMB_SIDE), Image.Resampling.LANCZOS, reducing_gap=3)
    with atomic_path(order["thumb"]) as temporary:
        picture.save(temporary, "WEBP", quality=_THUMB_QUALITY, method=2)


def _to_picture(colours: srgb.Pixels, alpha: srgb.Pixels | None) -> Image.Image:
    """8 bits, RGB or RGBA."""
    pixels = _to_bytes(colours)
    pixels = np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels
    if alpha is not None:
        pixels = np.concatenate([pixels, _to_bytes(alpha)[:, :, None]], axis=2)
    return Image.fromarray(np.ascontiguousarray(pixels))


def _to_bytes(values: Any) -> Any:
    if values.dtype == np.uint8:
        return values
    return np.clip(np.round(values * 255), 0, 255).astype(np.uint8)


def _recipe(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(read_recipe(path).to_json())
    except (BelamyError, ImageError, ValueError):
        return None
    return found


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY if most == resource.RLIM_INFINITY else min(_MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


if __name__ == "__main__":
    main()
