"""The studio's memory in one SQLite file: it survives a restart, and a power cut.

Each row is a JSON document beside what is looked for. One thread uses it: the server's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from belamy.errors import BelamyError
from belamy.studio.store.records import OPEN, Job, PictureRecord, Result

__all__ = ["Database"]

_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, created REAL NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_age ON jobs (created);
CREATE TABLE IF NOT EXISTS results (
    id TEXT PRIMARY KEY, created REAL NOT NULL, deleted INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS results_by_age ON results (deleted, created);
CREATE TABLE IF NOT EXISTS pictures (
    id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS pictures_by_content ON pictures (sha256);
CREATE TABLE IF NOT EXISTS presets (
    engine TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (engine, name));
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (digest TEXT PRIMARY KEY, created REAL NOT NULL);
"""
_KEPT_JOBS = 2000  # of those that are over

Record = TypeVar("Record", Job, PictureRecord, Result)


class Database:
    """Jobs, results, pictures, presets, settings, sessions.

    Args:
        path: of the file; made if it is not there.

    Raises:
        BelamyError: it is damaged, of a newer studio, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            (found,) = self._connection.execute("PRAGMA user_version").fetchone()
            if found > _VERSION:
                raise BelamyError(f"{path} was written by a newer belamy; update belamy")
            self._connection.executescript(_TABLES)
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.Error as error:
            raise BelamyError(f"cannot use {path}: {error}; move it away to begin anew") from error

    def close(self) -> None:
        """Write everything down."""
        self._connection.close()

    def _write(self, query: str, *values: Any) -> int:
        """Change rows; gives how many.

        Raises:
            BelamyError: they cannot be written, as on a full disk.
        """
        try:
            return self._connection.execute(query, values).rowcount
        except sqlite3.Error as error:
            raise BelamyError(f"the studio's memory cannot be written: {error}") from error

    def _rows(self, query: str, *values: Any) -> Iterator[Any]:
        return iter(self._connection.execute(query, values).fetchall())

    def save_job(self, job: Job) -> None:
        """Remember a job as it is now."""
        body = _dump({**asdict(job), "began": None})
        query = "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)"
        self._write(query, job.id, job.created, job.state, body)

    def find_job(self, name: str) -> Job | None:
        """The job of an id."""
        rows = self._rows("SELECT body FROM jobs WHERE id = ?", name)
        return next((_read(Job, body) for (body,) in rows), None)

    def open_jobs(self) -> list[Job]:
        """Those that were not over, the oldest first."""
        marks = ", ".join("?" * len(OPEN))
        query = f"SELECT body FROM jobs WHERE state IN ({marks}) ORDER BY created"
        return [_read(Job, body) for (body,) in self._rows(query, *sorted(OPEN))]

    def recent_jobs(self, count: int) -> list[Job]:
        """The newest, newest first."""
        query = "SELECT body FROM jobs ORDER BY created DESC LIMIT ?"
        return [_read(Job, body) for (body,) in self._rows(query, count)]

    def forget_old_jobs(self) -> None:
        """Keep the newest of them alone."""
        self._connection.execute(
            "DELETE FROM jobs WHERE id IN "
            "(SELECT id FROM jobs ORDER BY created DESC LIMIT -1 OFFSET ?)",
            (_KEPT_JOBS,),
        )

    def save_result(self, result: Result) -> None:
        """Remember a result as it is now."""
        query = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)"
        self._write(query, result.id, result.created, result.deleted, _dump(asdict(result)))

    def find_result(self, name: str) -> Result | None:
        """The result of an id, be it deleted."""
        rows = self._rows("SELECT body FROM results WHERE id = ?", name)
        return next((_read(Result, body) for (body,) in rows), None)

    def recent_results(self, count: int, before: float) -> list[Result]:
        """Those older than a time, newest first; deleted ones left out."""
        query = (
            "SELECT body FROM results WHERE deleted = 0 AND created < ? "
            "ORDER BY created DESC, rowid DESC LIMIT ?"
        )
        return [_read(Result, body) for (body,) in self._rows(query, before, count)]

    def save_picture(self, picture: PictureRecord) -> None:
        """Remember a picture."""
        query = "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)"
        self._write(query, picture.id, picture.sha256, _dump(asdict(picture)))

    def find_picture(self, name: str) -> PictureRecord | None:
        """The picture of an id."""
        rows = self._rows("SELECT body FROM pictures WHERE id = ?", name)
        return next((_read(PictureRecord, body) for (body,) in rows), None)

    def find_picture_of(self, sha256: str) -> PictureRecord | None:
        """A picture with this very content."""
        rows = self._rows("SELECT body FROM pictures WHERE sha256 = ? LIMIT 1", sha256)
        return next((_read(PictureRecord, body) for (body,) in rows), None)

    def find_result_of(self, sha256: str) -> Result | None:
        """A result with this very content, of those that carry no recipe."""
        rows = self._rows(
            "SELECT body FROM results WHERE json_extract(body, '$.sha256') = ? LIMIT 1", sha256
        )
        return next((_read(Result, body) for (body,) in rows), None)

    def save_preset(self, engine: str, name: str, options: dict[str, Any]) -> None:
        """Keep options under a name."""
        query = "INSERT OR REPLACE INTO presets VALUES (?, ?, ?)"
        self._write(query, engine, name, _dump(options))

    def delete_preset(self, engine: str, name: str) -> bool:
        """Whether there was one."""
        return self._write("DELETE FROM presets WHERE engine = ? AND name = ?", engine, name) > 0

    def presets(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Engine, name and options of all of them."""
        rows = self._rows("SELECT engine, name, body FROM presets ORDER BY engine, rowid")
        return [(engine, name, json.loads(body)) for engine, name, body in rows]

    def settings(self) -> dict[str, Any]:
        """What the page keeps."""
        rows = self._rows("SELECT name, body FROM settings")
        return {name: json.loads(body) for name, body in rows}

    def save_settings(self, values: dict[str, Any]) -> None:
        """Keep some more; None takes one away."""
        for name, value in values.items():
            if value is None:
                self._write("DELETE FROM settings WHERE name = ?", name)
            else:
                self._write("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, _dump(value))

    def save_session(self, digest: str, created: float) -> None:
        """Let a browser in from now on."""
        self._write("INSERT INTO sessions VALUES (?, ?)", digest, created)

    def sessions(self, since: float) -> set[str]:
        """Digests of those that are not too old; the others are forgotten."""
        self._connection.execute("DELETE FROM sessions WHERE created < ?", (since,))
        return {digest for (digest,) in self._rows("SELECT digest FROM sessions")}


def _dump(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _read(form: type[Record], body: str) -> Record:
    """A record, without what a later version may have added to it."""
    known = {one.name for one in fields(form)}
    return form(**{name: value for name, value in json.loads(body).items() if name in known})
