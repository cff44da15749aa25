"""Go on from a painter without an adversary, until its lines like worms are gone.

    python recipes/portrait-finish.py portraits-clean.zip FIRST STAGE OUT FROM… [--steps N]

    FIRST  the painter whose large forms are kept, a file
    STAGE  0, 1, 2: the row of STAGES; mean: none, FROM is averaged and kept in 8 bits
    OUT    a folder: step-0250.safetensors and so on, the averaged painter, and log.jsonl; of mean
           the file
    FROM   the painter that is gone on from: FIRST, or what earlier stages wrote, averaged

The kink of the last leaky ReLU, where the lines are born, becomes a bend, and noise comes in at 16,
32 and 64 px. What that takes of texture is learned again: in the features of networks other than
the one that measures, painted and true pictures are two clouds of points, taken as normal
distributions. The optimal map from the one to the other, whose displacements are the gradient of
the Fréchet distance, says of each painted picture where its features should be; the generator
learns to bring them there.

Needs the weights of efficientnet_lite0, and of squeezenet1_0 (`belamy models --help`).
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import math
import time
import zipfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from belamy.networks.backbone import load_backbone
from belamy.networks.files.network_file import save_network_file
from belamy.networks.gan.generator import Generator
from belamy.networks.load import load_network
from belamy.networks.registry import build_generator

BATCH, SAVED = 16, 250  # pictures a step; steps between files
SMOOTHING, NOISE = 0.5, 0.05  # width of the bend; deviation of the strengths that noise begins with
BETAS, RISE, FINAL = (0.5, 0.99), 20, 0.05  # of Adam; steps in which its rate rises; its end
STRETCH = 3.0  # of the map at most: painted pictures may not have a direction at all
BEYOND = 0.05  # weight of what lies outside of [0, 1]
CELL = 8  # pixels of the squares whose means are the large forms

SHALLOW = ("stem", "block1", "block3")  # of efficientnet_lite0; then deeper layers and cells
DEEP = {"block5": 2, "block11": 2, "head": 1}
FIRE = ("fire3", "fire5", "fire9")  # of squeezenet1_0
GROUPS = ("shallow", *DEEP, "pixels", *FIRE)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of the training.

    Args:
        rate: of Adam, at first.
        schedule: steps in which it falls to FINAL.
        queue: painted pictures that say where their cloud is.
        recent: of them those that say where its middle is, which moves faster.
        every: steps between two maps.
        half_life: of the average of the weights, in pictures.
        keep: weight of what the large forms are off those of the first painter.
        weights: of the groups.
        steps: after which it was stopped.
    """

    rate: float
    schedule: int
    queue: int
    recent: int
    every: int
    half_life: float
    keep: float
    weights: tuple[float, ...]
    steps: int


STAGES = (
    Stage(1.5e-4, 8000, 768, 768, 6, 6000, 20, (2, 1, 1, 1, 0, 0, 0, 0), 1000),
    Stage(4e-5, 4500, 1024, 256, 4, 4000, 20, (2, 1, 1, 1, 0, 1, 1, 1), 250),
    Stage(8e-5, 1500, 1024, 256, 6, 3000, 1, (2, 1, 1, 1, 2, 1, 1, 0.5), 600),
)
DIMENSIONS = 192  # principal ones of a group


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "first", "stage", "out"):
        parser.add_argument(name)
    parser.add_argument("start", nargs="+")
    parser.add_argument("--steps", type=int)
    asked = parser.parse_args()
    if asked.stage == "mean":
        write_mean(Path(asked.out), asked.start, Path(asked.data).name)
        return
    stage = STAGES[int(asked.stage)]
    torch.manual_seed(0)
    finisher = Finisher(stage, Path(asked.data), asked.first, asked.start)
    finisher.run(Path(asked.out), asked.steps or stage.steps)


def average(paths: list[str]) -> dict[str, Tensor]:
    states = [load_network(each, "generator").network.state_dict() for each in paths]
    return {name: torch.stack([each[name] for each in states]).mean(0) for name in states[0]}


