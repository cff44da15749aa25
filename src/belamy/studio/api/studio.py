"""The studio that all routes share: its memory, its queue, its tabs, its doors."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import Depends, Request

import belamy
from belamy.studio.api.limits import Bucket
from belamy.studio.api.live import Hub
from belamy.studio.api.sessions import Sessions
from belamy.studio.catalog.rows import Role
from belamy.studio.settings import StudioSettings
from belamy.studio.store.database import Database
from belamy.studio.store.folders import Folders
from belamy.studio.store.records import FILMS, Result
from belamy.studio.store.samples import SAMPLES
from belamy.studio.work.decoding import Decoder
from belamy.studio.work.orders import OrderMaker
from belamy.studio.work.queue import JobQueue
from belamy.studio.work.thumbs import ThumbMaker

__all__ = ["Here", "Studio", "make_studio"]

_WARM_AFTER = 0.4  # seconds: the server answers first, then its workers begin to load


@dataclass
class Studio:
    """Everything that is there once."""

    settings: StudioSettings
    database: Database
    sessions: Sessions
    folders: Folders
    queue: JobQueue
    decoder: Decoder
    thumbs: ThumbMaker
    hub: Hub
    bucket: Bucket
    uploads: int = 0
    warming: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take up what waited, and warm the workers."""
        self.queue.restore()
        if self.settings.warm:
            self.warming = asyncio.create_task(self._warm())

    async def _warm(self) -> None:
        await asyncio.sleep(_WARM_AFTER)
        await self.queue.lanes["pictures"].warm()
        await self.decoder.warm()

    async def close(self) -> None:
        """End everything in good order."""
        if self.warming is not None:
            self.warming.cancel()
        await self.queue.close()
        await self.decoder.close()
        await self.thumbs.close()
        self.database.close()

    def has(self, role: Role, name: str) -> bool:
        """Whether an id stands for something that a role can take."""
        if role.holds == "folder":
            return self.folders.has(name)
        result = self.database.find_result(name)
        if role.holds == "result":
            return result is not None and result.raw
        if role.holds == "latents":
            return result is not None and result.latents
        if role.holds == "film":
            return self._is_film(name, result)
        known = name in SAMPLES or self.database.find_picture(name) is not None
        return known or result is not None

    def _is_film(self, name: str, result: Result | None) -> bool:
        if (sample := SAMPLES.get(name)) is not None:
            return sample.film is not None
        picture = self.database.find_picture(name)
        if picture is not None:
            return picture.film is not None
        return result is not None and PurePath(result.file).suffix in FILMS

    def status(self) -> dict[str, Any]:
        """As the API shows it."""
        lane = self.queue.lanes["pictures"]
        return {
            "version": belamy.__version__,
            "worker": lane.state,
            "device": lane.ready.get("device", "auto"),
            "threads": lane.ready.get("threads", 0),
            "queue": self.queue.waiting,
            "lanes": {name: one.state for name, one in self.queue.lanes.items()},
            "folder": str(self.settings.home),
            "language": self.settings.language,
        }


def make_studio(settings: StudioSettings) -> Studio:
    """A studio on its folder.

    Raises:
        BelamyError: its memory cannot be used.
    """
    places = settings.places
    places.make()
    database = Database(places.database)
    database.forget_old_jobs()
    folders = Folders((*settings.roots, places.folders, places.runs))
    orders = OrderMaker(places, database, folders)
    hub = Hub(lambda: [{"type": "queue", "jobs": [job.to_json() for job in queue.jobs()]}])
    queue = JobQueue(settings, database, orders, hub.publish)
    return Studio(
        settings,
        database,
        Sessions(database, settings.port, places.key),
        folders,
        queue,
        Decoder(places.database.parent / "cwd"),
        ThumbMaker(places.layers, places.database.parent / "cwd"),
        hub,
        Bucket(settings.limits.jobs_burst, settings.limits.jobs_per_second),
    )


def _here(request: Request) -> Studio:
    studio: Studio = request.app.state.studio
    return studio


Here = Annotated[Studio, Depends(_here)]
"""The studio, as an argument of a route."""
