"""What one pass of a style network costs at 512 px, in each program that runs it.

The network that belamy trains, with random weights, which cost the same time; all programs in
turns, in one run, with as many threads. Programs of the extra [fast] that are not installed are
left out.

    python benchmarks/faststyle.py [--quick]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from tools import Figure, report, side_by_side

from belamy.devices import generator
from belamy.errors import MissingExtra
from belamy.networks import exchange
from belamy.networks.transformer import Painter, initialise, transformer

SIZE = 512
FASTER = 1.5  # times torch's speed, for the faster of the two programs
ABSOLUTE_BAR = 1e-3  # the largest difference between the programs' pictures


def main() -> int:
    quick = "--quick" in sys.argv[1:]
    painter = transformer()
    initialise(painter, generator(0, "weights"))
    painter.eval().requires_grad_(False)
    image = torch.rand((1, 3, SIZE, SIZE), generator=generator(0, "image"))
    programs = {"torch": painter, **_others(painter)}
    times = side_by_side(
        [_pass(program, image) for program in programs.values()], 8 if quick else 30
    )
    wanted = painter(image)
    figures = []
    for (name, program), seconds in zip(programs.items(), times, strict=True):
        sys.stdout.write(f"{name}: {1000 * seconds:.0f} ms\n")
        if name != "torch":
            difference = float((program(image) - wanted).abs().max())
            figures.append(Figure(f"{name}: difference from torch", difference, ABSOLUTE_BAR))
    if len(times) > 1:
        best = times[0] / min(times[1:])
        figures.append(Figure("times torch's speed", best, FASTER, at_most=False))
    return report(figures)


def _others(painter: Painter) -> dict[str, exchange.Run]:
    found: dict[str, exchange.Run] = {}
    for name in exchange.RUNNERS:
        try:
            found[name] = exchange.compiled(painter, name)
        except MissingExtra as error:
            sys.stdout.write(f"{error}\n")
    return found


def _pass(
    program: Callable[[torch.Tensor], torch.Tensor], image: torch.Tensor
) -> Callable[[], object]:
    def run() -> object:
        with torch.inference_mode():
            return program(image)

    return run


if __name__ == "__main__":
    sys.exit(main())
