"""What GANs have learned after the same CPU time, on the same pictures.

`light` with its default loss beside `dcgan` with the non-saturating one, at belamy's own batch of
16 and at the 64 of PyTorch's example, each with the average of its weights, the same falling rate,
the same mirrored and changed pictures. Fréchet distance (of the features of iris, not of
Inception: only these may be compared) and kernel distance, at six times; samples at the end.

    python benchmarks/gan_quality.py PICTURES.zip [SECONDS [FOLDER]]
    python benchmarks/gan_quality.py --plot FOLDER

SECONDS is CPU time for each, 600 if none is given, in which pictures are shuffled, changed and
learned from, but not evaluated. FOLDER is for `curves.json`, `curve.png` and `samples.png`; the
second line draws the curve again.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from tools import Figure, report
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.gan.api import GanConfig
from belamy.engines.gan.monitor import tile_samples
from belamy.engines.gan.task import GanTask
from belamy.engines.gan.train import load_setup
from belamy.pixels.images import contact_sheet, save_image
from belamy.training.distribution_metrics import extract_features, frechet_distance, kernel_distance

Curves = dict[str, list[dict[str, float]]]

CONTENDERS: dict[str, dict[str, Any]] = {
    "light, relativistic": {"architecture": "light", "loss": "relativistic"},
    "dcgan, non-saturating": {"architecture": "dcgan", "loss": "non-saturating"},
    "dcgan, batch of 64": {"architecture": "dcgan", "loss": "non-saturating", "batch": 64},
}
COLOURS = ("#a4243b", "#2b6f8a", "#7fb2c4")
MARKS = 6
MADE = 1000
REAL = 3000
SUBSETS = 20  # of the kernel distance: a second of work each time


class Contender:
    """A GAN in training, with the average of its generator's weights.

    Args:
        name: of `CONTENDERS`.
        data: the pictures.
        seconds: of CPU that it will have, by which its learning rate falls.
    """

    def __init__(self, name: str, data: str, seconds: float, place: Path) -> None:
        self.name, self.place = name, place
        pace = self._pace(self._make_task(data, 100))
        self.task = self._make_task(data, max(10, round(seconds / pace)))
        made = self.task.networks["generator"]
        self.average = copy.deepcopy(made).eval().requires_grad_(False)
        self.spent, self.index = 0.0, 0

    def _make_task(self, data: str, steps: int) -> GanTask:
        config = GanConfig(data=data, steps=steps, **CONTENDERS[self.name])
        return load_setup(config).make_task(self.place, Accelerator(cpu=True))

    def _pace(self, task: GanTask) -> float:
        """CPU seconds a step, after a first one."""
        task.step(0, task.accelerator.backward)
        begun = time.process_time()
        for index in range(16):
            task.step(index, task.accelerator.backward)
        return (time.process_time() - begun) / 16

    def advance(self, until: float) -> None:
        """Train until so many CPU seconds are spent."""
        while self.spent < until:
            begun = time.process_time()
            if self.index < self.task.total_steps:
                self.task.step(self.index, self.task.accelerator.backward)
                self._follow(self.task.networks["generator"])
                self.index += 1
                self.spent += time.process_time() - begun
            else:
                self.spent = until

    @torch.no_grad()
    def _follow(self, made: nn.Module) -> None:
        """As belamy's trainer averages."""
        decay = min(self.task.ema_decay, (1 + self.index) / (10 + self.index))
        own, other = self.average.state_dict(), made.state_dict()
        for name, tensor in own.items():
            if tensor.is_floating_point():
                tensor.lerp_(other[name], 1 - decay)
            else:
                tensor.copy_(other[name])

    @torch.no_grad()
    def painted(self) -> Tensor:
        latents = torch.randn(MADE, self.task.arguments.latent, generator=make_rng(1, "judged"))
        return torch.cat([self.average(part) for part in torch.split(latents, 100)])

    def measured(self, real: Tensor) -> dict[str, float]:
        """Beside the features of real pictures."""
        seen = extract_features(self.painted())
        return {
            "seconds": round(self.spent, 2),
            "steps": self.index,
            "pictures": self.index * self.task.config.batch,
            "frechet": frechet_distance(real, seen),
            "kernel": kernel_distance(real, seen, subsets=SUBSETS),
        }


