"""Fog taken out: decibels on fog whose truth is known, seconds and memory at 1280×720.

On pictures that training never saw: 100 landscapes in fog made up in another way than in training
(a ramp, noise, the picture's edges), and 200 frames of a room whose depth was measured. The fogs
are as dense as those of the public sets (RESIDE: about 12 dB untouched within, 16 out of doors).

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
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.defog.api import DefogOptions
from belamy.engines.defog.dataset import order_by_hash
from belamy.engines.defog.remove import Defogger
from belamy.pixels.fog.model import apply_fog
from belamy.pixels.guided import guided_filter
from belamy.pixels.images import load_image
from belamy.training.metrics import psnr, ssim

Pair = tuple[Tensor, Tensor]

SECONDS, MEGABYTES = 2.0, 1024.0
OVER_DCP, OVER_UNTOUCHED, CLEAR = 2.0, 5.0, 28.0  # decibels
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
    for name, pairs in (("landscapes", landscapes(data)), ("rooms", rooms(data))):
        table = _table([pair for n, pair in enumerate(pairs) if n % every == 0], network)
        for method, (decibels, likeness) in table.items():
            sys.stdout.write(f"{name:<12} {method:<10} {decibels:6.2f} dB  {likeness:.4f}\n")
        ours = table["cyclegan"][0]
        figures += [
            Figure(f"{name}: dB over dcp", ours - table["dcp"][0], OVER_DCP, at_most=False),
            Figure(
                f"{name}: dB over untouched",
                ours - table["untouched"][0],
                OVER_UNTOUCHED,
                at_most=False,
            ),
            Figure(f"{name}: dB of a clear picture", table["clear"][0], CLEAR, at_most=False),
        ]
    return figures


def _table(pairs: list[Pair], network: str) -> dict[str, tuple[float, float]]:
    """Method → mean PSNR and SSIM; `clear`: of clear pictures after the network, to themselves."""
    ours, prior = (
        _defogger_of(options)
        for options in (DefogOptions(network=network), DefogOptions(method="dcp"))
    )
    rows: dict[str, Callable[[Pair], Pair]] = {
        "untouched": lambda pair: (pair[1], pair[0]),
        "dcp": lambda pair: (prior(pair[1]), pair[0]),
        "cyclegan": lambda pair: (ours(pair[1]), pair[0]),
        "clear": lambda pair: (ours(pair[0]), pair[0]),
    }
    found = {}
    for name, row in rows.items():
        both = [row(pair) for pair in pairs]
        found[name] = (
            sum(min(60.0, psnr(*one)) for one in both) / len(both),
            sum(ssim(*one) for one in both) / len(both),
        )
    return found


def _defogger_of(options: DefogOptions) -> Callable[[Tensor], Tensor]:
    defogger = Defogger(options)
    return lambda image: defogger(image).image


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
