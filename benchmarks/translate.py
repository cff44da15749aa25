"""What one full CycleGAN training step costs at 128 px, beside a straightforward implementation.

The standard networks (generators of 11.378 million weights, discriminators of 2.765 million), one
picture of each world in all of them: six passes through generators, of them two for identity,
the discriminators on true and on pooled pictures, Adam. The plain step is written as the papers
tell it, in the usual memory order, with torch's own instance norm.

Time: CPU seconds of the step as the trainer takes it, over those of the plain one, in one run, both
in float32; and of the step as it is by default (`precision auto`), which computes in bfloat16 where
the processor can.
Memory: of a process that trains for three steps.

    python benchmarks/translate.py [--quick]
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate import Accelerator
from tools import Figure, peak_megabytes, report, side_by_side
from torch import Tensor, nn

from belamy.devices import choose_precision, make_rng
from belamy.engines.translate.api import TranslateConfig
from belamy.engines.translate.task import TranslateTask
from belamy.precision import Precision
from belamy.training.domains import CROPS, DomainPair

SIZE = 128
RATIO_BAR, HALF_BAR = 0.80, 0.45  # in float32, in bfloat16
MEMORY_BAR = 1536.0  # MB

TRAINING = """
import sys
sys.path.insert(0, {folder!r})
import translate
step = translate.ours("float32")
for _ in range(3):
    step()
"""


def main() -> int:
    quick = "--quick" in sys.argv[1:]
    # First, while this process is small: a child's peak begins with what its parent had.
    peak = peak_megabytes(TRAINING.format(folder=str(Path(__file__).parent)))
    own, usual, plain = side_by_side(
        [ours("float32"), ours(), Plain().step], 30 if quick else 180, clock=time.process_time
    )
    numbers = str(choose_precision("auto", torch.device("cpu"))).removeprefix("torch.")
    bar = HALF_BAR if numbers == "bfloat16" else RATIO_BAR
    sys.stdout.write(
        f"belamy: {own:.2f} CPU-s a step in float32, {usual:.2f} by default ({numbers}); "
        f"straightforward: {plain:.2f}\n"
    )
    return report(
        [
            Figure("a step in float32, in plain ones", own / plain, RATIO_BAR),
            Figure(f"a step by default ({numbers}), in plain ones", usual / plain, bar),
            Figure("peak MB of a training", peak, MEMORY_BAR),
        ]
    )


def ours(precision: Precision = "auto") -> Callable[[], object]:
    """A step as the trainer takes it; the networks are CycleGAN's own."""
    config = TranslateConfig(
        "a", "b", size=SIZE, sampling="transposed", augment="never", precision=precision
    )
    side = round(CROPS[config.crop][0] * SIZE)
    images = torch.randint(0, 256, (2, 8, side, side, 3), generator=make_rng(0)).to(torch.uint8)
    recipe = TranslateTask(
        config, DomainPair(*images), Path(tempfile.gettempdir()), Accelerator(cpu=True)
    )
    steps = itertools.count()
    return lambda: recipe.step(next(steps), _backward)


def _backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


class Plain:
    """CycleGAN as its paper tells it."""

    def __init__(self) -> None:
        self.to_b, self.to_a = _resnet(), _resnet()
        self.judge_a, self.judge_b = _patchgan(), _patchgan()
        counts = [_weights(network) for network in (self.to_a, self.judge_a)]
        assert counts == [11_378_179, 2_764_737], counts
        betas, rate = (0.5, 0.999), 2e-4
        makers = [*self.to_a.parameters(), *self.to_b.parameters()]
        judges = [*self.judge_a.parameters(), *self.judge_b.parameters()]
        self.makers = torch.optim.Adam(makers, lr=rate, betas=betas)
        self.judges = torch.optim.Adam(judges, lr=rate, betas=betas)
        self.a, self.b = torch.rand((2, 1, 3, SIZE, SIZE), generator=make_rng(1)) * 2 - 1

    def step(self) -> None:
        a, b, l1 = self.a, self.b, nn.functional.l1_loss
        for judge in (self.judge_a, self.judge_b):
            judge.requires_grad_(False)
        self.makers.zero_grad()
        fake_b, fake_a = self.to_b(a), self.to_a(b)
        back_a, back_b = self.to_a(fake_b), self.to_b(fake_a)
        same_b, same_a = self.to_b(b), self.to_a(a)
        fooled = _squared(self.judge_b(fake_b), 1) + _squared(self.judge_a(fake_a), 1)
        home = l1(back_a, a) + l1(back_b, b)
        _backward(fooled + 10 * home + 5 * (l1(same_a, a) + l1(same_b, b)))
        self.makers.step()
        for judge in (self.judge_a, self.judge_b):
            judge.requires_grad_(True)
        self.judges.zero_grad()
        for judge, real, fake in ((self.judge_a, a, fake_a), (self.judge_b, b, fake_b)):
            _backward((_squared(judge(real), 1) + _squared(judge(fake.detach()), 0)) / 2)
        self.judges.step()


def _squared(logits: Tensor, wanted: float) -> Tensor:
    return (logits - wanted).square().mean()


def _weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        half = [
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        ]
        other = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3)]
        self.body = nn.Sequential(*half, nn.ReLU(True), *other, nn.InstanceNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)  # type: ignore[no-any-return]


def _resnet() -> nn.Module:
    parts: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), *_normed(64)]
    for width in (64, 128):
        parts += [nn.Conv2d(width, 2 * width, 3, 2, 1), *_normed(2 * width)]
    parts += [_Block(256) for _ in range(9)]
    for width in (256, 128):
        parts += [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1), *_normed(width // 2)]
    return nn.Sequential(*parts, nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh())


def _normed(width: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(width), nn.ReLU(True)]


def _patchgan() -> nn.Module:
    parts: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for width, stride in ((64, 2), (128, 2), (256, 1)):
        norm = nn.InstanceNorm2d(2 * width)
        parts += [nn.Conv2d(width, 2 * width, 4, stride, 1), norm, nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*parts, nn.Conv2d(512, 1, 4, 1, 1))


if __name__ == "__main__":
    sys.exit(main())