def main() -> int:
    asked = arguments()
    if asked.plot is not None:
        draw(json.loads((asked.plot / "curves.json").read_text()), asked.plot / "curve.png")
        return 0
    if asked.data is None:
        print("no pictures are named: nothing is measured")
        return 0
    folder = asked.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # so that CPU seconds count work, not waiting
    contenders = [Contender(name, asked.data, asked.seconds, folder) for name in CONTENDERS]
    curves = compete(contenders, asked.seconds, folder)
    draw(curves, folder / "curve.png")
    light, *others = (curve[-1]["frechet"] for curve in curves.values())
    return report([Figure("Fréchet distance, light over the best dcgan", light / min(others), 1.0)])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What GANs learn in the same CPU time.")
    parser.add_argument("data", nargs="?")
    parser.add_argument("seconds", nargs="?", type=float, default=600.0)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--plot", type=Path, metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="for make bench; changes nothing")
    return parser.parse_args()


def compete(contenders: list[Contender], seconds: float, folder: Path) -> Curves:
    """Train all of them in turns; at each mark, measure them and save what there is by then."""
    real = contenders[0].task.pictures.images[:REAL].permute(0, 3, 1, 2)
    features = extract_features(
        real[start : start + 100] / 255 for start in range(0, len(real), 100)
    )
    curves: Curves = {contender.name: [] for contender in contenders}
    for mark in range(1, MARKS + 1):
        for contender in contenders:
            contender.advance(seconds * mark / MARKS)
            curves[contender.name].append(contender.measured(features))
            print(contender.name, json.dumps(curves[contender.name][-1]), flush=True)
        (folder / "curves.json").write_text(json.dumps(curves, indent=1))
        samples(contenders, folder)
    return curves


def samples(contenders: list[Contender], folder: Path) -> None:
    """The first forty pictures that each of them paints, not chosen."""
    grids = [tile_samples(one.task.draw_samples(one.average)) for one in contenders]
    names = [one.name for one in contenders]
    for index, image in enumerate(grids):
        save_image(image, folder / f"samples-{index}.png")
    sheet = contact_sheet(grids, columns=len(grids), captions=names, cell=grids[0].shape[-1])
    save_image(sheet, folder / "samples.png")


def draw(curves: Curves, path: Path) -> None:
    """Both distances over CPU seconds; both axes begin at 0."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Sheet

    sheet = Sheet(figsize=(9.6, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(sheet)
    for plot, measure, title in zip(
        sheet.subplots(1, 2),
        ("frechet", "kernel"),
        ("Fréchet distance (iris mixed5b)", "kernel distance (iris mixed5b)"),
        strict=True,
    ):
        for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
            times, values = ([point[key] for point in curve] for key in ("seconds", measure))
            plot.plot(times, values, "o-", color=colour, markersize=4, label=name)
            plot.annotate(
                f"{values[-1]:.3g}", (times[-1], values[-1]), (6, 0), textcoords="offset points",
                va="center", color=colour,
            )  # fmt: skip
        plot.set_title(title, fontsize=11)
        plot.set_xlabel("CPU seconds of training, one thread")
        plot.set_xlim(0, 1.09 * max(curve[-1]["seconds"] for curve in curves.values()))
        plot.set_ylim(bottom=0)
        plot.grid(alpha=0.25)
        plot.spines[["top", "right"]].set_visible(False)
    sheet.axes[0].legend(frameon=False)
    sheet.savefig(path)


if __name__ == "__main__":
    sys.exit(main())
