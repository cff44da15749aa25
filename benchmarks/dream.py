"""What a dream costs beside what it cannot do without.

Time: one whole ascent step (jitter, forward, gradient, smoothing, update) over a bare forward and
input-gradient of the same truncated network in float32, in the memory format that is fastest for
it; the step in float32, and in bfloat16, which `auto` takes where the processor is fast in it.
Memory: a 3840×2160 dream with the embedded network, in a process of its own.

    python benchmarks/dream.py [--quick | --steps]

With --steps time alone is measured, in a few seconds for each.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable

import torch
from tools import Figure, peak_megabytes, report, side_by_side
from torch import Tensor, nn

from belamy.devices import DTYPES, make_rng
from belamy.engines.dream.render import SMOOTHERS
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.backbones.imagenet import MEAN, STD
from belamy.networks.registry import NETWORKS
from belamy.objectives.features import energy
from belamy.optimise import descend, gradient_of
from belamy.pixels.augment import random_shift, roll, roll_back
from belamy.precision import PassPrecision

RATIO_BARS: dict[PassPrecision, float] = {"float32": 1.10, "bfloat16": 0.60}
MEMORY_BAR = 2048.0
SUBJECTS = (("vgg16", "relu4_3"), ("iris", "mixed4b"))

LARGE_DREAM = """
import torch
from belamy.engines.dream import dream
dream(torch.rand(1, 3, 2160, 3840), octaves={octaves}, steps={steps})
"""


def main() -> int:
    quick = not {"--quick", "--steps"}.isdisjoint(sys.argv[1:])
    torch.set_num_threads(1)  # so that CPU seconds count work, not waiting
    figures = []
    for name, layer in SUBJECTS:
        backbone = _backbone(name, layer)
        for size in (256, 512):
            ratios = _ratios(backbone, layer, size, seconds=4 if quick else 30)
            figures += [
                Figure(f"{name} {layer} {size} px, {precision}: step over bare", ratio, bar)
                for (precision, bar), ratio in zip(RATIO_BARS.items(), ratios, strict=True)
            ]
    if "--steps" not in sys.argv[1:]:
        code = LARGE_DREAM.format(octaves=1 if quick else 2, steps=1)
        figures.append(Figure("3840×2160 with iris: peak MB", peak_megabytes(code), MEMORY_BAR))
    return report(figures)


def _backbone(name: str, layer: str) -> Backbone:
    """The embedded network as it is; VGG-16 with random weights, which cost the same time."""
    if name == "iris":
        return load_backbone(name, layers=[layer])
    with torch.device("meta"):
        network = NETWORKS[name].build()
    backbone = Backbone(network, name=name, mean=MEAN, std=STD, layers=[layer])
    backbone.to_empty(device="cpu")
    chance = make_rng(0, "weights")
    for parameter in backbone.parameters():
        fan = max(1, parameter[0].numel())
        parameter.copy_(torch.randn(parameter.shape, generator=chance) * (2 / fan) ** 0.5)
    backbone.mean.copy_(torch.tensor(MEAN).view(1, 3, 1, 1))
    backbone.std.copy_(torch.tensor(STD).view(1, 3, 1, 1))
    backbone.memory_format = torch.channels_last
    return backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _ratios(backbone: Backbone, layer: str, size: int, seconds: float) -> list[float]:
    """Of a step in each of `RATIO_BARS`."""
    image = torch.rand((1, 3, size, size), generator=make_rng(0, "image"))
    chain = list(backbone.chain)
    plain = [_contiguous(module) for module in chain]
    own = [copy.deepcopy(backbone).to(DTYPES[precision]) for precision in RATIO_BARS]
    *steps, fast, slow = side_by_side(
        [
            *(_ascent(one, layer, image) for one in own),
            _bare(chain, image.contiguous(memory_format=torch.channels_last)),
            _bare(plain, image),
        ],
        seconds,
        time.process_time,
    )
    return [step / min(fast, slow) for step in steps]


def _contiguous(module: nn.Module) -> nn.Module:
    """A copy whose weights lie the usual way, whatever the backbone's do."""
    return copy.deepcopy(module).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload,no-any-return]


def _bare(chain: list[nn.Module], image: Tensor) -> Callable[[], Tensor]:
    def run() -> Tensor:
        pixels = image.detach().requires_grad_(True)
        x = pixels
        for module in chain:
            x = module(x)
        (gradient,) = torch.autograd.grad(x.square().mean(), pixels)
        return gradient

    return run


def _ascent(backbone: Backbone, layer: str, image: Tensor) -> Callable[[], object]:
    objective = -energy(layer)

    def gradient_at(image: Tensor, index: int) -> tuple[Tensor, float]:
        shift = random_shift(32, make_rng(0, "jitter", 0, index))
        gradient, value = gradient_of(backbone, objective, roll(image, shift))
        return roll_back(gradient, shift), value

    def run() -> object:
        return next(
            descend(image, gradient_at, steps=1, step_size=0.006, smooth=SMOOTHERS["laplacian"])
        )

    return run


if __name__ == "__main__":
    sys.exit(main())
