"""Pictures of layers and channels that did not come with the package: drawn once, then kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path
from typing import Any

from belamy.studio.store.records import new_id
from belamy.studio.work.process import WorkerProcess

__all__ = ["ThumbMaker"]

_MOST = 64  # that wait; older wishes are forgotten, since nobody looks at them any more
_IDLE = 45.0  # seconds without a wish after which the process ends


class ThumbMaker:
    """Draws what is asked for last first, one at a time.

    Args:
        folder: where they are kept.
        place: where the process runs.
    """

    def __init__(self, folder: Path, place: Path) -> None:
        self._folder = folder
        self._worker = WorkerProcess(
            "belamy.studio.worker.thumbs", (), place, self._hear, self._mourn
        )
        self._wishes: OrderedDict[Path, dict[str, Any]] = OrderedDict()
        self._failed: dict[Path, str] = {}
        self._drawing: tuple[str, Path] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def path(self, model: str, layer: str, channel: int | None) -> Path:
        """Where one is, or will be. Names are those of a table, so that it stays in its folder."""
        name = f"{layer}.webp" if channel is None else f"{layer}/{channel}.webp"
        return self._folder / model / name

    def why_not(self, path: Path) -> str | None:
        """What went wrong with one that could not be drawn."""
        return self._failed.get(path)

    def wish(self, model: str, layer: str, channel: int | None) -> None:
        """Have one drawn soon."""
        path = self.path(model, layer, channel)
        if self._drawing is not None and self._drawing[1] == path:
            return
        order = {"model": model, "layer": layer, "channel": channel, "path": str(path)}
        self._wishes[path] = order
        self._wishes.move_to_end(path)
        while len(self._wishes) > _MOST:
            self._wishes.popitem(last=False)
        self._advance()

    async def close(self) -> None:
        """End the process."""
        if self._idle is not None:
            self._idle.cancel()
        await self._worker.close()

    def _advance(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._drawing is not None:
            return
        if not self._wishes:
            self._idle = asyncio.get_running_loop().call_later(_IDLE, self._start_closing)
            return
        path, order = self._wishes.popitem(last=True)
        self._drawing = (new_id(), path)
        self._run(self._begin({**order, "id": self._drawing[0]}))

    async def _begin(self, order: dict[str, Any]) -> None:
        await self._worker.start()
        self._worker.send(order)

    def _start_closing(self) -> None:
        self._run(self._worker.close())

    def _run(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _hear(self, message: dict[str, Any], body: bytes) -> None:
        if self._drawing is None or message.get("id") != self._drawing[0]:
            return
        if message["error"]:
            self._failed[self._drawing[1]] = message["error"]
        self._drawing = None
        self._advance()

    def _mourn(self, cause: str) -> None:
        if self._drawing is not None:
            self._failed[self._drawing[1]] = cause
            self._drawing = None
            self._advance()
