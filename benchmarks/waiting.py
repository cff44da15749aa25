"""Two threads on a machine that is at work already: how long they wait for each other.

A chain of small convolutions on two threads, beside as many busy processes as named; with OpenMP's
own way to wait, and with the one that belamy's commands start with; in turns.

    python benchmarks/waiting.py [--quick] [--busy 3]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import Figure, measure_command, report

from belamy.memory import memory_settings

BUSY_BAR, QUIET_BAR = 0.7, 1.1

CHAIN = """
import torch, time
import torch.nn.functional as F
torch.set_num_threads(2)
order = torch.channels_last
x = torch.rand(1, 64, 64, 64).contiguous(memory_format=order)
w = torch.rand(64, 64, 3, 3).contiguous(memory_format=order)
with torch.inference_mode():
    F.conv2d(x, w, padding=1)
    start = time.perf_counter()
    for _ in range({count}):
        y = F.conv2d(x, w, padding=1).relu_() + x
    print(time.perf_counter() - start)
"""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--busy", type=int, default=3)
    given = asked.parse_args()
    code = CHAIN.format(count=50 if given.quick else 300)
    quiet = _ratio(code, 2 if given.quick else 5)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(given.busy)]
    try:
        loaded = _ratio(code, 2 if given.quick else 5)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    return report(
        [
            Figure(f"beside {given.busy} busy processes: time, of OpenMP's own", loaded, BUSY_BAR),
            Figure("alone: time, of OpenMP's own", quiet, QUIET_BAR),
        ]
    )


def _ratio(code: str, times: int) -> float:
    """Seconds with belamy's settings, over those without: the best of each."""
    ours = {name: x for name, x in memory_settings().items() if name.startswith("OMP_")}
    settings: tuple[dict[str, str], ...] = (ours, {})
    best = [float("inf"), float("inf")]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(times):
            for index, one in enumerate(settings):
                spent = measure_command(["-c", code], Path(folder), one).output
                best[index] = min(best[index], float(spent))
    return best[0] / best[1]


if __name__ == "__main__":
    sys.exit(main())
