"""Pictures and a film for those with nothing at hand; they come with the package."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from belamy.files import sha256

__all__ = ["SAMPLES", "Sample", "find_sample_of", "samples_folder"]


def samples_folder() -> Path:
    """Where they are."""
    return Path(__file__).parents[1] / "samples"


@dataclass(frozen=True)
class Sample:
    """One of them.

    Args:
        id: its name in the API.
        name: of the file, without its suffix.
        kind: what it is good for: content, style, hazy, portrait, film.
        film: of a film: seconds, frames, fps, media; its picture is the first frame.
    """

    id: str
    name: str
    kind: str
    width: int
    height: int
    film: dict[str, Any] | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return samples_folder() / f"{self.name}.jpg"

    @property
    def file(self) -> str:
        """The name of what one would drop in: the picture, or the film."""
        return f"{self.name}.{'jpg' if self.film is None else 'mp4'}"

    @property
    def film_path(self) -> Path:
        """The film, where it is one."""
        return samples_folder() / self.file

    @property
    def thumb(self) -> Path:
        """A small copy."""
        return samples_folder() / f"{self.name}.webp"

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "url": f"/api/pictures/{self.id}",
            "thumb": f"/api/pictures/{self.id}/thumb",
            "width": self.width,
            "height": self.height,
            "kind": self.kind,
            "film": self.film and {**self.film, "url": f"/api/pictures/{self.id}/film"},
        }


@functools.cache
def _read() -> dict[str, Sample]:
    path = samples_folder() / "samples.json"
    if not path.is_file():
        return {}
    return {row["id"]: Sample(**row) for row in json.loads(path.read_text("utf-8"))}


SAMPLES = _read()
"""Id → sample."""


@functools.cache
def find_sample_of(digest: str) -> Sample | None:
    """The sample whose file has this SHA-256."""
    samples = SAMPLES.values()
    return next((one for one in samples if sha256(samples_folder() / one.file) == digest), None)
