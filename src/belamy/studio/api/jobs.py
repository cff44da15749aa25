"""Jobs: asked for, looked at, stopped, controlled."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request
from pydantic import ValidationError

from belamy.studio.api.errors import Problem, Refusal
from belamy.studio.api.limits import read_json
from belamy.studio.api.shapes import ControlRequest, JobAnswer, JobRequest
from belamy.studio.api.studio import Here, Studio
from belamy.studio.catalog.check import check_inputs, check_options, complaints_of
from belamy.studio.catalog.engines import find_engine
from belamy.studio.catalog.forms import ID, StrictForm
from belamy.studio.catalog.rows import Role, StudioEngine
from belamy.studio.store.records import Job

__all__ = ["Name", "body_of", "check_request", "read_form", "router", "submit"]

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

Name = Annotated[str, Path(pattern=ID)]
Form = TypeVar("Form", bound=StrictForm)


def body_of(form: type[StrictForm]) -> dict[str, Any]:
    """What the API's own page says of a request's body."""
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


async def read_form(request: Request, studio: Studio, form: type[Form]) -> Form:
    """A request's body as a model.

    Raises:
        Problem: it is no JSON.
        Refusal: it has other fields.
    """
    limits = studio.settings.limits
    data = await read_json(request, limits.body_bytes, limits.body_seconds)
    if not isinstance(data, dict):
        raise Problem(422, "the body must be an object")
    try:
        return form.model_validate(data)
    except ValidationError as error:
        raise Refusal(complaints_of(error)) from error


def check_request(studio: Studio, request: Any) -> StudioEngine:
    """The engine of a job, its options and inputs checked.

    Raises:
        Refusal: something is wrong with them; UnknownName: no such engine.
    """
    engine = find_engine(request.engine)
    complaints = [*check_inputs(engine, request.inputs), *check_options(engine, request.options)]
    if complaints:
        raise Refusal(complaints)
    for role in engine.roles:
        _require_there(studio, role, request.inputs.get(role.name))
    return engine


def _require_there(studio: Studio, role: Role, given: Any) -> None:
    names = given if isinstance(given, list) else [] if given is None else [given]
    for name in names:
        if not studio.has(role, name):
            raise Problem(404, f"{role.name}: there is nothing of the id {name}")


def submit(studio: Studio, job: Job) -> dict[str, Any]:
    """Queue a job.

    Raises:
        Problem: too many come at once; Full: too many wait.
    """
    if not studio.bucket.take():
        raise Problem(429, "too many jobs at once; wait a moment")
    return studio.queue.submit(job).to_json()


@router.post(
    "",
    status_code=202,
    response_model=JobAnswer,
    openapi_extra=body_of(JobRequest),
)
async def start(request: Request, studio: Here) -> Any:
    """Ask for a job. It waits for its turn; watch it at `/api/live`, or ask for it again."""
    body = await read_form(request, studio, JobRequest)
    engine = check_request(studio, body)
    job = Job(engine.name, engine.room, body.options, body.inputs, body.title.strip())
    return submit(studio, job)


@router.get("", response_model=list[JobAnswer])
async def jobs(
    studio: Here, limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> list[dict[str, Any]]:
    """Those at work, those that wait, and the latest that are over."""
    return [job.to_json() for job in studio.queue.jobs()[:limit]]


@router.get("/{name}", response_model=JobAnswer)
async def job(studio: Here, name: Name) -> dict[str, Any]:
    """Where a job stands."""
    return _find(studio, name).to_json()


@router.post(
    "/{name}/stop",
    status_code=202,
    response_model=JobAnswer,
)
async def stop(studio: Here, name: Name) -> dict[str, Any]:
    """Stop a job; what is there is kept."""
    return (studio.queue.stop(name) or _find(studio, name)).to_json()


@router.post(
    "/{name}/resume",
    status_code=202,
    response_model=JobAnswer,
)
async def resume(studio: Here, name: Name) -> dict[str, Any]:
    """Go on with a training that was stopped, from its last checkpoint, as a new job."""
    found = _find(studio, name)
    engine = find_engine(found.engine)
    if engine.kind != "training" or found.is_open or found.state == "done":
        raise Problem(409, "only a training that has stopped can go on")
    run = found.run or found.id
    again = Job(engine.name, engine.room, found.options, found.inputs, found.title, run=run)
    return submit(studio, again)


@router.post(
    "/{name}/control",
    status_code=202,
    openapi_extra=body_of(ControlRequest),
)
async def control(request: Request, studio: Here, name: Name) -> dict[str, Any]:
    """Play, pause, step or hasten a lesson."""
    words = await read_form(request, studio, ControlRequest)
    _find(studio, name)
    if not studio.queue.control(name, words.model_dump(exclude_none=True)):
        raise Problem(409, "this job is not under way")
    return {"ok": True}


def _find(studio: Studio, name: str) -> Job:
    found = studio.queue.find(name)
    if found is None:
        raise Problem(404, "there is no such job")
    return found
