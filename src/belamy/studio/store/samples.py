"""Pictures for those with nothing at hand; they come with the package."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["SAMPLES", "Sample", "samples_folder"]


def samples_folder() -> Path:
    """Where they are."""
    return Path(__file__).parents[1] / "samples"


@dataclass(frozen=True)
class Sample:
    """One of them.

    Args:
        id: its name in the API.
        name: of the file, without its suffix.
        kind: what it is good for: content, style, hazy, portrait.
    """

    id: str
    name: str
    kind: str
    width: int
    height: int

    @property
    def path(self) -> Path:
        """The file."""
        return samples_folder() / f"{self.name}.jpg"

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
        }


@functools.cache
def _read() -> dict[str, Sample]:
    path = samples_folder() / "samples.json"
    if not path.is_file():
        return {}
    return {row["id"]: Sample(**row) for row in json.loads(path.read_text("utf-8"))}


SAMPLES = _read()
"""Id → sample."""
