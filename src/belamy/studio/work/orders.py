"""A job made into an order: the files behind its ids, the folders for what it makes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from belamy.errors import BelamyError
from belamy.studio.catalog.engines import find_engine
from belamy.studio.catalog.fields import NETWORK_FIELDS
from belamy.studio.catalog.rows import Role
from belamy.studio.settings import Places
from belamy.studio.store.database import Database
from belamy.studio.store.folders import Folders
from belamy.studio.store.names import result_stem
from belamy.studio.store.records import Job, Result
from belamy.studio.store.samples import SAMPLES

__all__ = ["OrderMaker"]


class OrderMaker:
    """Finds what ids stand for.

    Args:
        places: the studio's folders.
        database: of pictures and results.
        folders: below the roots.
    """

    def __init__(self, places: Places, database: Database, folders: Folders) -> None:
        self._places, self._database, self._folders = places, database, folders

    def make(self, job: Job) -> dict[str, Any]:
        """What the worker is told.

        Raises:
            BelamyError: something that the job needs is no longer there.
        """
        engine = find_engine(job.engine)
        roles = {role.name: role for role in engine.roles}
        files = {
            name: self.find(roles[name], given)
            for name, given in job.inputs.items()
            if given not in (None, [])
        }
        title = job.title or self._describe(job)
        run = self._places.runs / f"{engine.name.replace('_', '-')}-{job.run or job.id}"
        return {
            "type": "start",
            "job": job.id,
            "engine": job.engine,
            "options": self._with_networks(job.options),
            "files": files,
            "stem": result_stem(title, job.id, time.time()),
            "results": str(self._places.results),
            "thumbs": str(self._places.thumbs),
            "raw": str(self._places.raw),
            "run": str(run),
            "picture_size": self._size_of(job.inputs.get("picture")),
            "first": self._first(job) if engine.kind == "finish" else None,
        }

    def find(self, role: Role, given: Any) -> Any:
        """The path behind an id, or the paths behind several.

        Raises:
            BelamyError: there is none.
        """
        if isinstance(given, list):
            return [self.find(role, one) for one in given]
        if role.holds == "folder":
            return str(self._folders.find(given))
        if role.holds == "result":
            return str(self._result_file(self._result(given)))
        if role.holds == "film" and (sample := SAMPLES.get(given)) is not None:
            return str(sample.film_path)
        return self._latents(given) if role.holds == "latents" else self._picture(given)

    def _picture(self, name: str) -> str:
        """A picture that was dropped in, a sample, or a result."""
        if (sample := SAMPLES.get(name)) is not None:
            return str(sample.path)
        picture = self._database.find_picture(name)
        if picture is not None:
            path = self._places.pictures / picture.file
        else:
            path = self._result_file(self._result(name))
        if not path.is_file():
            raise BelamyError(f"the picture {path.name} is no longer there; drop it in again")
        return str(path)

    def _size_of(self, name: Any) -> tuple[int, int] | None:
        """Width and height of a picture."""
        if not isinstance(name, str):
            return None
        found = (
            SAMPLES.get(name)
            or self._database.find_picture(name)
            or self._database.find_result(name)
        )
        return None if found is None else (found.width, found.height)

    def _result(self, name: str) -> Result:
        result = self._database.find_result(name)
        if result is None:
            raise BelamyError("there is no such picture any more; drop it in again")
        return result

    def _result_file(self, result: Result) -> Path:
        folder = self._places.bin if result.deleted else self._places.results
        return folder / result.file

    def _latents(self, name: str) -> str:
        path = self._places.raw / f"{self._result(name).id}.latents.safetensors"
        if not path.is_file():
            raise BelamyError("what this picture was drawn from is no longer kept; paint it again")
        return str(path)

    def _with_networks(self, options: dict[str, Any]) -> dict[str, Any]:
        """Networks that were trained here, by their folders."""
        found = dict(options)
        for name in NETWORK_FIELDS & options.keys():
            value = options[name]
            if isinstance(value, str) and value.startswith("run:"):
                found[name] = str(self.run_of(value.removeprefix("run:")))
        return found

    def run_of(self, job: str) -> Path:
        """The run folder of a training.

        Raises:
            BelamyError: there is none.
        """
        runs = sorted(self._places.runs.glob(f"*-{job}"))
        if not runs:
            raise BelamyError("the network of this training is no longer there; choose another")
        return runs[0]

    def _first(self, job: Job) -> dict[str, Any]:
        """What a finished result was made of, and how."""
        result = self._result(job.inputs["result"])
        seen = set()
        origin = result
        while origin.engine == "finish" and origin.id not in seen:  # of a finish, its first
            seen.add(origin.id)
            origin = self._result(origin.inputs["result"])
        return {
            "result": origin.id,
            "picture": self._picture(origin.inputs["picture"]),
            "file": str(self._result_file(origin)),
        }

    def _describe(self, job: Job) -> str:
        """Words for a result that has no title: what it was made by, and of what."""
        words = [job.engine.replace("_", " ")]
        given = job.inputs.get("picture")
        if isinstance(given, str):
            picture = self._database.find_picture(given)
            sample = SAMPLES.get(given)
            words += [Path(picture.name).stem if picture else sample.name if sample else ""]
        for name in ("layer", "class_", "direction"):
            value = job.options.get(name)
            if isinstance(value, str):
                words.append(value)
        seed = job.options.get("seed", 0)
        return ", ".join([" ".join(word for word in words if word), f"seed {seed}"])
