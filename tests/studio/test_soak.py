"""Hours of previews leave the studio as small as it was."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.studio.serving import Served, child_running, memory_of, studio

MOST = 50.0  # megabytes
SOAK = float(os.environ.get("BELAMY_SOAK", "60"))  # seconds; 7200 are the two hours


def test_hundreds_of_previews_leave_no_trace(tmp_path: Path) -> None:
    """A few hundred, which a leak of one frame in three would show."""
    with studio(tmp_path, raw_results=2, jobs_per_second=100.0) as served:
        grown = grow(served, count=5, steps=60, size=256)
    assert max(grown) < 30


def grow(served: Served, count: int, steps: int, size: int) -> tuple[float, float]:
    """Megabytes by which the worker and the server grow over some dreams, after a first one."""
    served.wait(served.job("dream", layer="conv1", size=size, steps=steps)["id"])
    worker = child_running(served.process.pid, "belamy.studio.worker")
    assert worker is not None
    before = memory_of(worker), memory_of(served.process.pid)
    for _ in range(count):
        served.wait(served.job("dream", layer="conv1", size=size, steps=steps)["id"])
    after = memory_of(worker), memory_of(served.process.pid)
    return after[0] - before[0], after[1] - before[1]


@pytest.mark.slow
def test_the_studio_does_not_grow(tmp_path: Path) -> None:
    """A minute of dreams, one after another; BELAMY_SOAK=7200 for two hours of them."""
    with studio(tmp_path, raw_results=3, jobs_per_second=100.0) as served:
        for _ in range(3):  # until everything is loaded that ever is
            dream(served)
        worker = child_running(served.process.pid, "belamy.studio.worker")
        assert worker is not None
        before = memory_of(worker), memory_of(served.process.pid)
        end = time.monotonic() + SOAK
        count = 0
        while time.monotonic() < end:
            dream(served)
            count += 1
        assert count >= 1
        assert memory_of(worker) - before[0] < MOST
        assert memory_of(served.process.pid) - before[1] < MOST
        raw = served.home / ".studio" / "raw"
        assert len(list(raw.iterdir())) <= 3


def dream(served: Served) -> None:
    """Twenty steps, each of which could be a frame."""
    job = served.job("dream", layer="mixed3b", size=128, steps=20)
    served.wait(job["id"])
