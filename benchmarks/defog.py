"""Fog taken out: decibels on fog whose truth is known, seconds and memory at 1280×720.

On pictures that training never saw: 100 landscapes in fog made up in another way than in training
(a ramp, noise, the picture's edges), 200 frames of a room whose depth was measured, and 60 rendered
scenes with other seeds and textures. The fogs are as dense as those of the public sets (RESIDE:
about 12 dB untouched within, 16 out of doors); those of the rendered scenes are RESIDE's own, β of
0.6 to 1.8 over the farthest depth and a grey air light of 0.7 to 1.

`plain` is the dark channel prior as its paper has it, without any of the guards of belamy's `dcp`:
ω 0.95, windows of 15 pixels, the air light of the 0.1 % lightest places of the dark channel, a
guided filter of radius 60 on the grey picture.

    python benchmarks/defog.py DATA [--quick] [--network FILE]

DATA is the folder of landscapes-100.zip and rgbd-320.zip; without it only time is measured.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from tools import Figure, peak_megabytes, report
from tools.plain_dark_channel import remove_plainly
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.defog.api import DefogOptions
from belamy.engines.defog.dataset import order_by_hash
from belamy.engines.defog.remove import Defogger
from belamy.pixels.fog.model import apply_fog
from belamy.pixels.guided import guided_filter
from belamy.pixels.images import load_image
from belamy.pixels.rendering.collection import render_scenes
from belamy.training.metrics import psnr, ssim

Pair = tuple[Tensor, Tensor]

SECONDS, MEGABYTES = 0.5, 1024.0
OVER_PLAIN, OVER_UNTOUCHED = 3.0, 5.0  # decibels
CLEAR, MOST = 32.0, 0.95  # decibels of a clear picture to itself, and how many have them
HELD_OUT = 100

_WHOLE = """
import torch
from belamy import defog
defog(torch.rand(1, 3, 720, 1280){options})
"""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("data", nargs="?", type=Path)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--network", default="defog")
    options = asked.parse_args()
    figures = _cost(options.network)
    if options.data is not None:
        figures += _quality(options.data, options.network, 5 if options.quick else 1)
    return report(figures)


def _cost(network: str) -> list[Figure]:
    image = torch.rand((1, 3, 720, 1280), generator=make_rng(0, "benchmark"))
    defogger = Defogger(DefogOptions(network=network))
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        defogger(image)
        best = min(best, time.process_time() - start)
    option = "" if network == "defog" else f", network={network!r}"
    return [
        Figure("CPU seconds at 1280×720", best, SECONDS),
        Figure("MB at 1280×720", peak_megabytes(_WHOLE.format(options=option)), MEGABYTES),
    ]


def _quality(data: Path, network: str, every: int) -> list[Figure]:
    figures = []
    sets = {"landscapes": landscapes(data), "rooms": rooms(data), "rendered": rendered(data)}
    for name, pairs in sets.items():
        table = _table([pair for n, pair in enumerate(pairs) if n % every == 0], network)
        for method, (decibels, likeness) in table.items():
            sys.stdout.write(f"{name:<12} {method:<10} {decibels:6.2f} dB  {likeness:.4f}\n")
        ours, prior = table["network"][0], table["dcp"][0]
        figures += [
            Figure(f"{name}: dB over plain", ours - table["plain"][0], OVER_PLAIN, at_most=False),
            Figure(f"{name}: dcp over plain", prior - table["plain"][0], 0, at_most=False),
        ]
        if name != "rendered":  # where the fog is thin in many
            more = ours - table["untouched"][0]
            figures.append(
                Figure(f"{name}: dB over untouched", more, OVER_UNTOUCHED, at_most=False)
            )
        if name == "landscapes":
            kept = table["kept"][0]
            figures.append(Figure("clear pictures that stay", kept, MOST, at_most=False))
    return figures


def _table(pairs: list[Pair], network: str) -> dict[str, tuple[float, float]]:
    """Method → mean PSNR and SSIM; `clear`: of clear pictures after the network, to themselves, and
    `kept`: the part of them that has `CLEAR` decibels."""
    ours, prior = (
        _defogger_of(options)
        for options in (DefogOptions(network=network), DefogOptions(method="dcp"))
    )
    rows: dict[str, Callable[[Pair], Pair]] = {
        "untouched": lambda pair: (pair[1], pair[0]),
        "plain": lambda pair: (remove_plainly(pair[1]), pair[0]),
        "dcp": lambda pair: (prior(pair[1]), pair[0]),
        "network": lambda pair: (ours(pair[1]), pair[0]),
        "clear": lambda pair: (ours(pair[0]), pair[0]),
    }
    found = {}
    for name, row in rows.items():
        both = [row(pair) for pair in pairs]
        decibels = [min(60.0, psnr(*one)) for one in both]
        likeness = sum(ssim(*one) for one in both) / len(both)
        found[name] = (sum(decibels) / len(both), likeness)
        if name == "clear":
            found["kept"] = (sum(one >= CLEAR for one in decibels) / len(both), likeness)
    return found


def _defogger_of(options: DefogOptions) -> Callable[[Tensor], Tensor]:
    defogger = Defogger(options)
    return lambda image: defogger(image).image


def rendered(data: Path) -> Iterator[Pair]:
    """Clear and foggy: scenes with textures out of the held-out landscapes, at 440 pixels."""
    with zipfile.ZipFile(data / "landscapes-100.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".webp")]
        pictures = [_read(archive.read(name)) for name in order_by_hash(names)[:HELD_OUT]]
    photos = torch.cat(pictures).mul(255).round().to(torch.uint8).permute(0, 2, 3, 1)
    scenes = render_scenes(photos.contiguous().numpy(), 60, side=176, seed=(1, 1))
    for number, (image, depth) in enumerate(zip(scenes.images, scenes.depths, strict=True)):
        clear = image.permute(2, 0, 1)[None].float() / 255
        both = torch.cat([clear, depth.float()[None, None]], dim=1)
        both = F.interpolate(both, (440, 440), mode="bilinear")
        clear, far = both[:, :3], both[:, 3:]
        if scenes.outdoors[number]:
            far = torch.minimum(far, 4 * far.median())
        chance = make_rng(number, "rendered")
        density = 0.6 + 1.2 * float(torch.rand((), generator=chance))
        air = (0.7 + 0.3 * torch.rand((1, 1, 1, 1), generator=chance)).expand(1, 3, 1, 1)
        yield clear, apply_fog(clear, torch.exp(-density * far / far.max()), air)


def landscapes(data: Path) -> Iterator[Pair]:
    """Clear and foggy: the 100 whose names have the smallest SHA-256."""
    with zipfile.ZipFile(data / "landscapes-100.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".webp")]
        for number, name in enumerate(order_by_hash(names)[:HELD_OUT]):
            clear = _read(archive.read(name))
            chance = make_rng(number, "landscape")
            height, width = clear.shape[-2:]
            ramp = torch.linspace(1, 0, height).view(1, 1, -1, 1).expand(1, 1, height, width)
            cells = torch.rand((1, 1, 5, 5), generator=chance)
            noise = F.interpolate(cells, (height, width), mode="bicubic")
            depth = guided_filter(clear, 0.7 * ramp + 0.3 * noise, radius=8, epsilon=1e-3)
            yield clear, _in_fog(clear, depth.clamp_min(0), (0.3, 1.8), chance)


def rooms(data: Path) -> Iterator[Pair]:
    """Clear and foggy: frames whose depth was measured, in metres."""
    with zipfile.ZipFile(data / "rgbd-320.zip") as archive:
        for number in range(200):
            clear = _read(archive.read(f"{number:03}.color.jpg"))
            with Image.open(io.BytesIO(archive.read(f"{number:03}.depth.png"))) as opened:
                depth = _filled(torch.from_numpy(np.array(opened).astype(np.float32)) / 1000)
            yield clear, _in_fog(clear, depth, (0.2, 0.9), make_rng(number, "room"))


def _in_fog(
    clear: Tensor, depth: Tensor, densities: tuple[float, float], chance: torch.Generator
) -> Tensor:
    low, high = densities
    density = low + (high - low) * float(torch.rand((), generator=chance))
    air = 0.7 + 0.3 * torch.rand((1, 1, 1, 1), generator=chance)
    air = (air * (1 + 0.03 * torch.randn((1, 3, 1, 1), generator=chance))).clamp(0, 1)
    return apply_fog(clear, torch.exp(-density * depth), air)


def _read(data: bytes) -> Tensor:
    with Image.open(io.BytesIO(data)) as picture:
        return load_image(picture)


def _filled(depth: Tensor) -> Tensor:
    """Where the sensor saw nothing, what it saw around: (H, W) → (1, 1, H, W)."""
    known = depth[None, None]
    while bool((known == 0).any()):
        there = (known > 0).float()
        sums, counts = (F.avg_pool2d(x, 5, 1, 2) for x in (known, there))
        known = torch.where(known > 0, known, sums / counts.clamp_min(1e-6))
    return known


if __name__ == "__main__":
    sys.exit(main())
