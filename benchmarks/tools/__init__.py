"""What the benchmarks share: timing side by side, peak memory, the last line's JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured number and the bar that it must not pass.

    Args:
        at_most: whether the bar is an upper bound; else it is a lower one.
    """

    name: str
    value: float
    bar: float
    at_most: bool = True

    @property
    def good(self) -> bool:
        return self.value <= self.bar if self.at_most else self.value >= self.bar


def side_by_side(
    tasks: Sequence[Callable[[], object]],
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """The shortest time of each task, measured in turns so that all meet the same machine.

    The shortest, because other load only ever adds.

    Args:
        seconds: about how long all of them together may take.
        clock: what measures; `time.process_time` only where one thread runs, since threads that
            wait for each other burn it.
    """
    for task in tasks:  # caches, allocators, code paths
        task()
    best = [float("inf")] * len(tasks)
    rounds, start = 0, time.perf_counter()
    while rounds < 3 or time.perf_counter() - start < seconds:
        for index, task in enumerate(tasks):
            begun = clock()
            task()
            best[index] = min(best[index], clock() - begun)
        rounds += 1
    return best


def peak_megabytes(code: str, settings: Mapping[str, str] | None = None) -> float:
    """The peak resident memory, in 2^20 bytes, of a fresh Python that runs `code`.

    On Linux by its own status: what getrusage says of a process begins at its parent's.

    Args:
        settings: environment variables beside those of this process.
    """
    if sys.platform == "linux":
        own = "next(x for x in open('/proc/self/status') if x.startswith('VmHWM')).split()[1]"
    else:
        own = "__import__('resource').getrusage(0).ru_maxrss"
    watched = f"{code}\nprint({own})"
    done = subprocess.run(
        [sys.executable, "-c", watched],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **(settings or {})},
    )
    kilobytes = int(done.stdout.split()[-1])
    return kilobytes / 1024 if sys.platform != "darwin" else kilobytes / 2**20


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Args:
        seconds: of the processors, its own and the system's for it.
        wall: from its start to its end.
        megabytes: its peak, in 2^20 bytes.
        output: what it printed.
    """

    seconds: float
    wall: float
    megabytes: float
    output: str


def measure_command(arguments: Sequence[str], folder: Path, settings: Mapping[str, str]) -> Cost:
    """What Python takes for these arguments.

    Args:
        folder: where it is started.
        settings: environment variables beside those of this process.

    Raises:
        AssertionError: it fails.
    """
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, **settings},
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"{arguments} ends with {process.returncode}"
        output.seek(0)
        unit = 2**20 if sys.platform == "darwin" else 2**10
        printed = output.read().decode()
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / unit, printed)


def report(figures: Sequence[Figure]) -> int:
    """Print the figures as a table and, last, as one line of JSON; the exit code."""
    width = max((len(figure.name) for figure in figures), default=0)
    for figure in figures:
        sign = "≤" if figure.at_most else "≥"
        verdict = "ok" if figure.good else "MISSED"
        print(f"{figure.name:<{width}}  {figure.value:9.3f}  {sign} {figure.bar:<8g} {verdict}")
    rows = {f.name: {"value": f.value, "bar": f.bar, "ok": f.good} for f in figures}
    print(json.dumps(rows, ensure_ascii=False))
    return 0 if all(figure.good for figure in figures) else 1
