"""A worker process, as the server sees it: started, spoken to, listened to, killed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from belamy.errors import BelamyError
from belamy.memory import memory_settings
from belamy.studio.worker.channel import LENGTHS

__all__ = ["LARGEST_MESSAGE", "WorkerProcess", "explain"]

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
        self._changing = asyncio.Lock()  # one start or close at a time
        self.ready: dict[str, Any] | None = None
        self._closing = self._ending = False
        self._cause = ""

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Its number."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it, if it is not running; one that is at its end is waited for first."""
        async with self._changing:
            if self._process is not None and not self._ending:
                return
            if self._reader is not None:
                await self._reader
            self.ready, self._cause = None, ""
            self._closing = self._ending = False
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

    def kill(self, cause: str = "") -> None:
        """End it at once; `mourn` is called.

        Args:
            cause: a line for the user; as the process ended, where there is none.
        """
        if self._process is not None:
            self._ending, self._cause = True, self._cause or cause
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End it, and wait for that."""
        async with self._changing:
            process, self._closing = self._process, True
            if process is None:
                return
            if process.stdin is not None:
                process.stdin.close()  # which it takes as its end
            await self._bury(process)
            if self._reader is not None:
                await self._reader

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hear what it says, to its end. A fault in hearing ends it, and is its cause of death: no
        job is left with a worker that nobody listens to."""
        try:
            while True:
                self._hear(*await _next_message(process))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._ending = True
        except Exception as error:
            self.kill(explain(error))
        code = await self._bury(process)
        self._process = None
        if self._closing:
            return
        try:
            self._mourn(self._cause or _cause(code))
        except Exception as error:
            explain(error)  # on the terminal: there is nobody else to tell

    def _hear(self, header: dict[str, Any], attachment: bytes) -> None:
        if header["type"] == "ready":
            self.ready = header
        self._listen(header, attachment)

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


async def _next_message(process: asyncio.subprocess.Process) -> tuple[dict[str, Any], bytes]:
    """Header and attachment.

    Raises:
        IncompleteReadError: it has said its last.
        ValueError: this is no message.
    """
    assert process.stdout is not None
    text, body = LENGTHS.unpack(await process.stdout.readexactly(LENGTHS.size))
    if text + body > LARGEST_MESSAGE:
        raise ValueError("a message is too long")
    header = dict(json.loads(await process.stdout.readexactly(text)))
    return header, await process.stdout.readexactly(body)


def explain(error: Exception) -> str:
    """A line for the user on what went wrong; what nobody foresaw goes to the terminal, too."""
    if isinstance(error, BelamyError):
        return " ".join(str(error).split())
    traceback.print_exception(error)
    return f"this is a fault of belamy's ({type(error).__name__}: {error})"


def _cause(code: int) -> str:
    if code == -9:
        return "the worker was killed, maybe because memory ran out"
    if code < 0:
        return f"the worker died of signal {-code}"
    return f"the worker ended with code {code}"
