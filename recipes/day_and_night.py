"""Make the two worlds of `recipes/day-and-night.sh`: photographs by day, and others by night.

    python recipes/day_and_night.py LANDSCAPES PHOTOS FOLDER

There is no set of night photographs here, so night is made: of every second photograph, by rule.
The sky becomes deep blue, lighter near the horizon, and keeps a little of its clouds; the ground
loses half of its colours, turns blue and dark, as eyes see by moonlight; in towns, dark places of a
window's size are lit, and glow. The other photographs stay as they are, so that no picture of the
one world is a picture of the other, and nothing is learned from pairs.

FOLDER then holds day/ and night/, and of both a fifth that is not learned from, to measure with:
day-held/ and night-held/. Left out are pictures that are dark or grey already.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from light import blur, column, to_light
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from belamy.pixels.fog.sky import segment_sky

KINDS = ("forest", "glacier", "mountain", "sea", "street", "buildings")
TOWNS = ("street", "buildings")
MOST = 300  # pictures of each kind
SCENES = (
    *("ketch", "schooner", "ferry", "minaret", "pagoda", "joshua_tree", "elephant", "emu", "llama"),
    *("kangaroo", "flamingo", "sunflower", "lotus", "water_lilly", "bonsai", "hawksbill", "rhino"),
    *("dolphin", "cougar_body", "cougar_face", "ibis", "butterfly", "gerenuk", "okapi", "pyramid"),
    *("wild_cat", "crocodile", "hedgehog", "panda", "buddha", "car_side", "dragonfly", "airplanes"),
    *("helicopter", "dalmatian"),
)
QUALITY = 92

# All in light, not in levels, but where it is said.
MOONLIGHT = (0.55, 0.78, 1.25)  # on red, green and blue
GREY = 0.5  # of colours that moonlight takes away
ZENITH, HORIZON = (0.009, 0.020, 0.070), (0.045, 0.085, 0.190)
LAMP = (1.0, 0.62, 0.22)
LIT = 0.55  # of the windows
WINDOW = 0.075  # how much darker a window is than the wall, in levels of 1


def main(landscapes: str, photos: str, folder: str) -> None:
    place = Path(folder)
    for name in ("day", "day-held", "night", "night-held"):
        (place / name).mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for index, (name, picture) in enumerate(islice(choose_landscapes(landscapes, kind), MOST)):
            put(place, f"{kind}-{name}", picture, index, town=kind in TOWNS)
    for index, (name, picture) in enumerate(choose_photos(photos)):
        put(place, name, picture, index)


def put(place: Path, name: str, picture: Image.Image, index: int, *, town: bool = False) -> None:
    """Into one of the four folders; every second by night."""
    held = "-held" if index % 10 >= 8 else ""
    world = "day"
    if index % 2:
        world = "night"
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
        dark = make_night(pixels, np.random.default_rng(index), town)
        levels = (dark[0].permute(1, 2, 0) * 255).round().byte().numpy()
        picture = Image.fromarray(levels)
    picture.save(place / f"{world}{held}" / f"{name}.webp", quality=QUALITY)


def read(path: str) -> Iterator[tuple[Path, Image.Image]]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".webp"):
                yield Path(name), Image.open(io.BytesIO(archive.read(name))).convert("RGB")


def choose_landscapes(path: str, kind: str) -> Iterator[tuple[str, Image.Image]]:
    for name, picture in read(path):
        if name.parent.name == kind and is_day(np.asarray(picture) / 255):
            yield name.stem, picture


def choose_photos(path: str) -> Iterator[tuple[str, Image.Image]]:
    """Of scenes and animals, without white or black grounds."""
    for name, picture in read(path):
        if name.stem.split("-", 1)[1] in SCENES:
            values = np.asarray(picture) / 255
            white, black = (values.min(-1) > 0.9).mean(), (values.max(-1) < 0.06).mean()
            if white < 0.08 and black < 0.15 and values.std() > 0.08 and is_day(values):
                yield name.stem, picture


def is_day(values: NDArray[np.float64]) -> bool:
    """Whether a picture (H, W, 3) is light, above all in its upper third, and has colours."""
    colours = (values.max(-1) - values.min(-1)).mean()
    above = values[: len(values) // 3].mean()
    return bool(values.mean() > 0.3 and colours > 0.09 and above > 0.33)


def make_night(picture: Tensor, rng: np.random.Generator, town: bool) -> Tensor:
    """(1, 3, H, W) in [0, 1] by day → by night."""
    unit = picture.shape[-1] / 100
    sky = blur(segment_sky(picture), 0.4 * unit)
    radiance = to_light(picture)
    luminance = (radiance * column((0.2126, 0.7152, 0.0722))).sum(1, keepdim=True)
    rows = torch.linspace(0, 1, picture.shape[-2]).view(1, 1, -1, 1)
    ground = make_ground(radiance, luminance, sky)
    dark = ground * (1 - sky) + make_sky(luminance, sky, rows, unit) * sky
    if town:
        dark = dark + make_lamps(picture, sky, rows, unit, rng)
    return to_levels(dark)


def make_ground(radiance: Tensor, luminance: Tensor, sky: Tensor) -> Tensor:
    """Dark and blue, about as dark whatever the picture was."""
    below = luminance[sky < 0.5]
    key = float(below.mean() if len(below) else luminance.mean())
    moonlit = (radiance * (1 - GREY) + luminance * GREY) * column(MOONLIGHT)
    moonlit = 1.305 * (moonlit * (0.055 / max(key, 0.04)) ** 0.75 * 0.62) ** 1.12
    return moonlit / (1 + 0.7 * moonlit)


def make_sky(luminance: Tensor, sky: Tensor, rows: Tensor, unit: float) -> Tensor:
    """Lighter towards the lowest place of the sky; clouds are seen faintly."""
    lowest = float(((sky.mean(-1, keepdim=True) > 0.05).float() * rows).max())
    share = (rows / max(lowest, 0.2)).clamp(0, 1)
    base = column(ZENITH) * (1 - share) + column(HORIZON) * share
    clouds = luminance / (blur(luminance, 12 * unit) + 0.02)
    return base * (0.45 + 0.55 * clouds.clamp(0, 2.2) * luminance.clamp(0.15, 1) ** 0.35)


def make_lamps(
    picture: Tensor, sky: Tensor, rows: Tensor, unit: float, rng: np.random.Generator
) -> Tensor:
    """Light in about half of the windows: dark places as large as one, not in the sky nor at its
    edge, nor on the street."""
    height, width = picture.shape[-2:]
    grey = picture.mean(1, keepdim=True)
    hollow = blur(grey, 3.2 * unit) - blur(grey, 0.9 * unit)
    windows = ((hollow - WINDOW) / 0.05).clamp(0, 1) * (1 - sky)
    windows = windows * (blur(sky, 2 * unit) < 0.25) * (rows < 0.82)
    cells = (1, 1, max(2, height // int(9 * unit)), max(2, width // int(8 * unit)))
    chances = torch.from_numpy(rng.random(cells).astype(np.float32))
    windows = windows * (functional.interpolate(chances, (height, width)) > 1 - LIT)
    lamps = windows * (0.55 + 0.9 * grey).clamp(0, 1.2)
    glow = 0.25 * blur(lamps, 2.5 * unit) + 0.35 * blur(lamps, 8 * unit)
    return column(LAMP) * (0.7 * lamps + 0.4 * glow * (1 - 0.4 * sky))


def to_levels(radiance: Tensor) -> Tensor:
    """sRGB, encoded."""
    light = radiance.clamp(0, 1)
    curve = 1.055 * light.clamp_min(1e-6) ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, 12.92 * light, curve)


if __name__ == "__main__":
    main(*sys.argv[1:])
