"""What there is: engines with their options, networks, classes, folders, presets, settings."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import Field, StringConstraints

from belamy.copying.presets import PRESETS
from belamy.studio.api.errors import Problem, Refusal
from belamy.studio.api.jobs import body_of, read_form
from belamy.studio.api.limits import read_json
from belamy.studio.api.shapes import PresetRequest
from belamy.studio.api.studio import Here, Studio
from belamy.studio.catalog.check import check_options
from belamy.studio.catalog.engines import ENGINES, ROOMS, find_engine
from belamy.studio.catalog.fields import schema_of
from belamy.studio.catalog.forms import Identifier, StrictForm
from belamy.studio.catalog.networks import classes_of, list_networks
from belamy.studio.catalog.rows import StudioEngine
from belamy.studio.store.names import safe_name
from belamy.studio.store.records import new_id

__all__ = ["FolderEntry", "FolderRequest", "router"]

router = APIRouter(prefix="/api", tags=["what there is"])

EngineName = Annotated[str, Path(max_length=40, pattern=r"^[a-z_]+$")]
PresetName = Annotated[str, Path(min_length=1, max_length=80)]
NetworkName = Annotated[str, Path(max_length=80, pattern=r"^[\w.:-]+$")]
_MOST_SETTINGS = 200
_MOST_PICTURES = 10_000  # pictures of a folder; so many fit into a request
_DEEPEST = 3  # folders inside it, such as train/cats

_Words = Annotated[str, StringConstraints(max_length=200)]


class FolderEntry(StrictForm):
    """A picture of the folder: the id that it was given, and in which folders inside it lies."""

    id: Identifier
    place: _Words = ""


class FolderRequest(StrictForm):
    """A folder of pictures that are here already."""

    name: _Words = "folder"
    pictures: Annotated[list[FolderEntry], Field(min_length=1, max_length=_MOST_PICTURES)]


@router.get("/status")
async def status(studio: Here) -> dict[str, Any]:
    """How the studio is."""
    return studio.status()


@router.get("/engines")
async def engines(studio: Here) -> dict[str, Any]:
    """What can be asked for: a JSON schema of the options of each engine, and its inputs."""
    own: dict[str, list[dict[str, Any]]] = {}
    for engine, name, options in studio.database.presets():
        own.setdefault(engine, []).append({"name": name, "options": options})
    return {
        "rooms": ROOMS,
        "engines": [
            {**row, "presets": PRESETS.get(row["name"], []), "own": own.get(row["name"], [])}
            for row in _rows()
        ],
    }


@functools.cache
def _rows() -> list[dict[str, Any]]:
    return [_row(engine) for engine in ENGINES.values()]


def _row(engine: StudioEngine) -> dict[str, Any]:
    return {
        "name": engine.name,
        "room": engine.room,
        "kind": engine.kind,
        "blends": engine.blends,
        "options": schema_of(engine),
        "inputs": [
            {
                "role": role.name,
                "many": role.many,
                "required": role.required,
                "holds": role.holds,
            }
            for role in engine.roles
        ],
    }


@router.get("/models")
async def models(studio: Here) -> list[dict[str, Any]]:
    """Networks that are here, and those that were trained here."""
    return list_networks(studio.settings.places.runs)


@router.get("/classes/{model}")
async def classes(model: NetworkName) -> list[dict[str, Any]]:
    """The classes that a network knows by name."""
    return classes_of(model)


@router.get("/folders")
async def folders(studio: Here) -> list[dict[str, Any]]:
    """Those below the roots that the studio was started with, and those that were dropped in."""
    return studio.folders.to_json()


@router.post("/folders", status_code=201, openapi_extra=body_of(FolderRequest))
async def make_folder(request: Request, studio: Here) -> dict[str, Any]:
    """Make a folder of pictures that were dropped in, for a training to read."""
    body = await read_form(request, studio, FolderRequest)
    files = [(_find_file(studio, one.id), _read_place(one.place)) for one in body.pictures]
    path = studio.settings.places.folders / f"{safe_name(body.name, 'folder')} {new_id()[:6]}"
    try:
        await asyncio.to_thread(_fill, path, files)
    except OSError as error:
        shutil.rmtree(path, ignore_errors=True)
        why = error.strerror or error
        raise Problem(507, f"the folder cannot be written: {why}") from error
    return studio.folders.show(path)


def _find_file(studio: Studio, name: str) -> FilePath:
    found = studio.database.find_picture(name)
    if found is None or found.film is not None:
        raise Problem(404, f"there is no picture of the id {name} that was dropped in")
    return studio.settings.places.pictures / found.file


def _read_place(text: str) -> PurePosixPath:
    """Folders inside the folder: each a plain name, so that none leads out."""
    parts = [part for part in text.replace("\\", "/").split("/") if part.strip(" .")]
    return PurePosixPath(*(safe_name(part, "folder") for part in parts[:_DEEPEST]))


def _fill(path: FilePath, files: Sequence[tuple[FilePath, PurePosixPath]]) -> None:
    """A second name of each file where the disk can, so that nothing is kept twice."""
    for file, place in files:
        inside = path / place
        inside.mkdir(parents=True, exist_ok=True)
        target = inside / file.name
        if target.exists():
            continue
        try:
            os.link(file, target)
        except OSError:
            shutil.copyfile(file, target)


@router.get("/presets")
async def presets(studio: Here) -> list[dict[str, Any]]:
    """One's own ones."""
    return [
        {"engine": engine, "name": name, "options": options}
        for engine, name, options in studio.database.presets()
    ]


@router.put(
    "/presets/{engine}/{name}",
    openapi_extra=body_of(PresetRequest),
)
async def keep_preset(
    request: Request, studio: Here, engine: EngineName, name: PresetName
) -> dict[str, Any]:
    """Keep options under a name."""
    row = find_engine(engine)
    body = await read_form(request, studio, PresetRequest)
    complaints = check_options(row, body.options)
    if complaints:
        raise Refusal(complaints)
    _require_name(name)
    if len(studio.database.presets()) >= studio.settings.limits.presets:
        raise Problem(429, "there are too many presets; delete some")
    studio.database.save_preset(engine, name, body.options)
    return {"engine": engine, "name": name, "options": body.options}


@router.delete("/presets/{engine}/{name}")
async def delete_preset(studio: Here, engine: EngineName, name: PresetName) -> dict[str, Any]:
    """Forget one of one's own."""
    if not studio.database.delete_preset(engine, name):
        raise Problem(404, "there is no such preset")
    return {"engine": engine, "name": name}


def _require_name(name: str) -> None:
    if not name.isprintable():
        raise Problem(422, "the name of a preset must be printable")


@router.get("/settings")
async def settings(studio: Here) -> dict[str, Any]:
    """What the page keeps."""
    usual = {"language": studio.settings.language} if studio.settings.language else {}
    return {**usual, **studio.database.settings()}


@router.put(
    "/settings",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def keep_settings(request: Request, studio: Here) -> dict[str, Any]:
    """Keep some more of them; null takes one away."""
    values = await _read_settings(request, studio)
    studio.database.save_settings(values)
    return await settings(studio)


async def _read_settings(request: Request, studio: Studio) -> dict[str, Any]:
    limits = studio.settings.limits
    values = await read_json(request, limits.body_bytes // 4, limits.body_seconds)
    if not isinstance(values, dict) or not all(0 < len(name) <= 100 for name in values):
        raise Problem(422, "settings must be an object with short names")
    if len({*values, *studio.database.settings()}) > _MOST_SETTINGS:
        raise Problem(422, f"there are more than {_MOST_SETTINGS} settings")
    return values
