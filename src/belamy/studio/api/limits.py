"""How often and how much: a bucket of tokens, and bodies that end."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from starlette.requests import ClientDisconnect, Request

from belamy.studio.api.errors import Problem

__all__ = ["Bucket", "read_json"]


class Bucket:
    """Lets so many through at once, and then so many a second.

    Args:
        burst: at once.
        rate: a second.
    """

    def __init__(self, burst: int, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._left, self._then = float(burst), time.monotonic()

    def take(self) -> bool:
        """Whether one more may pass."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._then) * self._rate)
        self._then = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def read_json(request: Request, most: int, seconds: float) -> Any:
    """A request's body: JSON of a bounded size, without numbers that are none or names twice.

    Args:
        request: whose.
        most: bytes.
        seconds: in which it must have come.

    Raises:
        Problem: it is something else.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(415, "the body must be JSON, with Content-Type: application/json")
    try:
        data = await asyncio.wait_for(_collect(request, most), seconds)
    except asyncio.TimeoutError as error:
        raise Problem(408, f"the request did not come within {seconds:g} s") from error
    except ClientDisconnect as error:
        raise Problem(400, "the request broke off") from error
    try:
        return json.loads(data, parse_constant=_refuse, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "the request is not JSON") from error


async def _collect(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Problem(413, f"the request is larger than {most} bytes")
        parts.append(part)
    return b"".join(parts)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found
