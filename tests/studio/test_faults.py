"""Whatever goes wrong between server and worker, a job comes to an end, and says why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from belamy.studio.settings import StudioSettings
from belamy.studio.store.database import Database
from belamy.studio.store.folders import Folders
from belamy.studio.store.records import Job
from belamy.studio.work import lane as lanes
from belamy.studio.work.orders import OrderMaker
from belamy.studio.work.queue import JobQueue

WORKER = """
import os
from belamy.studio.worker.channel import Channel

channel = Channel.take_over()
channel.send({"type": "ready"})
lines = channel.orders()
for order in lines:
    if order["type"] != "start":
        continue
    for message in order["options"]["script"]:
        if message == "wait for a stop":
            assert next(lines)["type"] == "stop"
        elif message == "die":
            os._exit(3)
        elif isinstance(message, str):
            os.write(channel._target.fileno(), message.encode())
        else:
            channel.send({"job": order["job"], **message})
"""
RESULT = {
    "type": "result",
    "id": "0123456789ab",
    "file": "a.png",
    "width": 8,
    "height": 8,
    "state": "done",
    "latents": False,
    "raw": False,
    "sha256": "",
}
FREE = {"type": "free"}
DONE = [{"type": "finished", "state": "done", "message": ""}, FREE]
STOPPED = [{"type": "finished", "state": "stopped", "message": "as it was"}, FREE]


class Watched:
    """A queue whose workers do as they are told, and all that it says."""

    def __init__(self, home: Path) -> None:
        settings = StudioSettings(home=home)
        settings.places.make()
        self.database = Database(settings.places.database)
        orders = OrderMaker(settings.places, self.database, Folders(()))
        self.said: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.queue = JobQueue(settings, self.database, orders, self.hear)
        (settings.places.database.parent / "cwd" / "scripted.py").write_text(WORKER)

    def hear(self, message: dict[str, Any], body: bytes) -> None:
        self.said.append(message)
        self.news.set()

    def submit(self, *script: Any, engine: str = "dream") -> Job:
        return self.queue.submit(Job(engine, "", {"script": script}, {}))

    async def until(self, look: Callable[[], Any]) -> None:
        async def watch() -> None:
            while not look():
                self.news.clear()
                with suppress(asyncio.TimeoutError):  # a lane becomes free without a word
                    await asyncio.wait_for(self.news.wait(), 0.1)

        await asyncio.wait_for(watch(), 60)

    async def over(self, job: Job) -> tuple[str, str]:
        await self.until(lambda: not job.is_open)
        return job.state, job.message


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Runs a test with a queue of its own."""
    monkeypatch.setattr(lanes, "_WORKER", "scripted")

    def run(work: Callable[[Watched], Awaitable[None]]) -> None:
        async def watched() -> None:
            watched = Watched(tmp_path)
            try:
                await work(watched)
            finally:
                await watched.queue.close()
                watched.database.close()

        asyncio.run(watched())

    return run


def without(message: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key != name}


FAULTS: dict[str, list[Any]] = {
    "a result that lacks what is said of it": [without(RESULT, "sha256"), *DONE],
    "an end without a state": [without(DONE[0], "state"), FREE],
    "a message that is none": [{"type": None, "job": None}, "garbage, garbage", *DONE],
    "progress without its numbers": [{"type": "progress", "step": 1}, *DONE],
    "no end": [FREE],
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("engine", ["dream", "train_gan"])
def test_a_fault_ends_the_job_and_is_told(run: Any, name: str, engine: str) -> None:
    async def work(watched: Watched) -> None:
        job = watched.submit(*FAULTS[name], engine=engine)
        state, message = await watched.over(job)
        assert state == "failed"
        assert "a fault of belamy's" in message
        kept = watched.database.find_job(job.id)
        assert kept is not None
        assert (kept.state, kept.message) == (state, message)
        following = watched.submit(*DONE, engine=engine)
        assert await watched.over(following) == ("done", "")

    run(work)


def test_a_fault_while_a_job_is_stopping_is_told(run: Any) -> None:
    async def work(watched: Watched) -> None:
        working = {"type": "state", "state": "working"}
        broken = without(RESULT, "sha256")
        job = watched.submit(working, "wait for a stop", broken, *STOPPED, engine="train_gan")
        await watched.until(lambda: job.state == "working")
        watched.queue.stop(job.id)
        state, message = await watched.over(job)
        assert state == "stopped"
        assert "sha256" in message

    run(work)


def test_a_stop_that_comes_before_the_worker_has_the_job_is_not_lost(run: Any) -> None:
    async def work(watched: Watched) -> None:
        for _ in range(2):  # while its process starts, and when it is there
            job = watched.submit("wait for a stop", *STOPPED)
            assert job.state == "loading"
            watched.queue.stop(job.id)
            assert await watched.over(job) == ("stopped", "as it was")
            await watched.until(lambda: watched.queue.lanes["pictures"].is_free)

    run(work)


def test_a_job_that_was_whole_before_its_stop_came_is_done(run: Any) -> None:
    async def work(watched: Watched) -> None:
        job = watched.submit("wait for a stop", RESULT, *DONE)
        watched.queue.stop(job.id)
        assert (await watched.over(job))[0] == "done"
        assert job.results == [RESULT["id"]]

    run(work)


def test_a_job_is_not_lost_with_a_worker_that_died_before_it_came(run: Any) -> None:
    async def work(watched: Watched) -> None:
        lane = watched.queue.lanes["pictures"]
        assert await watched.over(watched.submit(*DONE)) == ("done", "")
        await watched.until(lambda: lane.is_free)
        first = lane.pid
        lane.kill()
        assert await watched.over(watched.submit(*DONE)) == ("done", "")
        assert lane.pid != first

    run(work)


def test_a_worker_that_dies_takes_its_job_with_it(run: Any) -> None:
    async def work(watched: Watched) -> None:
        job, following = watched.submit("die"), watched.submit(*DONE)
        assert await watched.over(job) == ("failed", "the worker ended with code 3")
        assert await watched.over(following) == ("done", "")

    run(work)


def test_a_lane_has_one_process_however_often_it_is_started(run: Any) -> None:
    async def work(watched: Watched) -> None:
        lane = watched.queue.lanes["pictures"]
        job = watched.submit(*DONE)
        await asyncio.gather(*(lane.warm() for _ in range(3)))
        await watched.over(job)
        await lane.close()
        await lane.warm()
        await watched.until(lambda: lane.ready)
        assert sum(one["type"] == "worker" for one in watched.said) == 2

    run(work)


def test_a_job_without_files_fails_and_the_next_begins(run: Any) -> None:
    async def work(watched: Watched) -> None:
        job = watched.queue.submit(Job("dream", "", {}, {"picture": "0123456789ab"}))
        following = watched.submit(*DONE)
        state, message = await watched.over(job)
        assert state == "failed"
        assert "no such picture" in message
        assert await watched.over(following) == ("done", "")

    run(work)


def test_a_full_disk_is_told(run: Any) -> None:
    """SQLite itself refuses: its file may not grow."""

    async def work(watched: Watched) -> None:
        connection = watched.database._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        job = watched.submit("wait for a stop", RESULT, *DONE)
        job.title = "long " * 4000
        connection.execute(f"PRAGMA max_page_count = {pages}")
        watched.queue.stop(job.id)
        state, message = await watched.over(job)
        assert state == "stopped"
        assert "the studio's memory cannot be written: database or disk is full" in message
        connection.execute("PRAGMA max_page_count = 100000")
        following = watched.submit(*DONE)
        assert await watched.over(following) == ("done", "")

    run(work)
