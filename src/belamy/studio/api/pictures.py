"""Pictures: dropped in, shown again; samples for those with nothing at hand."""

from __future__ import annotations

import os
import time
from pathlib import Path as FilePath
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Request
from fastapi.responses import FileResponse

from belamy.errors import ImageError
from belamy.studio.api.errors import Problem
from belamy.studio.api.jobs import Name
from belamy.studio.api.receiving import receive
from belamy.studio.api.studio import Here, Studio
from belamy.studio.store.names import safe_name
from belamy.studio.store.recalled import recall, recall_result
from belamy.studio.store.records import PictureRecord, new_id
from belamy.studio.store.samples import SAMPLES

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["pictures"])

_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"image/*": _BINARY, "video/*": _BINARY}
_FILMS = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ogv"})


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
    """Drop a picture or a film in: its bytes are the body, its name is percent-encoded in X-Name.

    If belamy made it, its recipe comes back: engine, options and inputs, ready for a job. A film
    is shown by its first frame.
    """
    if studio.uploads >= studio.settings.limits.uploads:
        raise Problem(429, "too many pictures come at once; wait a moment")
    name = safe_name(FilePath(unquote(x_name).replace("\\", "/")).name)
    identity = new_id()
    arriving = studio.settings.places.pictures / f".{identity}.arriving"
    film = _is_film(request, name)
    studio.uploads += 1
    try:
        await receive(request, studio, arriving, film=film)
        return await _decode(studio, arriving, name, identity, film=film)
    finally:
        studio.uploads -= 1
        arriving.unlink(missing_ok=True)


def _is_film(request: Request, name: str) -> bool:
    media = request.headers.get("content-type", "").strip().lower()
    return media.startswith("video/") or FilePath(name).suffix.lower() in _FILMS


async def _decode(
    studio: Studio, arriving: FilePath, name: str, identity: str, *, film: bool
) -> dict[str, Any]:
    places = studio.settings.places
    view = places.thumbs / f"{identity}.png"
    order = {
        "path": str(arriving),
        "name": name,
        "thumb": str(places.thumbs / f"{identity}.webp"),
        "view": str(view),
        "megapixels": studio.settings.limits.megapixels,
        "film": film,
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
        recipe=recall(studio.database, found["recipe"])
        or recall_result(studio.database, found["sha256"]),
        film=found.get("film"),
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


@router.get("/pictures/{name}/film")
async def film(studio: Here, name: Name) -> FileResponse:
    """A film as it was dropped in."""
    sample = SAMPLES.get(name)
    record = None if sample is not None else _find(studio, name)
    if sample is not None and sample.film is not None:
        return _file(sample.film_path, str(sample.film["media"]))
    if record is None or record.film is None:
        raise Problem(404, "this is no film")
    return _file(studio.settings.places.pictures / record.file, str(record.film["media"]))


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
