"""What is set, written down: a command, a script, a notebook, a recipe."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from belamy.studio.api.jobs import body_of, check_request, read_form
from belamy.studio.api.shapes import CopyRequest
from belamy.studio.api.studio import Here, Studio
from belamy.studio.catalog.copying import Copied, write_copies
from belamy.studio.catalog.rows import StudioEngine
from belamy.studio.store.samples import SAMPLES

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["jobs"])


@router.post(
    "/copy",
    openapi_extra=body_of(CopyRequest),
)
async def copy(request: Request, studio: Here) -> dict[str, Any]:
    """The same settings as a command, as Python, as a notebook and as a recipe."""
    body = await read_form(request, studio, CopyRequest)
    engine = check_request(studio, body)
    files = _names(studio, engine, body.inputs)
    return write_copies(Copied(engine, body.options, files, body.inputs))


def _names(studio: Studio, engine: StudioEngine, inputs: dict[str, Any]) -> dict[str, list[str]]:
    """Role → names of files, as a person has them."""
    found: dict[str, list[str]] = {}
    for role in engine.roles:
        given = inputs.get(role.name)
        ids = given if isinstance(given, list) else [] if given is None else [given]
        names = [_name(studio, role.name, one) for one in ids]
        if names:
            found[role.name] = names
    return found


def _name(studio: Studio, role: str, identity: str) -> str:
    if (sample := SAMPLES.get(identity)) is not None:
        return sample.file
    picture = studio.database.find_picture(identity)
    if picture is not None:
        return picture.name if "." in picture.name else picture.file
    result = studio.database.find_result(identity)
    return result.file if result is not None else role
