"""Memory of one process that works on large pictures, or on many, and what it costs in time.

A photo of twelve megapixels through `style apply`; then a hundred pictures (300 with --whole) of
as many sizes through one network, by how much memory grows after the first ten; with --large,
instead of all else, 100 megapixels through `defog` and 33 through `dream`, four octaves of a step
each. Each in a process of its own, as the command
starts it.

    python benchmarks/memory.py [--quick | --whole | --large]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tools import Figure, measure_command, report

from belamy.memory import memory_settings

# (3000, 4000) px on a quiet core with bfloat16; a busy machine takes up to twice as long
SECONDS, MEGABYTES = 22.0, 1024.0
GROWTH = 150.0
LARGE = 1200.0
DREAM = 2048.0  # (4320, 7680) px

PHOTO = """
import torch
import torch.nn.functional as F
from belamy.pixels.images import save_image
image = torch.zeros(1, 3, {height}, {width})
torch.manual_seed(0)
for side in (4, 16, 64, 256):
    image += F.interpolate(torch.rand(1, 3, side, side), ({height}, {width}), mode="bilinear") / 4
save_image(image, "photo.jpg")
"""

SIZES = """
import sys, torch
from belamy.engines.faststyle.api import ApplyStyleOptions
from belamy.engines.faststyle.apply import StyleApplier
applier = StyleApplier(ApplyStyleOptions(network="starry-night", stroke_size="fixed"))
def used():
    return int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]) / 1024
for number in range({count}):
    applier(torch.rand(1, 3, 64 + 4 * (number * 37 % 150), 64 + 4 * (number * 61 % 150)))
    if number == 9:
        first = used()
print(used() - first)
"""


def main() -> int:
    asked = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if "--large" in asked:
            _photo(place, 8660, 11547)
            cleared = Figure("defog, 100 megapixels: MB", _defog(place), LARGE)
            _photo(place, 4320, 7680)
            return report([cleared, Figure("dream, 7680×4320: MB", _dream(place), DREAM)])
        height, width = (750, 1000) if "--quick" in asked else (3000, 4000)
        _photo(place, height, width)
        command = ["style", "apply", "starry-night", "photo.jpg", "-o", "painted.png"]
        cost = measure_command(["-m", "belamy", *command], place, {"OMP_NUM_THREADS": "1"})
        figures = [
            Figure(f"style apply, {height}×{width}: CPU seconds", cost.seconds, SECONDS),
            Figure(f"style apply, {height}×{width}: MB", cost.megabytes, MEGABYTES),
        ]
        count = 300 if "--whole" in asked else 40 if "--quick" in asked else 100
        code = ["-c", SIZES.format(count=count)]
        grown = measure_command(code, place, {**memory_settings(), "OMP_NUM_THREADS": "1"})
        figures.append(Figure(f"{count} sizes: growth in MB", float(grown.output), GROWTH))
    return report(figures)


def _photo(folder: Path, height: int, width: int) -> None:
    """A picture with structure at every scale; by another process, whose peak nobody inherits."""
    measure_command(["-c", PHOTO.format(height=height, width=width)], folder, {})


def _defog(folder: Path) -> float:
    command = ["-m", "belamy", "defog", "photo.jpg", "-o", "clear.png"]
    return measure_command(command, folder, {"OMP_NUM_THREADS": "1"}).megabytes


def _dream(folder: Path) -> float:
    settings = ["--size", "full", "--model", "iris", "--layer", "conv2b", "--octaves", "4"]
    command = ["-m", "belamy", "dream", "photo.jpg", "-o", "dream.png", *settings, "--steps", "1"]
    return measure_command(command, folder, {"OMP_NUM_THREADS": "1"}).megabytes


if __name__ == "__main__":
    sys.exit(main())
