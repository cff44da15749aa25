"""Clean a set of painted portraits: what a face detector took for faces, and drawings, go.

    python recipes/portraits.py portraits-96.zip paintings-128.zip portraits-clean.zip [SHEETS]

Four questions are asked of each picture of the periods that paint dark and carefully:

- bars: uniform strips at the edges, of a photograph of the painting; narrow ones are cut off (the
  square inside is enlarged), wide ones throw the picture out;
- colour: drawings and prints are grey, or one hue all over on light paper;
- a face: a linear judge on the features of iris, taught with all portraits against squares out of
  other paintings, and never asked about a picture that it was taught with, finds it unlike a
  portrait;
- a copy: nearly the same picture is there already (copies of one painting are many in WikiArt).

SHEETS is a folder for contact sheets of what was kept and what was thrown out, and why: look.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from belamy.files import atomic_path
from belamy.networks.backbone import load_backbone

# Periods, and how unlike a portrait a picture of each may look (standard deviations of the
# judge's scores on all): the later the painting, the rarer are the dark coats that are wanted.
PERIODS = {
    "baroque": -0.9,
    "romanticism": -0.85,
    "symbolism": -0.2,
    "impressionism": 0.0,
    "post-impressionism": 0.5,
    "expressionism": 0.6,
    "art-nouveau": 0.4,
}
OLD = ("baroque", "romanticism")
SIDE = 96
WIDEST_BAR = 14  # pixels at one edge
FLAT = 6.0  # levels of 255: the deviation along a line that may be a bar
LEAST_COLOUR = 14.0  # levels: mean distance from grey
LEAST_HUES = 5.5  # levels: how much colours differ from each other within a picture
PAPER = 150.0  # mean level from which a picture may be a drawing on paper
SAME = 0.985  # correlation of two small copies
FOLDS = 4
RIDGE = 300.0


def main(data: str, others: str, target: str, sheets: str = "") -> None:
    pictures = dict(read(data))
    faults = {name: fault(picture) for name, picture in pictures.items()}
    squares = {name: without_bars(picture) for name, picture in pictures.items()}
    scores = likeness(squares, [square for _, square in read(others)])
    kept: dict[str, NDArray[np.uint8]] = {}
    small: list[NDArray[np.float64]] = []
    for name in sorted(squares, key=lambda name: -scores[name]):
        period = name.split("/")[0]
        if not faults[name] and period not in OLD and squares[name].mean() > 120:
            faults[name] = "light"
        if not faults[name] and scores[name] < PERIODS[period]:
            faults[name] = "face"
        if not faults[name] and is_copy(squares[name], small):
            faults[name] = "copy"
        if not faults[name]:
            kept[name] = squares[name]
    save(kept, Path(target))
    print(Counter(faults.values()), Counter(name.split("/")[0] for name in kept))
    if sheets:
        for reason in sorted(set(faults.values())):
            named = [name for name, fault in faults.items() if fault == reason]
            named.sort(key=lambda name: scores[name])
            sheet(named, squares, Path(sheets) / f"{reason or 'kept'}.png")


def read(path: str) -> list[tuple[str, NDArray[np.uint8]]]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        images = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    return [(name, np.asarray(image)) for name, image in zip(names, images, strict=True)]


def bars(picture: NDArray[np.uint8]) -> list[int]:
    """Pixels of uniform black or white at the top, bottom, left and right."""
    light = picture.astype(float).mean(axis=2)
    found = []
    for lines in (light, light[::-1], light.T, light.T[::-1]):
        flat = (lines.std(axis=1) < FLAT) & ((lines.mean(axis=1) < 16) | (lines.mean(axis=1) > 235))
        found.append(int(np.argmin(flat)) if not flat.all() else len(flat))
    return found


def fault(picture: NDArray[np.uint8]) -> str:
    if max(bars(picture)) > WIDEST_BAR and max(bars(picture)[2:]) > WIDEST_BAR:
        return "bars"
    values = picture.astype(float)
    colour = values - values.mean(axis=2, keepdims=True)
    corner = np.sort(values[:10, :10].mean(axis=2).ravel())
    if colour.std(axis=2).mean() * 3**0.5 < LEAST_COLOUR:
        return "grey"
    hues = np.sqrt(colour.reshape(-1, 3).var(axis=0).sum())
    if hues < LEAST_HUES or (values.mean() > PAPER and hues < 2 * LEAST_HUES):
        return "drawing"
    right = np.sort(values[:10, -10:].mean(axis=2).ravel())
    if np.median(corner) > 240 and np.median(right) > 240:
        return "paper"
    return ""


def without_bars(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest square between the bars, enlarged."""
    top, bottom, left, right = (min(bar, WIDEST_BAR) for bar in bars(picture))
    if left + right > top + bottom:  # a dark ground above a head is no bar
        top, bottom = min(top, 2), min(bottom, 2)
    spare = [1 if bar else 0 for bar in (top, bottom, left, right)]  # a bar's soft edge
    top, bottom, left, right = (
        a + b for a, b in zip((top, bottom, left, right), spare, strict=True)
    )
    height, width = picture.shape[0] - top - bottom, picture.shape[1] - left - right
    side = min(height, width)
    y, x = top + (height - side) // 2, left + (width - side) // 2
    square = Image.fromarray(picture).crop((x, y, x + side, y + side))
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def likeness(
    squares: dict[str, NDArray[np.uint8]], others: list[NDArray[np.uint8]]
) -> dict[str, float]:
    """How much each looks like a portrait, in standard deviations from their mean."""
    rows = torch.from_numpy(np.stack(list(squares.values())))
    crops = [other[:SIDE, :SIDE] for other in others] + [other[-SIDE:, -SIDE:] for other in others]
    against = torch.from_numpy(np.stack(crops))
    features, foreign = embed(rows), embed(against)
    mean, spread = features.mean(0), features.std(0) + 1e-3
    features, foreign = (features - mean) / spread, (foreign - mean) / spread
    scores = torch.zeros(len(features))
    for fold in range(FOLDS):
        asked = torch.arange(len(features)) % FOLDS == fold
        x = torch.cat([features[~asked], foreign])
        y = torch.cat([torch.ones(int((~asked).sum())), -torch.ones(len(foreign))])
        x = torch.cat([x, torch.ones(len(x), 1)], dim=1)
        weights = torch.linalg.solve(x.T @ x + RIDGE * torch.eye(x.shape[1]), x.T @ y)
        scores[asked] = features[asked] @ weights[:-1] + weights[-1]
    scores = (scores - scores.mean()) / scores.std()
    return dict(zip(squares, scores.tolist(), strict=True))


