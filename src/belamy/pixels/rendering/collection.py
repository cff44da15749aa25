"""Many scenes with exact depth, rendered once and kept in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import Tensor

from belamy.files import atomic_path, cache_folder
from belamy.pixels.rendering.camera import Floats
from belamy.pixels.rendering.materials import SIDE, Library
from belamy.pixels.rendering.paint import View, shrink, to_srgb
from belamy.pixels.rendering.palette import pick
from belamy.pixels.rendering.rooms import look_into_room
from belamy.pixels.rendering.streets import look_along_street
from belamy.pixels.rendering.valleys import look_over_valley

__all__ = ["KINDS", "RenderedScenes", "kind_of", "render_scene", "render_scenes"]

KINDS: dict[str, Callable[[Library, tuple[int, ...], int], View]] = {
    "room": look_into_room,
    "street": look_along_street,
    "valley": look_over_valley,
}
"""What scenes there are: library, seed and side → what is seen."""

_ORDER = ("room", "room", "street", "room", "valley", "room", "room")  # again and again
_VERSION = 1  # raised when the same seed would give other scenes
_FINER = 2  # samples to each side of a pixel, so that edges are as soft as a camera's
_BLOCK = 100  # scenes in one file of the cache


@dataclass(frozen=True)
class RenderedScenes:
    """Pictures and how far what they show is.

    Args:
        images: uint8 (N, S, S, 3), sRGB.
        depths: float16 (N, S, S) in metres.
        outdoors: (N,), whether each is a street or a valley.
    """

    images: Tensor
    depths: Tensor
    outdoors: Tensor


def kind_of(number: int) -> str:
    """What the scene of a number shows: five in seven are rooms."""
    return _ORDER[number % len(_ORDER)]


def render_scene(
    library: Library, number: int, *, side: int, seed: tuple[int, ...]
) -> tuple[NDArray[np.uint8], Floats]:
    """One scene: sRGB (S, S, 3), and its depth in metres, (S, S).

    Args:
        library: the textures.
        number: which one; it says the kind too.
        side: of the picture in pixels.
        seed: of all scenes.
    """
    draw = KINDS[kind_of(number)]
    view = shrink(draw(library, (*seed, number), _FINER * side), _FINER)
    rng = np.random.default_rng((*seed, number, 1))
    picture = _develop(view.colours, rng).transpose(1, 2, 0)
    return np.round(picture * 255).astype(np.uint8), view.depth


def _develop(light: Floats, rng: np.random.Generator) -> Floats:
    """As a camera would: exposed by its mean or its lights, a white balance a little off."""
    mean, high = float(light.mean()), float(np.quantile(light.mean(0), 0.95))
    by_mean, by_high = pick(rng, 0.1, 0.32) / (mean + 1e-4), pick(rng, 0.7, 1.3) / (high + 1e-4)
    part = pick(rng, 0, 1)
    exposure = by_mean**part * by_high ** (1 - part)
    warmth = rng.normal(0, 0.12)
    balance = np.exp([warmth, rng.normal(0, 0.03), -warmth])[:, None, None]
    return np.asarray(np.clip(to_srgb(light * exposure * balance), 0, 1), np.float32)


def render_scenes(
    photos: NDArray[np.uint8], count: int, *, side: int, seed: tuple[int, ...]
) -> RenderedScenes:
    """Scenes with textures out of photos; those that were rendered before are read again.

    Args:
        photos: (P, S, S, 3), at least 64 pixels to a side.
        count: how many.
        side: of the pictures in pixels.
        seed: of everything.

    Raises:
        ValueError: photos that are too small.
    """
    code = hashlib.sha256(photos.tobytes()).hexdigest()
    name = hashlib.sha256(repr((_VERSION, SIDE, code, side, seed)).encode()).hexdigest()[:16]
    library: Library | None = None
    images, depths = [], []
    for block in range(-(-count // _BLOCK)):
        path = cache_folder() / "scenes" / name / f"{block:04}.safetensors"
        found = _read(path)
        if found is None:
            library = Library(photos, seed[0]) if library is None else library
            found = _render_block(library, block, side, seed)
            _write(path, found)
        images.append(torch.from_numpy(found["images"]))
        depths.append(torch.from_numpy(found["depths"]))
    outdoors = torch.tensor([kind_of(number) != "room" for number in range(count)])
    return RenderedScenes(torch.cat(images)[:count], torch.cat(depths)[:count], outdoors)


def _render_block(
    library: Library, block: int, side: int, seed: tuple[int, ...]
) -> dict[str, NDArray[np.generic]]:
    numbers = range(block * _BLOCK, (block + 1) * _BLOCK)
    drawn = [render_scene(library, number, side=side, seed=seed) for number in numbers]
    images, depths = zip(*drawn, strict=True)
    # what is saved is the memory as it lies
    pictures = np.ascontiguousarray(np.stack(images))
    return {"images": pictures, "depths": np.ascontiguousarray(np.stack(depths), np.float16)}


def _read(path: Path) -> dict[str, NDArray[np.generic]] | None:
    """A block of the cache; None where there is none that can be read."""
    try:
        return dict(load_file(path))
    except (OSError, ValueError, KeyError, SafetensorError):
        return None


def _write(path: Path, block: dict[str, NDArray[np.generic]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as aside:
        save_file(block, aside)
