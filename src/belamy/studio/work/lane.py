"""One worker process and the job that it is at: started when needed, started anew when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from belamy.studio.work.process import WorkerProcess

__all__ = ["LANES", "Lane", "lane_of"]

LANES = ("pictures", "lessons", "training")
"""Each has its own process: pictures go on while a network trains or a lesson runs."""

_KINDS = {"lesson": "lessons", "training": "training"}
_WORKER = "belamy.studio.worker"
_STUCK = 20.0  # seconds after its job is over in which a worker must take another one


def lane_of(kind: str) -> str:
    """Where jobs of a kind are done."""
    return _KINDS.get(kind, "pictures")


class Lane:
    """A worker and what it is at.

    Args:
        name: one of `LANES`.
        folder: where its process runs.
        listen: called with each message.
        on_free: called when it can take another job.
        on_death: called with a line for the user when its process has died.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        listen: Callable[[dict[str, Any], bytes], None],
        on_free: Callable[[], None],
        on_death: Callable[[str], None],
    ) -> None:
        self.name = name
        self._listen, self._on_free, self._on_death = listen, on_free, on_death
        self._worker = WorkerProcess(_WORKER, (name,), folder, self._hear, self._mourn)
        self.job = ""
        self.over = False
        self.died = False
        self._dying = False
        self._early: list[dict[str, Any]] | None = None  # said of a job that is not handed over yet
        self._watchdog: asyncio.TimerHandle | None = None

    @property
    def state(self) -> str:
        """In one word, for the page."""
        if self.job and not self.over:
            return "working" if self._worker.ready else "loading"
        if not self._worker.is_running:
            return "dead" if self.died else "idle"
        return "idle" if self._worker.ready else "loading"

    @property
    def is_free(self) -> bool:
        """Whether it can take a job."""
        return not self.job

    @property
    def pid(self) -> int | None:
        """Of its process."""
        return self._worker.pid

    @property
    def ready(self) -> dict[str, Any]:
        """What its process said of itself."""
        return self._worker.ready or {}

    async def warm(self) -> None:
        """Start its process, so that the first job begins at once."""
        await self._worker.start()

    def take(self, job: str) -> None:
        """Be at a job from now on; `begin` hands it over."""
        self.job, self.over, self._early = job, False, []

    async def begin(self, order: dict[str, Any]) -> None:
        """Hand over the job that was taken, and what was said of it in the meantime.

        Raises:
            OSError: no process can be started.
        """
        await self._worker.start()
        early, self._early = self._early or [], None
        for message in [order, *early]:
            self._worker.send(message)

    def tell(self, message: dict[str, Any]) -> None:
        """Say something about the job that it is at."""
        if self._early is None:
            self._worker.send(message)
        else:
            self._early.append(message)

    def drop(self) -> None:
        """Be free of a job that cannot be handed over."""
        self._release()

    def kill(self, cause: str = "") -> None:
        """End its process; the job dies with it, and what it still says frees no place."""
        self._dying = self._worker.is_running
        self._worker.kill(cause)

    async def close(self) -> None:
        """End its process in good order."""
        self._cancel_watchdog()
        await self._worker.close()

    def _hear(self, message: dict[str, Any], body: bytes) -> None:
        kind = message["type"]
        if kind == "finished" and message.get("job") == self.job:
            self.over = True
            loop = asyncio.get_running_loop()
            self._cancel_watchdog()
            cause = "the worker did not come back from its last job"
            self._watchdog = loop.call_later(_STUCK, self.kill, cause)
        if kind == "free":
            if not self._dying and message.get("job") == self.job:
                self._release()
                self._on_free()
            return
        if kind == "ready":
            self.died = False
        self._listen(message, body)

    def _release(self) -> None:
        self._cancel_watchdog()
        self.job, self.over, self._early = "", False, None

    def _cancel_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None

    def _mourn(self, cause: str) -> None:
        if self._early is None:  # a job that is not handed over yet goes to the next process
            self._release()
        self.died, self._dying = True, False
        self._on_death(cause)