def write_mean(path: Path, paths: list[str], data: str) -> None:
    arguments = dataclasses.asdict(load_network(paths[0], "generator").network.arguments)
    save_network_file(
        path, average(paths), network="light", arguments=arguments, trained_on=data, eighth=True
    )


def read(path: Path) -> Tensor:
    """(2N, 3, 64, 64): the true pictures, and mirrored."""
    with zipfile.ZipFile(path) as archive:
        pictures = [
            Image.open(io.BytesIO(archive.read(name))) for name in sorted(archive.namelist())
        ]
        small = [
            np.asarray(each.convert("RGB").resize((64, 64), Image.LANCZOS)) for each in pictures
        ]
    images = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
    return torch.cat([images, images.flip(-1)])


def means_and_deviations(features: Tensor, cells: int) -> Tensor:
    means = F.adaptive_avg_pool2d(features, cells)
    squares = F.adaptive_avg_pool2d(features.square(), cells)
    deviations = (squares - means.square()).clamp_min(1e-8).sqrt()
    return torch.cat([means.flatten(1), deviations.flatten(1)], 1)


class Embedding:
    """Pictures (N, 3, 64, 64) to their features, a tensor (N, D) for each group."""

    def __init__(self) -> None:
        self.deep, self.fire = load_backbone("efficientnet_lite0"), load_backbone("squeezenet1_0")

    def __call__(self, images: Tensor) -> list[Tensor]:
        maps = {k: x.float() for k, x in self.deep(images, [*SHALLOW, *DEEP]).items()}
        fire = {k: x.float() for k, x in self.fire(images, FIRE).items()}
        pooled = [F.adaptive_avg_pool2d(maps[k], cells).flatten(1) for k, cells in DEEP.items()]
        pixels = F.interpolate(images.float(), size=(8, 8), mode="bilinear", antialias=True)
        return [
            torch.cat([means_and_deviations(maps[name], 2) for name in SHALLOW], 1),
            *pooled,
            pixels.flatten(1),
            *(means_and_deviations(fire[name], 1) for name in FIRE[:2]),
            F.adaptive_avg_pool2d(fire[FIRE[2]], 2).flatten(1),
        ]


class Group:
    """The cloud of the true pictures in a group of features, in principal coordinates of total
    variance 1."""

    def __init__(self, features: Tensor) -> None:
        self.middle = features.mean(0)
        self.scale = 1 / (features.std(0) + 0.05 * features.std())
        z = ((features - self.middle) * self.scale).double()
        values, vectors = torch.linalg.eigh(z.T @ z / (len(z) - 1))
        self.values = values[-DIMENSIONS:] / values[-DIMENSIONS:].sum()
        whiten = vectors[:, -DIMENSIONS:] / values[-DIMENSIONS:].sum().sqrt()
        self.axes = whiten.float()

    def __call__(self, features: Tensor) -> Tensor:
        return ((features - self.middle) * self.scale) @ self.axes

    def find_map(self, painted: Tensor, recent: Tensor) -> tuple[Tensor, Tensor, float]:
        """The middle of the painted cloud, what the map adds (negative), and the distance."""
        z = painted.double()
        middle = recent.double().mean(0)
        own = torch.cov(z.T)
        root = self.values.sqrt()
        between = root[:, None] * own * root
        tiny = 1e-9 * self.values.mean() ** 2 * torch.eye(len(root), dtype=z.dtype)
        values, vectors = torch.linalg.eigh(between + tiny)
        values = values.clamp_min(1e-14)
        stretch = root[:, None] * (vectors * values.rsqrt()) @ vectors.T * root
        values_of_it, vectors = torch.linalg.eigh((stretch + stretch.T) / 2)
        stretch = (vectors * values_of_it.clamp(max=STRETCH)) @ vectors.T
        distance = middle.square().sum() + own.trace() + self.values.sum() - 2 * values.sqrt().sum()
        return middle.float(), (torch.eye(len(root)) - stretch.float()), float(distance)


