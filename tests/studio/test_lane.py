"""A worker that is being killed takes no further job, whatever it still says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from belamy.studio.work import lane as lanes
from belamy.studio.work.lane import Lane


class Process:
    """A worker that is told things, and says what the test has it say."""

    def __init__(self, *given: Any) -> None:
        *_, self.hear, self.mourn = given
        self.ready = {"type": "ready"}
        self.is_running = True
        self.kills = 0

    async def start(self) -> None:
        self.is_running = True

    def send(self, message: dict[str, Any]) -> None:
        """Nothing comes of it."""

    def kill(self, cause: str = "") -> None:
        self.kills += 1


def test_no_job_is_given_to_a_worker_that_is_being_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "WorkerProcess", Process)
    freed: list[str] = []
    buried: list[str] = []

    async def work() -> None:
        lane = Lane(
            "pictures",
            tmp_path,
            lambda message, body: None,
            lambda: freed.append("free"),
            buried.append,
        )
        process: Any = lane._worker
        lane.take("a")
        await lane.begin({})
        process.hear({"type": "finished", "job": "a"}, b"")
        lane.kill()  # as the watchdog does where nothing comes for too long
        process.hear({"type": "free", "job": "a"}, b"")  # which was on its way
        assert not lane.is_free
        process.mourn("it was killed")
        assert lane.is_free
        lane.take("b")
        await lane.begin({})
        process.hear({"type": "finished", "job": "b"}, b"")
        process.hear({"type": "free", "job": "b"}, b"")

    asyncio.run(work())
    assert (buried, freed) == (["it was killed"], ["free"])
