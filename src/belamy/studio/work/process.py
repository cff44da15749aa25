"""A worker process, as the server sees it: started, spoken to, listened to, killed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from belamy.memory import memory_settings
from belamy.studio.worker.channel import LENGTHS

__all__ = ["LARGEST_MESSAGE", "WorkerProcess"]

LARGEST_MESSAGE = 64 << 20  # bytes; a frame has a hundredth of it
_GRACE = 2.0  # seconds that a process has to end by itself

Listener = Callable[[dict[str, Any], bytes], None]


class WorkerProcess:
    """One process that works for the studio.

    Args:
        module: what it runs.
        arguments: of that.
        folder: where it runs: an empty one, so that no name of a network is that of a file.
        listen: called with each message and its attachment.
        mourn: called with a line for the user when it has died; not when it was closed.
    """

    def __init__(
        self,
        module: str,
        arguments: tuple[str, ...],
        folder: Path,
        listen: Listener,
        mourn: Callable[[str], None],
    ) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._folder, self._listen, self._mourn = folder, listen, mourn
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.ready: dict[str, Any] | None = None
        self._closing = False

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Its number."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it, if it is not running."""
        if self._process is not None:
            return
        self.ready, self._closing = None, False
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._folder,
            env={**os.environ, **memory_settings()},
            start_new_session=True,  # Ctrl-C in the terminal is the server's affair
        )
        self._reader = asyncio.create_task(self._read(self._process))

    def send(self, message: dict[str, Any]) -> None:
        """Tell it something; nothing happens where it is gone."""
        if self._process is None or self._process.stdin is None:
            return
        with suppress(OSError, RuntimeError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def kill(self) -> None:
        """End it at once; `mourn` is called."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End it, and wait for that."""
        process, self._closing = self._process, True
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # which it takes as its end
        await self._bury(process)
        if self._reader is not None:
            await self._reader

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
            while True:
                lengths = await process.stdout.readexactly(LENGTHS.size)
                text, body = LENGTHS.unpack(lengths)
                if text + body > LARGEST_MESSAGE:
                    raise ValueError("a message is too long")
                header = json.loads(await process.stdout.readexactly(text))
                attachment = await process.stdout.readexactly(body) if body else b""
                if header["type"] == "ready":
                    self.ready = header
                self._listen(header, attachment)
        code = await self._bury(process)
        self._process = None
        if not self._closing:
            self._mourn(_cause(code))

    async def _bury(self, process: asyncio.subprocess.Process) -> int:
        """The exit code of a process that has nothing more to say.

        It is not killed before it had time to end: that takes away the exit code of one that has
        ended just now, and asyncio then reports 255.
        """
        try:
            return await asyncio.wait_for(process.wait(), _GRACE)
        except asyncio.TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            return await process.wait()


def _cause(code: int) -> str:
    if code == -9:
        return "the worker was killed, maybe because memory ran out"
    if code < 0:
        return f"the worker died of signal {-code}"
    return f"the worker ended with code {code}"
