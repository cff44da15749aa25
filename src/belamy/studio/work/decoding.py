"""Pictures that are dropped in, decoded by a small process of its own, which ends when idle."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from belamy.errors import ImageError
from belamy.studio.store.records import new_id
from belamy.studio.work.process import WorkerProcess

__all__ = ["Decoder"]

_LONGEST = 60.0  # seconds that one picture may take
_IDLE = 90.0  # seconds without a picture after which the process ends


class Decoder:
    """Hands files to the decoding process.

    Args:
        folder: where it runs.
    """

    def __init__(self, folder: Path) -> None:
        self._worker = WorkerProcess(
            "belamy.studio.worker.decoder", (), folder, self._hear, self._mourn
        )
        self._pending: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._starting = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def warm(self) -> None:
        """Start the process, so that the first picture need not wait for it."""
        async with self._starting:
            await self._worker.start()
        self._rest()

    async def decode(self, order: dict[str, Any]) -> dict[str, Any]:
        """What is in a file: see `belamy.studio.worker.decoder.decode`.

        Raises:
            ImageError: it is no picture, damaged, too large, or takes too long.
        """
        if self._idle is not None:
            self._idle.cancel()
        async with self._starting:
            await self._worker.start()
        name = new_id()
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[name] = future
        self._worker.send({**order, "id": name})
        try:
            found = await asyncio.wait_for(future, _LONGEST)
        except asyncio.TimeoutError as error:
            self._worker.kill()
            raise ImageError(f"{order['name']} takes too long to decode; export it anew") from error
        finally:
            self._pending.pop(name, None)
            self._rest()
        if "error" in found:
            raise ImageError(found["error"])
        return found

    async def close(self) -> None:
        """End the process."""
        if self._idle is not None:
            self._idle.cancel()
        await self._worker.close()

    def _rest(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(_IDLE, self._end)

    def _end(self) -> None:
        if not self._pending:
            task = asyncio.create_task(self._worker.close())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _hear(self, message: dict[str, Any], body: bytes) -> None:
        future = self._pending.get(message.get("id", ""))
        if future is not None and not future.done():
            future.set_result(message)

    def _mourn(self, cause: str) -> None:
        for future in self._pending.values():
            if not future.done():
                future.set_result({"error": f"the picture cannot be decoded ({cause})"})
