"""Make the two worlds of `recipes/old-photographs.sh`: photographs of today, and old ones.

    python recipes/old_photographs.py LANDSCAPES PHOTOS SMALL FOLDER

There is no free set of photographs of about 1890 here, so every second photograph is made old, by
what happened to light on its way to a print:

- the plate saw blue best, green little and red hardly, so that skies are white, leaves and red
  things dark;
- its negative and the paper gave a curve with a long shoulder and a soft foot;
- a print is of one tint for each density: purple or reddish browns in the shadows, and a paper that
  has yellowed; there are albumen, salt, and toned gelatine prints;
- a hundred years lifted its blacks and took from its whites;
- the lens was a little soft.

There is no grain and no scratch, and nothing depends on the place in the picture: crops are learned
from. The other photographs stay as they are, so that no picture of the one world is a picture of
the other, and nothing is learned from pairs. Those that are grey, brown or almost black as they are
are left out of both.

FOLDER then holds new/ and old/, and of both a tenth that is not learned from, to measure with:
new-held/ and old-held/.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from light import blur, column, to_light
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor

__all__ = ["Print", "choose_print", "has_colours", "make_old"]

SCENES = (
    *("ketch", "schooner", "ferry", "minaret", "pagoda", "joshua_tree", "elephant", "emu", "llama"),
    *("kangaroo", "flamingo", "sunflower", "lotus", "water_lilly", "bonsai", "hawksbill", "rhino"),
    *("dolphin", "cougar_body", "ibis", "butterfly", "gerenuk", "okapi", "pyramid", "wild_cat"),
    *("crocodile", "hedgehog", "panda", "buddha", "dragonfly", "dalmatian", "rooster", "beaver"),
)
"""Of Caltech-101: what is photographed out of doors."""

SMALL = {
    "people": (60, 111, 112, 118, 119, 134, 150),
    "scenes": (66, 71, 129, 162, 170, 194, 195, 197, 198),
    "animals": (33, 49, 51, 53),
}
"""Of Tiny ImageNet: people in gowns, rickshaws, kimonos, round maypoles, in uniforms, ponchos and
sombreros; barns, lighthouses, fences, thatch, viaducts, alps, cliffs, lakes, coasts; cougars, oxen,
bighorns, camels."""

SMALL_MOST = {"people": 120, "scenes": 60, "animals": 40}  # pictures of each class
SIDE = 204  # pixels; of squares of 128 px, of which three fifths to the whole are seen
QUALITY = 92
VIVID = 2.2  # times the saturation, at most: strong colours are rare, and must turn brown as well
TURNED = 0.125  # of the pictures of today have other hues
HELD = 10  # every tenth of each world

Colour = tuple[float, float, float]

# Shadows, middle tones and paper in levels of 1, before time has faded them.
TINTS: dict[str, tuple[Colour, Colour, Colour]] = {
    "albumen": ((0.17, 0.09, 0.09), (0.60, 0.46, 0.36), (0.97, 0.92, 0.79)),
    "salt": ((0.24, 0.12, 0.08), (0.65, 0.48, 0.37), (0.96, 0.91, 0.81)),
    "gelatine": ((0.12, 0.09, 0.07), (0.54, 0.46, 0.36), (0.95, 0.91, 0.80)),
}
SHARES = (0.5, 0.25, 0.25)  # of the prints


@dataclass(frozen=True)
class Print:
    """How one photograph was taken and printed.

    Args:
        sensitivity: of the plate to red, green and blue light; together 1.
        gamma: of the tone curve in its middle.
        exposure: light that becomes the middle tone, as part of about the mean of the ground.
        shadows, middle, paper: its tints, in levels of 1.
        softness: of the lens, deviation in thousandths of the width.
    """

    sensitivity: Colour
    gamma: float
    exposure: float
    shadows: Colour
    middle: Colour
    paper: Colour
    softness: float


def choose_print(rng: np.random.Generator) -> Print:
    """A plate between one that sees blue alone and an orthochromatic one, and a print of it."""
    ortho = rng.uniform(0.0, 0.8)
    red, green = 0.01 + 0.05 * ortho, 0.09 + 0.34 * ortho
    tints = TINTS[str(rng.choice(list(TINTS), p=SHARES))]
    fading = rng.uniform(0.35, 1.0)
    shadows, middle, paper = (np.array(tint) for tint in tints)
    warmth = np.array((1.0, 1.0, rng.uniform(0.94, 1.03)))
    shadows = shadows + fading * 0.11
    paper = paper * (1 - 0.08 * fading) * warmth
    middle = (middle + fading * 0.05) * warmth
    return Print(
        sensitivity=(red, green, 1 - red - green),
        gamma=rng.uniform(0.85, 1.2),
        exposure=rng.uniform(0.75, 1.3),
        shadows=_colour(shadows),
        middle=_colour(middle),
        paper=_colour(paper),
        softness=rng.uniform(1.0, 3.0),
    )


def make_old(picture: Tensor, kind: Print) -> Tensor:
    """A photograph of today, (1, 3, H, W) in [0, 1] → as an old print shows it, in [0, 1]."""
    soft = blur(to_light(picture), kind.softness / 1000 * picture.shape[-1])
    light = (soft * column(kind.sensitivity)).sum(1, keepdim=True)
    key = float(light.clamp_min(0.004).log().mean().exp())  # the ground, more than the sky
    middle = kind.exposure * min(max(1.4 * key, 0.02), 0.5)
    power = light.clamp_min(1e-4) ** kind.gamma
    density = power / (power + middle**kind.gamma)  # 0 black, ½ the middle tone, 1 never reached
    # what the brightest light of the picture leaves is the paper
    white = max(float(density.flatten().quantile(0.995)), 0.6)
    return tint((density / white).clamp(0, 1), kind)


def tint(tone: Tensor, kind: Print) -> Tensor:
    """Tones (1, 1, H, W) in [0, 1] → the print's colours, through its middle one, smoothly."""
    shadows, middle, paper = (column(x) for x in (kind.shadows, kind.middle, kind.paper))
    share = (middle - shadows) / (paper - shadows)
    return shadows + (paper - shadows) * tone.clamp_min(1e-4) ** (share.log() / np.log(0.5))