def embed(pictures: Tensor) -> Tensor:
    """uint8 (N, S, S, 3) → (N, 16·C): what iris sees in each of 4×4 places."""
    eye = load_backbone("iris", layers=["mixed4a"])
    found = []
    with torch.inference_mode():
        for part in pictures.split(64):
            x = part.permute(0, 3, 1, 2).float() / 255
            x = torch.nn.functional.interpolate(x, size=64, mode="area")
            maps = eye(x, ["mixed4a"])["mixed4a"]
            found.append(torch.nn.functional.adaptive_avg_pool2d(maps, 3).flatten(1))
    return torch.cat(found)


def is_copy(picture: NDArray[np.uint8], small: list[NDArray[np.float64]]) -> bool:
    """Whether it was seen; if it was not, it now is."""
    grey = np.asarray(Image.fromarray(picture).convert("L").resize((12, 12)), float).ravel()
    grey = (grey - grey.mean()) / (grey.std() + 1e-6)
    if small and (np.stack(small) @ grey / grey.size).max() > SAME:
        return True
    small.append(grey)
    return False


def save(kept: dict[str, NDArray[np.uint8]], target: Path) -> None:
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(kept):
            file = io.BytesIO()
            Image.fromarray(kept[name]).save(file, "png")
            entry = zipfile.ZipInfo(str(Path(name).with_suffix(".png")))  # without today's date
            archive.writestr(entry, file.getvalue())


def sheet(names: list[str], squares: dict[str, NDArray[np.uint8]], path: Path) -> None:
    columns = 24
    rows = [names[i : i + columns] for i in range(0, len(names), columns)]
    image = Image.new("RGB", (64 * columns, 64 * len(rows)))
    for y, row in enumerate(rows):
        for x, name in enumerate(row):
            image.paste(Image.fromarray(squares[name]).resize((64, 64)), (64 * x, 64 * y))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
