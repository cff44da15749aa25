"""Many pictures through a command: both cores at work, beside what one core takes.

The same pictures twice: on one thread, of which the CPU seconds are counted; and as the command
does it, on as many threads as there are cores. Each in a process of its own, start and end
included. `at work` is CPU seconds over seconds: how many threads worked at a time on the mean.
Wall time can only be judged where nothing else runs: on Linux it is said how many cores others had
meanwhile, and where that is more than a twentieth of one the figure is one of a busy machine.

    python benchmarks/many.py [--quick] [--runtime openvino]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import torch
from tools import Figure, measure_command, report

from belamy.devices import make_rng
from belamy.pixels.images import resize, save_image

QUIET = 0.05  # cores that others may have
WALL, MEGABYTES = 0.55, 2048.0  # of the CPU seconds of one core; of two pictures at a time


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--runtime", default="torch")
    given = asked.parse_args()
    count, size = (6, (306, 408)) if given.quick else (60, (1225, 1633))
    folders, runtime = ["photos", "-o", "{}/"], ["--runtime", given.runtime]
    commands = {
        "defog": ["defog", *folders],
        "style apply": ["style", "apply", "starry-night", *folders, *runtime],
        "translate apply": ["translate", "apply", "old-photographs", *folders, *runtime],
        "classify": ["classify", "photos", "-o", "{}.csv"],
    }
    if given.runtime != "torch":
        commands = {name: words for name, words in commands.items() if name.endswith("apply")}
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        _photos(Path(folder) / "photos", count, size)
        for name, command in commands.items():
            figures += _compare(name, command, Path(folder))
    return report(figures)


def _compare(name: str, command: list[str], folder: Path) -> list[Figure]:
    def run(output: str, settings: dict[str, str]) -> tuple[float, float, float]:
        words = [word.format(output) for word in command]
        cost = measure_command(["-m", "belamy", *words], folder, settings)
        return cost.seconds, cost.wall, cost.megabytes

    alone, _, _ = run("alone", {"OMP_NUM_THREADS": "1"})
    before = _busy_seconds()
    both, wall, megabytes = run("both", {"OMP_NUM_THREADS": str(os.cpu_count() or 1)})
    others = max(0.0, _busy_seconds() - before - both) / wall
    spent = f"{alone:.1f} CPU s on one thread, {both:.1f} on several"
    taken = f"{both / wall:.2f} cores at work, {others:.2f} taken by others"
    sys.stdout.write(f"{name}: {spent}, {taken}\n")
    busy = " (busy machine)" if others > QUIET else ""
    return [
        Figure(f"{name}: wall over the CPU time of one core{busy}", wall / alone, WALL),
        Figure(f"{name}: CPU time over that of one core", both / alone, 1.1),
        Figure(f"{name}: MB", megabytes, MEGABYTES),
    ]


def _busy_seconds() -> float:
    """What all cores have worked since the machine was started; 0 where the system does not say."""
    try:
        numbers = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return 0.0
    ticks = [int(number) for number in numbers]
    idle = sum(ticks[3:5])  # without work, and waiting for a disk
    return (sum(ticks[:8]) - idle) / os.sysconf("SC_CLK_TCK")


def _photos(folder: Path, count: int, size: tuple[int, int]) -> None:
    folder.mkdir()
    for number in range(count):
        small = torch.rand((1, 3, 12, 16), generator=make_rng(number, "photo"))
        grain = 0.05 * torch.rand((1, 3, *size), generator=make_rng(number, "grain"))
        save_image((resize(small, size) + grain).clamp(0, 1), folder / f"{number:02}.jpg")


if __name__ == "__main__":
    sys.exit(main())