class Finisher:
    """One stage."""

    def __init__(self, stage: Stage, data: Path, first: str, start: list[str]) -> None:
        self.stage, self.embed, self.data = stage, Embedding(), data
        with torch.inference_mode():
            parts = [self.embed(part) for part in read(data).split(64)]
        self.groups = [Group(torch.cat(features)) for features in zip(*parts, strict=True)]
        self.first: Generator = load_network(first, "generator").network
        gone_on = average(start)
        self.arguments = dataclasses.replace(self.first.arguments, noise=True, smoothing=SMOOTHING)
        self.generator = build_generator("light", self.arguments)
        self.generator.load_state_dict({**self.generator.state_dict(), **gone_on})
        for name, parameter in self.generator.named_parameters():
            if name.endswith("strength") and not parameter.any():
                torch.nn.init.normal_(parameter, 0, NOISE)
        self.generator.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: x.clone().float() for k, x in self.generator.state_dict().items()}
        self.adam = torch.optim.Adam(self.generator.parameters(), lr=stage.rate, betas=BETAS)
        self.rng = torch.Generator().manual_seed(1)
        length = stage.queue // BATCH
        self.queues = [deque[Tensor](maxlen=length) for _ in self.groups]

    def run(self, out: Path, steps: int) -> None:
        out.mkdir(parents=True, exist_ok=True)
        for _ in range(self.queues[0].maxlen or 0):
            with torch.no_grad():
                self.paint()
        began = time.process_time()
        for step in range(steps):
            if step % self.stage.every == 0:
                maps = list(self.find_maps())
            loss = self.descend(step, maps)
            if step % 25 == 0:
                tick = {
                    "step": step,
                    "loss": loss,
                    "seconds": round(time.process_time() - began, 1),
                }
                tick |= {k: round(found[2], 4) for k, found in zip(GROUPS, maps, strict=True)}
                with (out / "log.jsonl").open("a") as log:
                    log.write(json.dumps(tick) + "\n")
            if (step + 1) % SAVED == 0 or step + 1 == steps:
                self.save(out / f"step-{step + 1:04d}.safetensors")

    def paint(self) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Latents, pictures as they are, and their coordinates, which the queues keep."""
        z = torch.randn(BATCH, self.arguments.latent, generator=self.rng)
        with torch.autocast("cpu", torch.bfloat16):
            images = self.generator(z)
            features = self.embed(images + (images.clamp(0, 1) - images).detach())
        found = [group(own) for group, own in zip(self.groups, features, strict=True)]
        for queue, own in zip(self.queues, found, strict=True):
            queue.append(own.detach())
        return z, images, found

    def find_maps(self) -> Iterator[tuple[Tensor, Tensor, float]]:
        for group, queue in zip(self.groups, self.queues, strict=True):
            painted = torch.cat(list(queue))
            yield group.find_map(painted, painted[-self.stage.recent :])

    def descend(self, step: int, maps: list[tuple[Tensor, Tensor, float]]) -> float:
        z, images, found = self.paint()
        loss = BEYOND * (images - images.clamp(0, 1)).square().mean()
        for weight, own, (middle, added, _) in zip(self.stage.weights, found, maps, strict=True):
            off = own - middle
            loss = loss + weight * ((off @ added) * off).sum(1).mean()
            loss = loss + 2 * weight * (own @ middle).mean()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            before = self.first(z)
        shown = images.clamp(0, 1).detach() + images - images.detach()
        off = F.avg_pool2d(shown, CELL) - F.avg_pool2d(before, CELL)
        loss = loss + self.stage.keep * off.square().mean()
        for group in self.adam.param_groups:
            group["lr"] = self.stage.rate * self.rate_at(step)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        half_life = min(self.stage.half_life, max(100.0, step * BATCH / 4))
        share = 1 - 0.5 ** (BATCH / half_life)
        for name, x in self.generator.state_dict().items():
            self.average[name].lerp_(x.float(), share)
        return float(loss.detach())

    def rate_at(self, step: int) -> float:
        fallen = (1 + math.cos(math.pi * step / self.stage.schedule)) / 2
        return min(1.0, (step + 1) / RISE) * (FINAL + (1 - FINAL) * fallen)

    def save(self, path: Path) -> None:
        save_network_file(
            path,
            self.average,
            network="light",
            arguments=dataclasses.asdict(self.arguments),
            trained_on=self.data.name,
            half=True,
        )


if __name__ == "__main__":
    main()
