"""What a step of a GAN costs beside the plainest one.

Time: CPU seconds for each picture of a batch, the discriminator's turn, the generator's, and the
penalty of the gradient where there is one, averaged in as often as it comes; of `light` and
`dcgan` as belamy trains them, beside the DCGAN of PyTorch's example (the same widths, batch 64, no
penalty, no averaging), all at 64 px, in turns, on one thread.
Memory: a training of `light` in a process of its own.

    python benchmarks/gan.py [--quick]
    python benchmarks/gan.py --compile

The second line says why `belamy gan train` has no `--compile`: it times passes of `light` forward
and back through the networks as they are and through what `torch.compile` makes of them. On an
EPYC with bfloat16, torch 2.13: 1.22 times the CPU time for a generator's turn, 1.79 times for a
discriminator's, after 39 CPU seconds of compiling. What the penalties need, second derivatives,
compiled networks have not at all.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from tools import Figure, peak_megabytes, report, side_by_side
from torch import nn

from belamy.devices import autocast, make_rng
from belamy.engines.gan.api import GanConfig
from belamy.engines.gan.dataset import Pictures
from belamy.engines.gan.dry_run import count_multiply_adds
from belamy.engines.gan.networks import build_networks
from belamy.engines.gan.task import GanTask

SIDE = 64
SEEN = 128  # pictures that each measurement trains on: eight batches of 16, two of 64
TIME_BAR = 0.25  # CPU seconds a picture; lightweight-gan takes 4.1 on this machine
RATIO_BAR, LIGHT_BAR = 1.0, 0.6  # of the plain DCGAN's time
COST_BAR = 1.0  # billion multiply-adds of both networks, once forward; lightweight-gan's G has 12.8
HELPS = 0.9  # of the time: what compiling would have to save to be offered
MEMORY_BAR = 1500.0  # MB; lightweight-gan takes 7000

TRAINING = """
import tempfile, torch
from pathlib import Path
torch.set_num_threads(1)
import sys; sys.path.insert(0, {here!r})
from gan import make_task
task = make_task("light", "relativistic", Path(tempfile.mkdtemp()))
for index in range(9):
    task.step(index, task.accelerator.backward)
"""


def main() -> int:
    quick = "--quick" in sys.argv[1:]
    torch.set_num_threads(1)  # so that CPU seconds count work, not waiting
    if "--compile" in sys.argv[1:]:
        report(compiled(10 if quick else 60))
        return 0
    with tempfile.TemporaryDirectory() as place:
        light = make_task("light", "relativistic", Path(place))
        dcgan = make_task("dcgan", "non-saturating", Path(place))
        tasks = [steps_of(light), steps_of(dcgan), plain_steps()]
        seconds = side_by_side(tasks, 10 if quick else 120, time.process_time)
        cost = sum(count_multiply_adds(name, net, light) for name, net in light.networks.items())
    of_light, of_dcgan, plain = (spent / SEEN for spent in seconds)
    memory = peak_megabytes(TRAINING.format(here=str(Path(__file__).parent)))
    return report(
        [
            Figure("light: CPU s a picture", of_light, TIME_BAR),
            Figure("light: over PyTorch's example", of_light / plain, LIGHT_BAR),
            Figure("dcgan: CPU s a picture", of_dcgan, TIME_BAR),
            Figure("dcgan: over PyTorch's example", of_dcgan / plain, RATIO_BAR),
            Figure("light: billion multiply-adds", cost / 1e9, COST_BAR),
            Figure("light in training: peak MB", memory, MEMORY_BAR),
        ]
    )


def compiled(seconds: float) -> list[Figure]:
    """What is left of a turn's time where both networks are compiled."""
    with tempfile.TemporaryDirectory() as place:
        task = make_task("light", "relativistic", Path(place))
    plain = [network.train() for network in task.networks.values()]
    faster = [torch.compile(network) for network in plain]
    tasks = [turn(task, pair, both) for pair in (plain, faster) for both in (True, False)]
    g, d, g_faster, d_faster = side_by_side(tasks, seconds, time.process_time)
    return [
        Figure("generator's turn: compiled over not", g_faster / g, HELPS),
        Figure("discriminator's turn: compiled over not", d_faster / d, HELPS),
    ]


def turn(task: GanTask, pair: Sequence[Any], both: bool) -> Callable[[], object]:
    """A pass forward and back, of the discriminator alone or of both."""
    latents, images = torch.randn(16, task.arguments.latent), torch.rand(16, 3, SIDE, SIDE)

    def run() -> None:
        with autocast(torch.device("cpu"), task.config.precision):
            logits = pair[1](pair[0](latents, None) if both else images, None)
            loss = F.softplus(-logits).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        for network in task.networks.values():
            network.zero_grad()

    return run


def make_task(architecture: str, loss: str, samples: Path, *, batch: int = 0) -> GanTask:
    """As belamy trains it, on noise, which costs the same time.

    Args:
        batch: pictures in one; 0 for the usual number.
    """
    config = GanConfig(data="noise", architecture=architecture, loss=loss, augment=0.3)  # type: ignore[arg-type]
    config = replace(config, batch=batch) if batch else config
    noise = torch.randint(256, (SEEN, SIDE, SIDE, 3), generator=make_rng(0, "noise"))
    pictures = Pictures(noise.byte(), torch.zeros(SEEN, dtype=torch.int64), (), "noise")
    networks = build_networks(config, ())
    return GanTask(config, pictures, networks, samples, Accelerator(cpu=True))


def steps_of(task: GanTask) -> Callable[[], object]:
    """As many steps as it takes to see `SEEN` pictures, each penalty that is due among them."""

    def run() -> None:
        for index in range(SEEN // task.config.batch):
            task.step(index, task.accelerator.backward)

    return run


def plain_steps() -> Callable[[], object]:
    """The training step of PyTorch's example: real, fake, generator; 3.58 and 2.77 million
    weights, batch 64, Adam."""
    generator, discriminator = plain_generator(), plain_discriminator()
    optimizers = [
        torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (generator, discriminator)
    ]
    real = torch.rand(64, 3, SIDE, SIDE, generator=make_rng(0, "real")) * 2 - 1

    def run() -> None:
        for _ in range(SEEN // 64):
            fake = generator(torch.randn(64, 100, 1, 1))
            optimizers[1].zero_grad()
            for images, label in ((real, 1.0), (fake.detach(), 0.0)):
                logits = discriminator(images)
                entropy = F.binary_cross_entropy_with_logits
                entropy(logits, torch.full_like(logits, label)).backward()  # type: ignore[no-untyped-call]
            optimizers[1].step()
            optimizers[0].zero_grad()
            F.softplus(-discriminator(fake)).mean().backward()  # type: ignore[no-untyped-call]
            optimizers[0].step()

    return run


def plain_generator() -> nn.Sequential:
    layers: list[nn.Module] = []
    before, stride, padding = 100, 1, 0
    for count in (512, 256, 128, 64):
        layers += [nn.ConvTranspose2d(before, count, 4, stride, padding, bias=False)]
        layers += [nn.BatchNorm2d(count), nn.ReLU(inplace=True)]
        before, stride, padding = count, 2, 1
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())


def plain_discriminator() -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for before, count in ((64, 128), (128, 256), (256, 512)):
        layers += [nn.Conv2d(before, count, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(count), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(512, 1, 4, bias=False), nn.Flatten())


if __name__ == "__main__":
    sys.exit(main())
