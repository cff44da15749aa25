"""What the server asks of a worker: one job, its files found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from belamy.studio.catalog.engines import find_engine
from belamy.studio.catalog.fields import NETWORK_FIELDS, fields_of
from belamy.studio.catalog.rows import StudioEngine

__all__ = ["Order"]


@dataclass(frozen=True)
class Order:
    """One job.

    Args:
        job: its id.
        engine: the row of the table.
        options: as the API has them; networks of the studio's own trainings by their files.
        files: role → path, or list of paths.
        stem: how results are named.
        results, thumbs, raw, run: where things go.
        picture_size: width and height of what is worked on; None where it is not known.
        first: what the result is made of again, for `finish`.
    """

    job: str
    engine: StudioEngine
    options: dict[str, Any]
    files: dict[str, Any]
    stem: str
    results: Path
    thumbs: Path
    raw: Path
    run: Path
    picture_size: tuple[int, int] | None = None
    first: dict[str, Any] | None = None

    @classmethod
    def read(cls, message: dict[str, Any]) -> Order:
        """The order in a message."""
        places = {name: Path(message[name]) for name in ("results", "thumbs", "raw", "run")}
        return cls(
            message["job"],
            find_engine(message["engine"]),
            dict(message["options"]),
            dict(message["files"]),
            message["stem"],
            **places,
            picture_size=tuple(message["picture_size"]) if message["picture_size"] else None,
            first=message.get("first"),
        )

    def make_options(self, **changed: Any) -> Any:
        """The engine's own object of options.

        Raises:
            BelamyError: one that it refuses.
        """
        return self.engine.load_form()(**{**self.arguments(), **changed})

    def arguments(self) -> dict[str, Any]:
        """Name → value, as Python would be called with."""
        known = fields_of(self.engine)
        plain = {
            name: _pairs(value) if list in known[name].item else value
            for name, value in self.options.items()
            if name in known
        }
        roles = {role.name: role.field for role in self.engine.roles}
        files = {roles[name]: path for name, path in self.files.items()}
        networks = {name: plain[name] for name in NETWORK_FIELDS & plain.keys()}
        return {**plain, **networks, **files}


def _pairs(value: Any) -> Any:
    return tuple(tuple(one) for one in value) if isinstance(value, list) else value
