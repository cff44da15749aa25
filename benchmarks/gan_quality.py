"""What two GANs have learned after the same CPU time, on the same pictures.

`light` with its default loss beside `dcgan` with the non-saturating one, each with the average of
its weights; Fréchet distance (of the features of iris, not of Inception: only these two may be
compared) and kernel distance, at five times, and samples of the same latents at the end.

    python benchmarks/gan_quality.py PICTURES.zip [SECONDS [FOLDER]]

SECONDS is CPU time for each, 600 if none is given; FOLDER is for the samples and the curve.
"""

from __future__ import annotations

import copy
import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from accelerate import Accelerator
from tools import Figure, report
from torch import Tensor, nn

from belamy.devices import generator
from belamy.engines.gan import GanConfig
from belamy.engines.gan_runs import Parts
from belamy.engines.gan_training import GanRecipe, grid
from belamy.pixels.images import save_image
from belamy.training.realism import frechet_distance, kernel_distance, picture_features

CONTENDERS = {"light": "relativistic", "dcgan": "non-saturating"}
MARKS = 5
MADE = 1500
REAL = 3000


class Contender:
    """A GAN in training, with the average of its generator's weights.

    Args:
        architecture: which.
        data: the pictures.
        seconds: of CPU that it will have, by which its learning rate falls.
    """

    def __init__(self, architecture: str, data: str, seconds: float, place: Path) -> None:
        self.name, self.place = architecture, place
        pace = self._pace(self._recipe(data, 100))
        self.recipe = self._recipe(data, max(10, round(seconds / pace)))
        made = self.recipe.networks["generator"]
        self.average = copy.deepcopy(made).eval().requires_grad_(False)
        self.spent, self.index = 0.0, 0

    def _recipe(self, data: str, steps: int) -> GanRecipe:
        loss = CONTENDERS[self.name]
        config = GanConfig(data=data, architecture=self.name, loss=loss, steps=steps)  # type: ignore[arg-type]
        return Parts(config, Accelerator(cpu=True)).recipe(self.place)

    def _pace(self, recipe: GanRecipe) -> float:
        """CPU seconds a step, after a first one."""
        recipe.step(0, recipe.accelerator.backward)
        begun = time.process_time()
        for index in range(16):
            recipe.step(index, recipe.accelerator.backward)
        return (time.process_time() - begun) / 16

    def advance(self, until: float) -> None:
        """Train until so many CPU seconds are spent."""
        while self.spent < until:
            begun = time.process_time()
            if self.index < self.recipe.total:
                self.recipe.step(self.index, self.recipe.accelerator.backward)
                self._follow(self.recipe.networks["generator"])
                self.index += 1
                self.spent += time.process_time() - begun
            else:
                self.spent = until

    @torch.no_grad()
    def _follow(self, made: nn.Module) -> None:
        """As belamy's trainer averages."""
        decay = min(self.recipe.average, (1 + self.index) / (10 + self.index))
        own, other = self.average.state_dict(), made.state_dict()
        for name, tensor in own.items():
            if tensor.is_floating_point():
                tensor.lerp_(other[name], 1 - decay)
            else:
                tensor.copy_(other[name])

    @torch.no_grad()
    def painted(self) -> Tensor:
        latents = torch.randn(MADE, self.recipe.shape.latent, generator=generator(1, "judged"))
        return torch.cat([self.average(part) for part in torch.split(latents, 100)])


def main() -> int:
    data = sys.argv[1]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 600.0
    folder = Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # so that CPU seconds count work, not waiting
    both = [Contender(name, data, seconds, folder) for name in CONTENDERS]
    real = both[0].recipe.pictures.images[:REAL].permute(0, 3, 1, 2)
    features = picture_features(
        real[start : start + 100] / 255 for start in range(0, len(real), 100)
    )
    curves: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for mark in range(1, MARKS + 1):
        for contender in both:
            contender.advance(seconds * mark / MARKS)
            seen = picture_features(contender.painted())
            point = {
                "seconds": seconds * mark / MARKS,
                "pictures": contender.index * contender.recipe.config.batch,
                "frechet": frechet_distance(features, seen),
                "kernel": kernel_distance(features, seen),
            }
            curves[contender.name].append(point)
            print(contender.name, json.dumps(point), flush=True)
    for contender in both:
        save_image(
            grid(contender.recipe.drawn(contender.average)), folder / f"{contender.name}.png"
        )
    (folder / "curves.json").write_text(json.dumps(curves, indent=1))
    light, dcgan = (curve[-1]["frechet"] for curve in curves.values())
    return report([Figure("Fréchet distance, light over dcgan", light / dcgan, 1.0)])


if __name__ == "__main__":
    sys.exit(main())
