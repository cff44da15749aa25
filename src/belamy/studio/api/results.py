"""Results: what was made, newest first; deleted into a bin, and taken back."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from belamy.studio.api.errors import Problem
from belamy.studio.api.jobs import Name, body_of, check_request, read_form, submit
from belamy.studio.api.shapes import (
    FinishRequest,
    JobAnswer,
    JobRequest,
    ResultAnswer,
)
from belamy.studio.api.studio import Here, Studio
from belamy.studio.store.records import Job, Result

__all__ = ["router"]

router = APIRouter(prefix="/api/results", tags=["results"])

_MEDIA = {".png": "image/png", ".gif": "image/gif", ".mp4": "video/mp4"}
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


@router.get("", response_model=list[ResultAnswer])
async def results(
    studio: Here,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    before: Annotated[float | None, Query(allow_inf_nan=False)] = None,
) -> list[dict[str, Any]]:
    """What was made, newest first; `before` is the `created` of the last one that was shown."""
    until = time.time() + 1 if before is None else before
    return [one.to_json() for one in studio.database.recent_results(limit, until)]


@router.get("/{name}")
async def result(studio: Here, name: Name) -> FileResponse:
    """The file, in its own format, with its recipe in it."""
    found = _find(studio, name)
    path = _path(studio, found)
    if not path.is_file():
        raise Problem(404, "the file of this result is no longer there")
    media = _MEDIA.get(path.suffix, "application/octet-stream")
    return FileResponse(
        path,
        media_type=media,
        filename=found.file,
        content_disposition_type="inline",
        headers=_FOREVER,
    )


@router.get("/{name}/info", response_model=ResultAnswer)
async def info(studio: Here, name: Name) -> dict[str, Any]:
    """What is known of it."""
    return _find(studio, name).to_json()


@router.get("/{name}/thumb")
async def thumb(studio: Here, name: Name) -> FileResponse:
    """A small copy of it."""
    path = studio.settings.places.thumbs / f"{_find(studio, name).id}.webp"
    if not path.is_file():
        raise Problem(404, "there is no small copy of this result")
    return FileResponse(path, media_type="image/webp", headers=_FOREVER)


@router.get("/{name}/recipe")
async def recipe(studio: Here, name: Name) -> dict[str, Any]:
    """Engine, options and inputs, ready for a job."""
    found = _find(studio, name)
    return {"engine": found.engine, "options": found.options, "inputs": found.inputs}


@router.delete("/{name}", response_model=ResultAnswer)
async def delete(studio: Here, name: Name) -> dict[str, Any]:
    """Move it into the bin folder."""
    return _move(studio, _find(studio, name), deleted=True)


@router.post("/{name}/restore", response_model=ResultAnswer)
async def restore(studio: Here, name: Name) -> dict[str, Any]:
    """Take it back out of the bin folder."""
    return _move(studio, _find(studio, name), deleted=False)


@router.post(
    "/{name}/blend",
    status_code=202,
    response_model=JobAnswer,
    openapi_extra=body_of(FinishRequest),
)
async def blend(request: Request, studio: Here, name: Name) -> dict[str, Any]:
    """Lay it over its picture anew: another strength, or only where a mask is white.

    The picture carries the recipe of its strength. Of a dream it names the mask, too; engines that
    take no mask (translate, apply_style) could not make the masked picture again: it has no recipe.
    """
    body = await read_form(request, studio, FinishRequest)
    found = _find(studio, name)
    if not found.raw:
        raise Problem(409, "the unblended picture of this result is not kept; make it again")
    inputs: dict[str, Any] = {"result": name}
    if body.mask is not None:
        inputs["mask"] = body.mask
    again = JobRequest(engine="finish", inputs=inputs, options={"strength": body.strength})
    engine = check_request(studio, again)
    job = Job(engine.name, found.room, again.options, inputs, body.title or found.title)
    return submit(studio, job)


def _find(studio: Studio, name: str) -> Result:
    found = studio.database.find_result(name)
    if found is None:
        raise Problem(404, "there is no such result")
    return found


def _path(studio: Studio, found: Result) -> FilePath:
    places = studio.settings.places
    return (places.bin if found.deleted else places.results) / found.file


def _move(studio: Studio, found: Result, *, deleted: bool) -> dict[str, Any]:
    moved = replace(found, deleted=deleted)
    source, target = _path(studio, found), _path(studio, moved)
    if source != target and source.is_file():
        source.replace(target)
    studio.database.save_result(moved)
    kind = "deleted" if deleted else "result"
    studio.hub.publish({"type": kind, "result": moved.to_json()}, b"")
    return moved.to_json()
