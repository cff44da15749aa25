"""Hours of previews leave the studio as small as it was."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.studio.serving import Served, child_running, memory_of, studio

from belamy.studio.worker import preview

MOST = 50.0  # megabytes
SOAK = float(os.environ.get("BELAMY_SOAK", "60"))  # seconds; 7200 are the two hours


class Counting:
    """A channel that keeps nothing."""

    def __init__(self) -> None:
        self.frames = self.bytes = 0

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        self.frames += 1
        self.bytes += len(body)


def test_hundreds_of_previews_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leak of one frame in five would show."""
    monkeypatch.setattr(preview, "_FASTEST", 0.0)
    monkeypatch.setattr(preview, "_SHARE", 1.0)
    channel: Any = Counting()
    show(channel, 40)
    before = memory_of(os.getpid())
    show(channel, 400)
    assert channel.frames >= 440
    assert channel.bytes > 440 * 10_000
    assert memory_of(os.getpid()) - before < 0.2 * 400 * 3 * 256 * 256 / 2**20


def show(channel: Any, count: int) -> None:
    """So many pictures, each sent before the next one comes."""
    shown = preview.Preview(channel, "job")
    rng = torch.Generator().manual_seed(0)
    for _ in range(count):
        before = channel.frames
        while channel.frames == before:
            shown.offer(torch.rand(1, 3, 256, 256, generator=rng))
            time.sleep(0.0005)
    shown.close()


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
