"""Rows of the studio's memory, as dataclasses, and as the API shows them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["FILMS", "OPEN", "Job", "PictureRecord", "Result", "State", "new_id"]

State: TypeAlias = Literal["waiting", "loading", "working", "stopping", "done", "stopped", "failed"]
OPEN = frozenset({"waiting", "loading", "working", "stopping"})
"""States of jobs that are not over."""


FILMS = frozenset({".mp4", ".gif"})
"""Suffixes of results that move."""


def new_id() -> str:
    """A name that nobody can guess, of twelve letters and digits."""
    return secrets.token_hex(6)


@dataclass
class Job:
    """One piece of work.

    Args:
        id: its name in the API.
        engine: which does it.
        room: where it was asked for.
        options: those that differ from the defaults.
        inputs: role → id, or a list of ids.
        title: what a person calls it.
        state: where it stands.
        created: seconds since 1970.
        attempts: how often it was begun.
        message: a line for the user.
        done: part of the work that is done, 0 to 1.
        answer: of engines that answer without a picture.
        run: the job whose run folder is gone on with, of trainings; "" for its own.
    """

    engine: str
    room: str
    options: dict[str, Any]
    inputs: dict[str, Any]
    title: str = ""
    id: str = field(default_factory=new_id)
    state: State = "waiting"
    created: float = field(default_factory=time.time)
    attempts: int = 0
    message: str = ""
    done: float = 0.0
    step: int = 0
    total: int = 0
    eta: float | None = None
    seconds: float = 0.0
    results: list[str] = field(default_factory=list)
    answer: Any = None
    losses: dict[str, float] = field(default_factory=dict)
    position: int = 0
    run: str = ""
    began: float | None = field(default=None, repr=False)

    @property
    def is_open(self) -> bool:
        """Whether it waits or is at work."""
        return self.state in OPEN

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        seconds = self.seconds if self.began is None else time.monotonic() - self.began
        return {
            "id": self.id,
            "engine": self.engine,
            "room": self.room,
            "state": self.state,
            "position": self.position,
            "done": round(self.done, 4),
            "step": self.step,
            "total": self.total,
            "eta": None if self.eta is None else round(self.eta, 1),
            "message": self.message,
            "result": self.results[-1] if self.results else None,
            "results": self.results,
            "answer": self.answer,
            "losses": self.losses,
            "run": self.run or self.id,
            "inputs": self.inputs,
            "options": self.options,
            "title": self.title,
            "created": round(self.created, 3),
            "seconds": round(seconds, 2),
        }


@dataclass(frozen=True)
class PictureRecord:
    """A picture that was dropped in.

    Args:
        id: its name in the API.
        file: its name in the folder of pictures.
        view: the name of a copy that browsers can show; that of the file itself where they can; of
            a film, its first frame.
        film: of a film: seconds, frames, frames a second, and what browsers call such a file.
    """

    id: str
    name: str
    file: str
    view: str
    media: str
    width: int
    height: int
    sha256: str
    created: float
    recipe: dict[str, Any] | None = None
    film: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "url": f"/api/pictures/{self.id}",
            "thumb": f"/api/pictures/{self.id}/thumb",
            "recipe": self.recipe,
            "film": self.film and {**self.film, "url": f"/api/pictures/{self.id}/film"},
        }


@dataclass(frozen=True)
class Result:
    """Something that was made.

    Args:
        id: its name in the API.
        job: which made it.
        file: its name in the folder of results.
        latents: whether what it was drawn from is kept.
        raw: whether its unblended pixels were kept when it was made.
        sha256: of the file, where that carries no recipe; "" elsewhere.
    """

    id: str
    job: str
    file: str
    engine: str
    room: str
    options: dict[str, Any]
    inputs: dict[str, Any]
    title: str
    state: str
    width: int
    height: int
    seconds: float
    created: float
    latents: bool = False
    raw: bool = False
    note: str = ""
    deleted: bool = False
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "job": self.job,
            "name": self.file,
            "url": f"/api/results/{self.id}",
            "thumb": f"/api/results/{self.id}/thumb",
            "width": self.width,
            "height": self.height,
            "engine": self.engine,
            "room": self.room,
            "inputs": self.inputs,
            "options": self.options,
            "title": self.title,
            "state": self.state,
            "seconds": round(self.seconds, 2),
            "created": round(self.created, 3),
            "latents": self.latents,
            "blends": self.raw,
            "note": self.note,
        }
