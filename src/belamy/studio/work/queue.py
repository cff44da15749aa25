"""The queue: jobs in order, each in its lane, told to all that listen and written down."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from belamy.errors import BelamyError
from belamy.studio.catalog.engines import find_engine
from belamy.studio.settings import StudioSettings
from belamy.studio.store.database import Database
from belamy.studio.store.records import Job, Result, State
from belamy.studio.work.lane import LANES, Lane, lane_of
from belamy.studio.work.orders import OrderMaker
from belamy.studio.work.process import explain

__all__ = ["Full", "JobQueue"]

_RECENT = 60  # jobs that are over and still shown
_ATTEMPTS = 2  # a job that brought its worker down twice is not begun a third time
_PATIENCE = 20.0  # seconds that a stop may take where nothing can be saved, before a kill

Event = dict[str, Any]


class Full(BelamyError):
    """More jobs wait than the studio takes."""


class JobQueue:
    """All jobs, and the lanes that do them.

    Args:
        settings: of the studio.
        database: where they are written down.
        orders: finds their files.
        publish: tells the tabs: an event, and an attachment.
    """

    def __init__(
        self,
        settings: StudioSettings,
        database: Database,
        orders: OrderMaker,
        publish: Callable[[Event, bytes], None],
    ) -> None:
        self._settings, self._database, self._orders = settings, database, orders
        self._publish = publish
        self._waiting: dict[str, deque[Job]] = {name: deque() for name in LANES}
        self._current: dict[str, Job] = {}
        self._recent: deque[Job] = deque(maxlen=_RECENT)
        self._tasks: set[asyncio.Task[None]] = set()
        folder = settings.places.database.parent / "cwd"
        folder.mkdir(exist_ok=True)
        self.lanes = {
            name: Lane(
                name,
                folder,
                self._hear,
                partial(self._free, name),
                partial(self._bury, name),
            )
            for name in LANES
        }

    def restore(self) -> None:
        """Take up what waited or was under way when the studio was closed."""
        for job in reversed(self._database.recent_jobs(_RECENT)):
            if not job.is_open:
                self._recent.append(job)
        for job in self._database.open_jobs():
            lane = lane_of(find_engine(job.engine).kind)
            if job.state != "waiting" and (job.attempts >= _ATTEMPTS or lane != "pictures"):
                again = "resume it" if lane == "training" else "start it again"
                self._end(job, "stopped", f"the studio was closed while it ran; {again}")
                continue
            job.state, job.done, job.step = "waiting", 0.0, 0
            self._waiting[lane].append(job)
            self._save(job)
        for name in LANES:
            self._advance(name)

    async def close(self) -> None:
        """End the workers."""
        await asyncio.gather(*(lane.close() for lane in self.lanes.values()))

    def submit(self, job: Job) -> Job:
        """Queue a job.

        Raises:
            Full: too many wait.
        """
        waiting = sum(map(len, self._waiting.values()))
        if waiting >= self._settings.limits.waiting:
            raise Full(f"{waiting} jobs wait already; stop some, or wait for them")
        lane = lane_of(find_engine(job.engine).kind)
        if lane == "lessons":  # one lesson at a time: the new one takes the old one's place
            for other in [*self._waiting[lane], *self._at(lane)]:
                self.stop(other.id)
        self._waiting[lane].append(job)
        self._save(job)
        self._number(lane)
        self._advance(lane)
        return job

    def jobs(self) -> list[Job]:
        """Those at work, those that wait, and the latest that are over, newest first."""
        waiting = [job for name in LANES for job in self._waiting[name]]
        at_work = [job for name in LANES for job in self._at(name)]
        return [*at_work, *waiting, *reversed(self._recent)]

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def find(self, name: str) -> Job | None:
        """The job of an id."""
        here = next((job for job in self.jobs() if job.id == name), None)
        return here or self._database.find_job(name)

    def _at(self, lane: str) -> list[Job]:
        job = self._current.get(lane)
        return [job] if job is not None and job.is_open else []

    def stop(self, name: str) -> Job | None:
        """Stop a job, keeping what is there; None where it is not open."""
        for lane, waiting in self._waiting.items():
            for job in waiting:
                if job.id == name:
                    waiting.remove(job)
                    self._end(job, "stopped", "")
                    self._number(lane)
                    return job
        for lane, job in self._current.items():
            if job.id == name and job.is_open:
                job.state = "stopping"
                self.lanes[lane].tell({"type": "stop", "job": name})
                self._tell(job)
                if lane != "training":
                    loop = asyncio.get_running_loop()
                    loop.call_later(_PATIENCE, self._lose_patience, lane, name)
                return job
        return None

    def _lose_patience(self, lane: str, name: str) -> None:
        job = self._current.get(lane)
        if job is not None and job.id == name and job.state == "stopping":
            self.lanes[lane].kill("it did not end by itself, so that nothing of it is kept")

    def control(self, name: str, words: Event) -> bool:
        """Play, pause, step or hasten a lesson; whether it is under way."""
        for lane, job in self._current.items():
            if job.id == name and job.is_open:
                self.lanes[lane].tell({**words, "type": "control", "job": name})
                return True
        return False

    def _free(self, lane: str) -> None:
        """A worker is done with its job, which is over by now."""
        self._lose(lane, "this is a fault of belamy's (the worker said no end of it)")
        self._advance(lane)

    def _lose(self, lane: str, cause: str) -> None:
        """A lane has no job any more; one that is not over has failed."""
        job = self._current.pop(lane, None)
        if job is not None and job.is_open:
            self._end(job, "stopped" if job.state == "stopping" else "failed", cause)

    def _advance(self, lane: str) -> None:
        """Begin the next job of a lane, if it is free."""
        if self.lanes[lane].is_free and self._waiting[lane]:
            job = self._waiting[lane].popleft()
            self._current[lane] = job
            self.lanes[lane].take(job.id)
            job.position = 0
            job.state, job.attempts, job.began = "loading", job.attempts + 1, time.monotonic()
            self._save(job)
            self._number(lane)
            self._tell(job)
            self._run(self._begin(lane, job))

    async def _begin(self, lane: str, job: Job) -> None:
        cause = ""
        try:
            await self.lanes[lane].begin(self._orders.make(job))
        except Exception as error:
            cause = explain(error)
        if cause:
            self.lanes[lane].drop()
            self._lose(lane, cause)
            self._advance(lane)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _number(self, lane: str) -> None:
        """Say to each that waits which place it has."""
        for index, job in enumerate(self._waiting[lane], start=1):
            if job.position != index:
                job.position = index
                self._tell(job)
        self._publish({"type": "queue", "jobs": [job.to_json() for job in self.jobs()]}, b"")

    def _tell(self, job: Job) -> None:
        self._publish({"type": "job", "job": job.to_json()}, b"")

    def _end(self, job: Job, state: State, message: str) -> None:
        if job.began is not None:
            job.seconds, job.began = time.monotonic() - job.began, None
        job.state, job.eta, job.position = state, None, 0
        job.message = message or job.message
        job.done = 1.0 if state == "done" else job.done
        self._recent.append(job)
        self._save(job)
        self._tell(job)

    def _save(self, job: Job) -> None:
        """Write a job down. One that cannot be, as on a full disk, goes on and says so."""
        try:
            self._database.save_job(job)
        except BelamyError as error:
            job.message = f"{job.message}; {error}".removeprefix("; ")

    def _bury(self, lane: str, cause: str) -> None:
        """A worker has died: its job fails, and the next one begins in a new process."""
        if self.lanes[lane].is_free:
            self._lose(lane, cause)
        self._publish({"type": "worker", "lane": lane, "state": "dead", "message": cause}, b"")
        self._advance(lane)
        if lane == "pictures" and self.lanes[lane].is_free:
            self._run(self.lanes[lane].warm())

    def _hear(self, message: Event, body: bytes) -> None:
        """What a worker says."""
        kind = message["type"]
        if kind == "ready":
            self._publish({"type": "worker", "state": "idle", **_without_type(message)}, b"")
            return
        job = next((job for job in self._current.values() if job.id == message.get("job")), None)
        if job is None:
            return
        if kind in ("frame", "lesson", "cost"):
            self._publish(message, body)
        elif kind == "result":
            self._add_result(job, message)
        elif kind == "finished" and job.is_open:
            self._end(job, message["state"], message["message"])
        elif job.is_open:
            self._update(job, message)

    def _update(self, job: Job, message: Event) -> None:
        kind = message["type"]
        if kind == "state" and job.state != "stopping":
            job.state = message["state"]
        elif kind in ("progress", "step"):
            if job.state == "loading":
                job.state = "working"
            job.step, job.total, job.done = message["step"], message["total"], message["done"]
            job.eta, job.losses = message["eta"], message.get("losses", job.losses)
            job.message = message.get("note") or job.message
        elif kind == "note":
            job.message = message["note"]
        elif kind == "answer":
            job.answer = message["answer"]
        self._tell(job)

    def _add_result(self, job: Job, message: Event) -> None:
        began = time.monotonic() if job.began is None else job.began
        result = Result(
            id=message["id"],
            job=job.id,
            file=message["file"],
            engine=job.engine,
            room=job.room,
            options=job.options,
            inputs=job.inputs,
            title=job.title,
            state=message["state"],
            width=message["width"],
            height=message["height"],
            seconds=time.monotonic() - began,
            created=time.time(),
            latents=message["latents"],
            raw=message["raw"],
            sha256=message["sha256"],
            note=job.message,
        )
        self._database.save_result(result)
        job.results.append(result.id)
        if result.raw:
            self._forget_raw()
        self._publish({"type": "result", "result": result.to_json()}, b"")

    def _forget_raw(self) -> None:
        """Keep the unblended pixels of the latest results alone: each takes megabytes."""
        kept = [
            path
            for path in self._settings.places.raw.glob("*.safetensors")
            if not path.name.endswith(".latents.safetensors")
        ]
        kept.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[self._settings.limits.raw_results :]:
            path.unlink(missing_ok=True)
            old = self._database.find_result(path.stem)
            if old is not None:
                self._database.save_result(replace(old, raw=False))


def _without_type(message: Event) -> Event:
    return {name: value for name, value in message.items() if name != "type"}
