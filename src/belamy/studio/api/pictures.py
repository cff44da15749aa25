"""Pictures: dropped in, shown again; samples for those with nothing at hand."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path as FilePath
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Request
from fastapi.responses import FileResponse
from starlette.requests import ClientDisconnect

from belamy.errors import ImageError
from belamy.studio.api.errors import Problem
from belamy.studio.api.jobs import Name
from belamy.studio.api.recalled import recall
from belamy.studio.api.studio import Here, Studio
from belamy.studio.store.names import safe_name
from belamy.studio.store.records import PictureRecord, new_id
from belamy.studio.store.samples import SAMPLES

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["pictures"])

_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_BODY = {"image/*": {"schema": {"type": "string", "format": "binary"}}}


@router.post(
    "/pictures",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": _BODY}},
)
async def add(
    request: Request,
    studio: Here,
    x_name: Annotated[str, Header(max_length=2000)] = "",
) -> dict[str, Any]:
    """Drop a picture in: its bytes are the body, its name is percent-encoded in X-Name.

    If belamy made it, its recipe comes back: engine, options and inputs, ready for a job.
    """
    if studio.uploads >= studio.settings.limits.uploads:
        raise Problem(429, "too many pictures come at once; wait a moment")
    name = safe_name(FilePath(unquote(x_name).replace("\\", "/")).name)
    identity = new_id()
    arriving = studio.settings.places.pictures / f".{identity}.arriving"
    studio.uploads += 1
    try:
        await _receive(request, studio, arriving)
        return await _decode(studio, arriving, name, identity)
    finally:
        studio.uploads -= 1
        arriving.unlink(missing_ok=True)


async def _receive(request: Request, studio: Studio, target: FilePath) -> None:
    """The body into a file, in bounds of size and time."""
    limits = studio.settings.limits
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media.startswith("image/") and media != "application/octet-stream":
        raise Problem(415, "send a picture, with its Content-Type: image/…")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.upload_bytes:
        raise Problem(413, _too_large(limits.upload_bytes))
    try:
        await asyncio.wait_for(_copy(request, target, limits.upload_bytes), limits.upload_seconds)
    except asyncio.TimeoutError as error:
        raise Problem(
            400, f"the picture did not come within {limits.upload_seconds:g} s"
        ) from error
    except ClientDisconnect as error:
        raise Problem(400, "the picture broke off on its way") from error


async def _copy(request: Request, target: FilePath, most: int) -> None:
    size = 0
    with target.open("xb") as file:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise Problem(413, _too_large(most))
            file.write(part)


def _too_large(most: int) -> str:
    return f"the picture is larger than {most >> 20} MB; export it smaller"


async def _decode(studio: Studio, arriving: FilePath, name: str, identity: str) -> dict[str, Any]:
    places = studio.settings.places
    view = places.thumbs / f"{identity}.png"
    order = {
        "path": str(arriving),
        "name": name,
        "thumb": str(places.thumbs / f"{identity}.webp"),
        "view": str(view),
        "megapixels": studio.settings.limits.megapixels,
    }
    try:
        found = await studio.decoder.decode(order)
    except ImageError as error:
        raise Problem(415, str(error)) from error
    stem = FilePath(name).stem or "picture"
    file = f"{stem} {identity[:6]}{found['suffix']}"
    os.replace(arriving, places.pictures / file)  # noqa: PTH105 - as atomic as it says
    record = PictureRecord(
        id=identity,
        name=name,
        file=file,
        view=view.name if view.exists() else "",
        media=found["media"],
        width=found["width"],
        height=found["height"],
        sha256=found["sha256"],
        created=time.time(),
        recipe=recall(studio, found["recipe"]),
    )
    studio.database.save_picture(record)
    return record.to_json()


@router.get("/samples")
async def samples() -> list[dict[str, Any]]:
    """Pictures to begin with."""
    return [sample.to_json() for sample in SAMPLES.values()]


@router.get("/pictures/{name}")
async def picture(studio: Here, name: Name) -> FileResponse:
    """A picture as it was dropped in; in a format that browsers show."""
    if (sample := SAMPLES.get(name)) is not None:
        return FileResponse(sample.path, media_type="image/jpeg", headers=_FOREVER)
    record = _find(studio, name)
    places = studio.settings.places
    path = places.thumbs / record.view if record.view else places.pictures / record.file
    return _file(path, record.media)


@router.get("/pictures/{name}/thumb")
async def thumb(studio: Here, name: Name) -> FileResponse:
    """A small copy of it."""
    if (sample := SAMPLES.get(name)) is not None:
        return FileResponse(sample.thumb, media_type="image/webp", headers=_FOREVER)
    record = _find(studio, name)
    return _file(studio.settings.places.thumbs / f"{record.id}.webp", "image/webp")


@router.get("/pictures/{name}/info")
async def info(studio: Here, name: Name) -> dict[str, Any]:
    """What is known of it."""
    if (sample := SAMPLES.get(name)) is not None:
        return {**sample.to_json(), "recipe": None}
    return _find(studio, name).to_json()


def _find(studio: Studio, name: str) -> PictureRecord:
    found = studio.database.find_picture(name)
    if found is None:
        raise Problem(404, "there is no such picture")
    return found


def _file(path: FilePath, media: str) -> FileResponse:
    if not path.is_file():
        raise Problem(404, "the picture's file is no longer there")
    return FileResponse(path, media_type=media, headers=_FOREVER)
