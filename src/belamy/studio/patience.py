"""Connections that never finish asking are closed: uvicorn itself waits for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

__all__ = ["patient_protocol"]

_Base: Any = AutoHTTPProtocol


def patient_protocol(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's protocol, with a limit on the time from a request's first byte to its last header.

    A connection that sends nothing at all is held to the same time.

    Args:
        seconds: the limit.
    """

    class Patient(_Base):  # type: ignore[misc]
        """One connection."""

        waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                self._wait()  # a request has begun, and its headers are not there yet
            else:
                self._rest()

        def connection_lost(self, error: Exception | None) -> None:
            self._rest()
            super().connection_lost(error)

        def _wait(self) -> None:
            if self.waiting is None:
                loop = asyncio.get_running_loop()
                self.waiting = loop.call_later(seconds, self._give_up)

        def _rest(self) -> None:
            if self.waiting is not None:
                self.waiting.cancel()
                self.waiting = None

        def _give_up(self) -> None:
            self.waiting = None
            busy = self.cycle is not None and not self.cycle.response_complete
            if not busy and self.transport.get_protocol() is self:
                self.transport.close()

    return Patient
