"""Files that come in: into the folder of pictures, in bounds of size, time and disk."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import Request
from starlette.requests import ClientDisconnect

from belamy.studio.api.errors import Problem
from belamy.studio.api.studio import Studio
from belamy.studio.settings import MEGABYTE

__all__ = ["measure_stored", "receive"]

_PART = 4 * MEGABYTE  # after which the disk is looked at again


async def receive(request: Request, studio: Studio, target: Path, *, film: bool) -> None:
    """A request's body into a file.

    Raises:
        Problem: it is no picture (415), too large (413), too slow or broken off (400), or there is
            no room for it (507).
    """
    limits = studio.settings.limits
    most = limits.film_bytes if film else limits.upload_bytes
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media.startswith(("image/", "video/")) and media != "application/octet-stream":
        raise Problem(415, "send a picture or a film, with its Content-Type: image/… or video/…")
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isdecimal() else 0
    if announced > most:
        raise Problem(413, _too_large(film, most))
    _require_room(studio, max(announced, 1))
    try:
        await asyncio.wait_for(_copy(request, studio, target, film, most), limits.upload_seconds)
    except asyncio.TimeoutError as error:
        raise Problem(400, f"the file did not come within {limits.upload_seconds:g} s") from error
    except ClientDisconnect as error:
        raise Problem(400, "the file broke off on its way") from error
    except OSError as error:
        raise Problem(507, f"the file cannot be written: {error.strerror or error}") from error


async def _copy(request: Request, studio: Studio, target: Path, film: bool, most: int) -> None:
    size = looked = 0
    with target.open("xb") as file:
        async for part in _parts(request, studio.settings.limits.upload_pause):
            size += len(part)
            if size > most:
                raise Problem(413, _too_large(film, most))
            if size - looked >= _PART:
                looked = size
                _require_room(studio, 1)
            file.write(part)


async def _parts(request: Request, pause: float) -> AsyncIterator[bytes]:
    """The body's parts; a sender that falls silent is not waited for."""
    stream = request.stream()
    while True:
        try:
            yield await asyncio.wait_for(anext(stream), pause)
        except StopAsyncIteration:
            return
        except asyncio.TimeoutError as error:
            raise Problem(400, f"nothing came for {pause:g} s; send it again") from error


def _too_large(film: bool, most: int) -> str:
    kind = "film" if film else "picture"
    return f"the {kind} is larger than {most >> 20} MB; export it smaller"


def _require_room(studio: Studio, size: int) -> None:
    """Raise `Problem` where a file would leave too little of the disk, or of the studio's share."""
    limits, folder = studio.settings.limits, studio.settings.places.pictures
    free = shutil.disk_usage(folder).free - size
    if free < limits.spare_bytes:
        raise Problem(
            507,
            f"the disk is nearly full ({(free + size) >> 20} MB are free); make room, or name "
            "another --folder",
        )
    kept = measure_stored(folder)
    if kept + size > limits.stored_bytes:
        raise Problem(
            507,
            f"what was dropped in takes {kept >> 20} MB of {limits.stored_bytes >> 20}; delete "
            f"what is no longer needed in {folder}",
        )


_known: dict[Path, tuple[float, int]] = {}
_FRESH = 1.0  # seconds


def measure_stored(folder: Path) -> int:
    """What all files in a folder take; looked up once a second."""
    now = time.monotonic()
    then, size = _known.get(folder, (-_FRESH, 0))
    if now - then >= _FRESH:
        size = _measure(folder)
        _known[folder] = (now, size)
    return size


def _measure(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                total += entry.stat(follow_symlinks=False).st_size
            except OSError:  # gone by now
                continue
    return total
