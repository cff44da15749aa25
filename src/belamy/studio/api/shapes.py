"""What requests hold and answers look like, for the API's own page and for who writes a client."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from belamy.studio.catalog.forms import ID, Identifier, StrictForm

__all__ = [
    "ControlRequest",
    "CopyRequest",
    "ErrorAnswer",
    "FinishRequest",
    "JobAnswer",
    "JobRequest",
    "PresetRequest",
    "ResultAnswer",
]

Title = Annotated[str, StringConstraints(max_length=200)]
EngineName = Annotated[str, StringConstraints(max_length=40)]


class JobRequest(StrictForm):
    """A job: `options` and `inputs` as `GET /api/engines` says of its engine."""

    engine: EngineName
    inputs: dict[str, Any] = Field(default_factory=dict, description="ids by their roles")
    options: dict[str, Any] = Field(default_factory=dict, description="those that differ")
    title: Title = ""


class CopyRequest(StrictForm):
    """The same, to be written down instead."""

    engine: EngineName
    inputs: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)


class FinishRequest(StrictForm):
    """How much of a result lies over its picture, and where."""

    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    mask: Identifier | None = None
    title: Title = ""


class ControlRequest(StrictForm):
    """A word to a lesson that is under way."""

    action: Literal["play", "pause", "step", "speed"] | None = None
    speed: Annotated[float, Field(gt=0, le=1000)] | None = None


class PresetRequest(StrictForm):
    """Options kept under a name."""

    options: dict[str, Any]


class ErrorAnswer(BaseModel):
    """What went wrong, on one line."""

    error: str
    fields: list[dict[str, str]] = Field(default_factory=list)


class JobAnswer(BaseModel):
    """Where a job stands."""

    model_config = ConfigDict(extra="allow")

    id: Annotated[str, StringConstraints(pattern=ID)]
    engine: str
    room: str
    state: Literal["waiting", "loading", "working", "stopping", "done", "stopped", "failed"]
    position: int
    done: float
    step: int
    total: int
    eta: float | None
    message: str
    result: str | None
    results: list[str]
    inputs: dict[str, Any]
    options: dict[str, Any]
    title: str
    created: float
    seconds: float


class ResultAnswer(BaseModel):
    """Something that was made."""

    model_config = ConfigDict(extra="allow")

    id: Annotated[str, StringConstraints(pattern=ID)]
    job: str
    name: str
    url: str
    thumb: str
    width: int
    height: int
    engine: str
    room: str
    inputs: dict[str, Any]
    options: dict[str, Any]
    title: str
    state: Literal["done", "stopped"]
    seconds: float
    created: float