def main(landscapes: str, photos: str, small: str, folder: str) -> None:
    place = Path(folder)
    for name in ("new", "new-held", "old", "old-held"):
        (place / name).mkdir(parents=True, exist_ok=True)
    choices = ((landscapes, choose_landscapes), (photos, choose_photos), (small, choose_small))
    for path, choose in choices:
        with zipfile.ZipFile(path) as archive:
            for index, (name, picture) in enumerate(choose(archive)):
                put(place, name, picture, index)


def put(place: Path, name: str, picture: Image.Image, index: int) -> None:
    """Into one of the four folders; every second one old."""
    held = "-held" if index // 2 % HELD == HELD - 1 else ""
    picture = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    picture = picture.filter(ImageFilter.UnsharpMask(radius=1.5, percent=50, threshold=0))
    world = "new"
    if index % 2:
        world = "old"
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
        aged = make_old(pixels, choose_print(np.random.default_rng(index)))
        levels = (aged[0].permute(1, 2, 0) * 255).round().byte().numpy()
        picture = Image.fromarray(levels)
    elif not held:
        picture = make_vivid(picture, np.random.default_rng(index))
    picture.save(place / f"{world}{held}" / f"{name}.webp", quality=QUALITY, method=2)


def make_vivid(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Colours up to VIVID times as strong; of every eighth picture other hues, too."""
    if rng.uniform() < TURNED:
        hue, *others = picture.convert("HSV").split()
        turn = int(rng.integers(256))
        hue = hue.point([(value + turn) % 256 for value in range(256)])
        picture = Image.merge("HSV", (hue, *others)).convert("RGB")
    return ImageEnhance.Color(picture).enhance(rng.uniform(1.0, VIVID))


def read(archive: zipfile.ZipFile, names: Iterable[str]) -> Iterator[tuple[Path, Image.Image]]:
    for name in sorted(names):
        if name.endswith(".webp"):
            yield Path(name), Image.open(io.BytesIO(archive.read(name))).convert("RGB")


def choose_landscapes(archive: zipfile.ZipFile) -> Iterator[tuple[str, Image.Image]]:
    for name, picture in read(archive, archive.namelist()):
        if has_colours(np.asarray(picture) / 255):
            yield f"{name.parent.name}-{name.stem}", picture


def choose_photos(archive: zipfile.ZipFile) -> Iterator[tuple[str, Image.Image]]:
    """Out of doors, not on a white or black ground."""
    for name, picture in read(archive, archive.namelist()):
        if name.stem.split("-", 1)[1] in SCENES:
            values = np.asarray(picture) / 255
            white, black = (values.min(-1) > 0.9).mean(), (values.max(-1) < 0.06).mean()
            if white < 0.08 and black < 0.15 and has_colours(values):
                yield name.stem, picture


def choose_small(archive: zipfile.ZipFile) -> Iterator[tuple[str, Image.Image]]:
    names = archive.namelist()
    for kind, classes in SMALL.items():
        for number in classes:
            own = [name for name in names if name.startswith(f"train/{number:03d}/")]
            found = (
                (f"{kind}-{number:03d}-{name.stem}", picture)
                for name, picture in read(archive, own)
                if has_colours(np.asarray(picture) / 255)
            )
            yield from islice(found, SMALL_MOST[kind])


def has_colours(values: NDArray[np.float64]) -> bool:
    """Whether a picture (H, W, 3) in [0, 1] is neither dark nor grey nor of one tint alone."""
    colours = values - values.mean(-1, keepdims=True)
    hues = colours.reshape(-1, 3).std(0).mean()  # of a sepia print hardly more than of a grey one
    saturation = (values.max(-1) - values.min(-1)).mean()
    return bool(values.mean() > 0.25 and saturation > 0.07 and hues > 0.025)


def _colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


if __name__ == "__main__":
    main(*sys.argv[1:])
