"""What a step of style transfer costs beside what it cannot do without.

Time: one whole step as the engine makes it (VGG-19 with random weights, which cost the same time;
Wasserstein distances on relu1_1 … relu5_1, content on relu4_2, smoothness, Adam, the average) over
a bare forward and input-gradient of the same layers in torch's own modules in float32, in the
memory format that is fastest for them, in turns, in one run; the step in float32, and in bfloat16,
which `auto` takes where the processor is fast in it.
Memory: the peak of such steps at 512 px, in a process of its own; with --large, instead of all
else, that of one step at 2048 px, seen in tiles (a quarter of an hour of one core).

    python benchmarks/style.py [--quick | --large | --steps]

With --steps time alone is measured, on one thread.
"""

from __future__ import annotations

import copy
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from tools import Figure, peak_megabytes, report, side_by_side
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.style.api import style_steps
from belamy.memory import memory_settings
from belamy.networks.backbones.alexnet_vgg import VGG
from belamy.networks.backbones.imagenet import MEAN, STD
from belamy.networks.backbones.iris import initialise
from belamy.networks.files.weights import save_weights
from belamy.networks.registry import NETWORKS
from belamy.precision import PassPrecision

MODEL, DEEPEST = "vgg19", "relu5_1"
TIME_BARS: dict[tuple[int, PassPrecision], float] = {
    (256, "float32"): 1.3,
    (512, "float32"): 1.15,
    (256, "bfloat16"): 0.58,
    (512, "bfloat16"): 0.55,
}
MEMORY_BAR = 600.0
ENDLESS = 1_000_000  # iterations, more than will ever be asked for

LARGE, LARGE_BAR = (1536, 2048), 4096.0

STEPS = """
import itertools, torch
from belamy.engines.style.api import style_steps
torch.set_num_threads(1)
torch.manual_seed(0)
size = {width}
steps = style_steps(torch.rand(1, 3, {height}, size), torch.rand(1, 3, 512, 512), model={path!r},
                    size=size, min_size=size, iterations={count})
for step in itertools.islice(steps, {count}):
    pass
"""


def main() -> int:
    quick = "--quick" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.safetensors"
        network = _written(path)
        if "--large" in sys.argv[1:]:
            return report([_memory(path, LARGE, 1, LARGE_BAR)])
        short = "--steps" in sys.argv[1:]
        # First, while this process is small: a child's peak begins with what its parent had.
        figures = [] if short else [_memory(path, (512, 512), 2 if quick else 6, MEMORY_BAR)]
        for (size, precision), bar in TIME_BARS.items():
            for threads in (1,) if short else (1, 2):
                seconds = 6 if quick or short else 40
                ratio = _ratio(network, path, size, threads, precision, seconds)
                name = f"{MODEL} {size} px, {precision}, {threads} thread(s): step over bare"
                figures.append(Figure(name, ratio, bar))
    return report(figures)


def _memory(path: Path, size: tuple[int, int], steps: int, bar: float) -> Figure:
    height, width = size
    code = STEPS.format(path=str(path), height=height, width=width, count=steps)
    # as the command starts its process
    peak = peak_megabytes(code, memory_settings())
    return Figure(f"{MODEL} {width} px: peak MB", peak, bar)


def _written(path: Path) -> nn.Sequential:
    """The layers that a step looks at, as torch's own modules, and a file of the same weights."""
    small_head = {"hidden": 8}
    network = NETWORKS[MODEL].build(**small_head)
    assert isinstance(network, VGG)
    initialise(network, make_rng(0, "weights"))
    save_weights(
        path, network.state_dict(), network=MODEL, mean=MEAN, std=STD, arguments=small_head
    )
    names = [name for name, _ in network.stages()]
    chain = [module for _, module in network.stages()][: names.index(DEEPEST) + 1]
    return nn.Sequential(*chain).requires_grad_(False).eval()


def _ratio(
    network: nn.Sequential,
    path: Path,
    size: int,
    threads: int,
    precision: PassPrecision,
    seconds: float,
) -> float:
    image = torch.rand((1, 3, size, size), generator=make_rng(0, "image"))
    manner = torch.rand((1, 3, size, size), generator=make_rng(0, "manner"))
    steps = style_steps(
        image,
        manner,
        model=str(path),
        size=size,
        min_size=size,
        iterations=ENDLESS,
        precision=precision,
    )
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    formats = (torch.channels_last, torch.contiguous_format)
    step, *bare = side_by_side(
        [lambda: next(steps), *(_bare(network, image, layout) for layout in formats)],
        seconds,
        # one thread's own seconds, whatever else runs; several wait for each other, and burn it
        clock=time.process_time if threads == 1 else time.perf_counter,
    )
    torch.set_num_threads(before)
    return step / min(bare)


def _bare(
    network: nn.Sequential, image: Tensor, layout: torch.memory_format
) -> Callable[[], Tensor]:
    own = copy.deepcopy(network).to(memory_format=layout)  # type: ignore[call-overload]

    def run() -> Tensor:
        pixels = image.detach().contiguous(memory_format=layout).requires_grad_(True)
        (gradient,) = torch.autograd.grad(own(pixels).sum(), pixels)
        return gradient

    return run


if __name__ == "__main__":
    sys.exit(main())
