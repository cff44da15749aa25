"""What one pass of a style network costs at 512 px, in each program that runs it.

The network that belamy trains, with random weights, which cost the same time; all programs in
turns, in one run, with as many threads: torch as it comes (eager, its usual format), torch as
belamy runs it (channels-last on the CPU), the programs of the extra [fast], and the same file in
`cv2.dnn`, where OpenCV is installed. What is not installed is left out.

    python benchmarks/faststyle.py [--quick]

With OMP_NUM_THREADS=1 the thread's own seconds are counted, which hold on a busy machine too.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable

import torch
from tools import Figure, report, side_by_side
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.errors import MissingExtra
from belamy.networks.image_to_image import onnx, programs
from belamy.networks.image_to_image.narrow_conv import NarrowConv
from belamy.networks.image_to_image.network import ImageTransformNet, build_johnson_net, initialise
from belamy.networks.image_to_image.runtime import TorchRuntime

SIZE = 512
FASTER = 1.5  # times eager torch's speed, for the fastest program
AHEAD = 1.0  # times the speed of cv2.dnn
ABSOLUTE_BAR = 1e-3  # the largest difference between the programs' pictures
EAGER, OWN, RIVAL = "torch, eager", "torch, as belamy runs it", "cv2.dnn"

Run = Callable[[Tensor], Tensor]


def main() -> int:
    quick = "--quick" in sys.argv[1:]
    painter = build_johnson_net()
    initialise(painter, make_rng(0, "weights"))
    painter.eval().requires_grad_(False)
    image = torch.rand((1, 3, SIZE, SIZE), generator=make_rng(0, "image"))
    own = TorchRuntime.of(copy.deepcopy(painter), torch.device("cpu"))
    programs: dict[str, Run] = {EAGER: _as_it_comes(painter), OWN: own, **_others(painter)}
    alone = torch.get_num_threads() == 1
    measured = side_by_side(
        [_pass(program, image) for program in programs.values()],
        8 if quick else 40,
        clock=time.process_time if alone else time.perf_counter,
    )
    times = dict(zip(programs, measured, strict=True))
    for name, seconds in times.items():
        sys.stdout.write(f"{name}: {1000 * seconds:.0f} ms\n")
    wanted = painter(image)
    figures = [
        Figure(f"{name}: difference", float((run(image) - wanted).abs().max()), ABSOLUTE_BAR)
        for name, run in programs.items()
        if name != EAGER
    ]
    return report([*figures, *_compared(times)])


def _as_it_comes(painter: ImageTransformNet) -> ImageTransformNet:
    """The same in torch's own modules."""
    plain = copy.deepcopy(painter)
    for place, module in enumerate(plain.body):
        if isinstance(module, NarrowConv):
            own = nn.Conv2d(module.in_channels, module.out_channels, module.weight.shape[2:])  # type: ignore[arg-type]
            own.load_state_dict(module.state_dict())
            plain.body[place] = own
    return plain.eval().requires_grad_(False)


def _compared(times: dict[str, float]) -> list[Figure]:
    """The fastest way that belamy has, beside eager torch and beside OpenCV."""
    best = min(seconds for name, seconds in times.items() if name not in (EAGER, RIVAL))
    bars = {EAGER: FASTER, RIVAL: AHEAD}
    return [
        Figure(f"times the speed of {name}", times[name] / best, bar, at_most=False)
        for name, bar in bars.items()
        if name in times
    ]


def _others(painter: ImageTransformNet) -> dict[str, Run]:
    found: dict[str, Run] = {}
    for name in programs.RUNNERS:
        try:
            found[name] = onnx.compiled(painter, name)
        except MissingExtra as error:
            sys.stdout.write(f"{error}\n")
    try:
        found[RIVAL] = _opencv(painter)
    except (ImportError, MissingExtra) as error:
        sys.stdout.write(f"{error}\n")
    return found


def _opencv(painter: ImageTransformNet) -> Run:
    import cv2
    import numpy as np

    cv2.setNumThreads(torch.get_num_threads())
    network = cv2.dnn.readNetFromONNX(np.frombuffer(onnx.onnx_bytes(painter), np.uint8))

    def run(image: Tensor) -> Tensor:
        network.setInput(image.numpy())
        return torch.from_numpy(network.forward())

    return run


def _pass(program: Run, image: Tensor) -> Callable[[], object]:
    def run() -> object:
        with torch.inference_mode():
            return program(image)

    return run


if __name__ == "__main__":
    sys.exit(main())
