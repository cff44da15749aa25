"""A run folder: what was asked, what happened, and everything needed to go on.

runs/00003-classify-iris/
    config.json      the frozen configuration, the version, the type of run
    log.jsonl        one JSON object a report
    samples/         pictures made on the way
    checkpoints/     step-0001000.safetensors: networks, averages and optimisers in one file
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from safetensors import SafetensorError, safe_open

import belamy
from belamy import renamed
from belamy.checks import read_processes
from belamy.errors import BelamyError, RunError
from belamy.files import atomic_path, remove_scraps, write_text
from belamy.networks.files.tensors import write_tensors
from belamy.training.state import State, rename

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["KEPT", "SCHEMA", "Checkpoint", "Run", "create_run", "next_folder", "open_run"]

SCHEMA = 1  # raised when an older checkpoint can no longer be read
KEPT = 2  # checkpoints kept: the last, and one before it should the disk have lied

Config = TypeVar("Config", bound="DataclassInstance")

_LONGEST_NAME = 60  # characters after the number of a folder; file systems take 255 bytes
_RUN = re.compile(r"([0-9]{5,9})-")
_STEP = re.compile(r"step-(\d+)\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A state of the training, and the names of later ones that were damaged."""

    step: int
    state: State
    damaged: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """A run folder that exists."""

    folder: Path

    @property
    def samples(self) -> Path:
        return self.folder / "samples"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from training in this folder; given back even by `kill -9`.

        Raises:
            RunError: another process is at it.
        """
        try:
            file = (self.folder / ".lock").open("w")
        except OSError as error:
            raise RunError(
                f"cannot write in {self.folder}: {error.strerror}; train in another folder"
            ) from error
        with file:
            try:
                _lock(file.fileno(), wait=False)
            except BlockingIOError as error:
                raise RunError(
                    f"another process is training in {self.folder}; wait for it, or choose "
                    "another folder"
                ) from error
            yield

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one line to `log.jsonl`.

        Raises:
            RunError: the folder cannot be written, or the disk is full.
        """
        path = self.folder / "log.jsonl"
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, allow_nan=False) + "\n")
        except OSError as error:
            raise RunError(
                f"cannot write {path}: {error.strerror}; make room, then resume the run"
            ) from error

    def history(self, *, before: int | None = None) -> list[dict[str, Any]]:
        """What was reported up to step `before`, by the names of today.

        A last line cut short by a crash is left out.
        """
        path = self.folder / "log.jsonl"
        lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
        records = [record for line in lines if (record := _parse_record(line)) is not None]
        names = renamed.MEASURES.get(self.run_type, {})
        return [
            {names.get(name, name): value for name, value in record.items()}
            for record in records
            if before is None or record["step"] <= before
        ]

    def rewind(self, step: int) -> None:
        """Forget what came after `step`, so that a resumed run reads like an unbroken one."""
        text = "".join(json.dumps(record) + "\n" for record in self.history(before=step))
        write_text(self.folder / "log.jsonl", text)
        for later in self.saved_steps():
            if later > step:
                self._path(later).unlink()
        for place in (self.folder, self.checkpoints, self.samples):
            remove_scraps(place)

    def saved_steps(self) -> list[int]:
        """The steps at which a checkpoint was saved, in order."""
        matches = (
            _STEP.fullmatch(path.name) for path in self.checkpoints.glob("step-*.safetensors")
        )
        return sorted(int(match[1]) for match in matches if match is not None)

    def save(self, step: int, state: State) -> Path:
        """Write a checkpoint, whole or not at all, and drop the ones before the last two.

        Raises:
            RunError: the folder cannot be written, or the disk is full.
        """
        path = self._path(step)
        tensors, structure = state
        metadata = {"schema": str(SCHEMA), "step": str(step), "structure": json.dumps(structure)}
        try:
            with atomic_path(path) as temporary:
                write_tensors(temporary, tensors, metadata)
        except BelamyError as error:
            cause = str(error).removesuffix("; choose another place")
            before = "the checkpoint before it stands: " if self.saved_steps() else ""
            raise RunError(f"{cause}; {before}make room, then resume the run") from error
        for old in self.saved_steps()[:-KEPT]:
            self._path(old).unlink(missing_ok=True)
        return path

    def load(self, step: int) -> State:
        """The tensors and the structure saved at `step`.

        Raises:
            RunError: the file is damaged or of another schema.
        """
        state = self._read_whole(step)
        if state is None:
            raise RunError(f"{self._path(step)} is damaged; delete it to go on from the one before")
        return state

    def load_newest(self) -> Checkpoint | None:
        """The last checkpoint that is whole; None if none was saved.

        Raises:
            RunError: all of them are damaged, or of another schema.
        """
        damaged: list[str] = []
        for step in reversed(self.saved_steps()):
            state = self._read_whole(step)
            if state is not None:
                return Checkpoint(step, state, tuple(damaged))
            damaged.append(self._path(step).name)
        if damaged:
            raise RunError(
                f"the checkpoints in {self.checkpoints} are all damaged ({', '.join(damaged)}); "
                "start a new run"
            )
        return None

    def _path(self, step: int) -> Path:
        return self.checkpoints / f"step-{step:07d}.safetensors"

    def _read_whole(self, step: int) -> State | None:
        """What was saved at `step`, None if the file is not whole."""
        path = self._path(step)
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("schema") != str(SCHEMA):
                    raise RunError(f"{path} is of another version of belamy; start a new run")
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
                state = tensors, json.loads(metadata["structure"])
        except (SafetensorError, OSError, ValueError, KeyError):
            return None
        names, measures = (
            table.get(self.run_type, {}) for table in (renamed.STATES, renamed.MEASURES)
        )
        return rename(state, names, measures)

    @property
    def run_type(self) -> str:
        """What its `config.json` says; empty where there is none that can be read."""
        try:
            return str(self._read_config()["kind"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _read_config(self) -> dict[str, Any]:
        saved: dict[str, Any] = json.loads((self.folder / "config.json").read_text("utf-8"))
        return saved

    def load_config(self, run_type: str, form: Callable[..., Config]) -> Config:
        """The configuration of a run of this type, in the form (a dataclass) that such runs have.

        Raises:
            RunError: there is none here, or it is of another type or version.
        """
        path = self.folder / "config.json"
        try:
            saved = self._read_config()
            schema, own, options = saved["schema"], saved["kind"], dict(saved["config"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{self.folder} is not a run folder: it has no readable config.json"
            ) from error
        if schema != SCHEMA:
            raise RunError(f"{path} is of another version of belamy; start a new run")
        if own != run_type:
            raise RunError(
                f"{self.folder} is a run of {own}, not of {run_type}; choose another folder"
            )
        try:
            return form(**renamed.current_options(run_type, options, renamed.CONFIGS))
        except (TypeError, ValueError) as error:
            raise RunError(f"{path} has options that this belamy does not know: {error}") from error

    def prolong(self, run_type: str, form: Callable[..., Config], steps: int) -> Config:
        """The same with more steps than were asked for, which the first process writes down.

        What depends on the part of the steps that are done, such as the learning rate, goes on as
        if so many had been asked for from the start.

        Raises:
            RunError: as `load_config`; or the run has more steps, or is under way.
        """
        config: Any = self.load_config(run_type, form)
        if steps < config.steps:
            raise RunError(
                f"{self.folder} has {config.steps:,} steps, and {steps:,} are fewer; ask for "
                "more, or leave out --steps"
            )
        longer: Config = dataclasses.replace(config, steps=steps)
        if longer != config and read_processes()[0] == 0:
            with self.lock():
                _write_config(self.folder, run_type, longer)
        return longer


def create_run(folder: Path, run_type: str, config: DataclassInstance) -> Run:
    """A new run in `folder`, with its configuration written down.

    Raises:
        RunError: the folder holds something else, another process is at it, or it cannot be made.
    """
    run = Run(folder)
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        elif not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not (folder / ".lock").exists():  # nor is one left in somebody's own folder
            _require_empty(folder)
        with run.lock():  # of two that begin at once, one is told so
            _require_empty(folder)
            _write_config(folder, run_type, config)
            _make_folders(run)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be a run folder: {error.strerror}; choose another place"
        ) from error
    return run


def _require_empty(folder: Path) -> None:
    if any(path.name[0] != "." for path in folder.iterdir()):
        raise RunError(f"{folder} is not empty; choose another folder")


def _write_config(folder: Path, run_type: str, config: DataclassInstance) -> None:
    own = {"schema": SCHEMA, "belamy": belamy.__version__, "kind": run_type}
    record = {**own, "config": dataclasses.asdict(config)}
    write_text(folder / "config.json", json.dumps(record, indent=2) + "\n")


def _make_folders(run: Run) -> None:
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    run.samples.mkdir(exist_ok=True)


def open_run(folder: Path, run_type: str, config: DataclassInstance) -> Run:
    """The run in `folder`: a new one, or the one there if it was asked for the same.

    An option that is newer than the run counts as having had its default.

    Raises:
        RunError: the folder holds something else, or a run with another configuration.
    """
    if not (folder / "config.json").exists():
        return create_run(folder, run_type, config)
    run = Run(folder)
    saved = dataclasses.asdict(run.load_config(run_type, type(config)))
    for key, value in dataclasses.asdict(config).items():
        if saved[key] != value:
            raise RunError(
                f"{folder} was started with {key.replace('_', ' ')} {saved[key]!r}, not {value!r}; "
                "resume it as it was, or choose another folder"
            )
    _make_folders(run)
    return run


def next_folder(root: Path, name: str) -> Path:
    """`root/00003-name`, made new: its number is one more than the highest there.

    Of processes that ask at once, each gets another one.

    Raises:
        RunError: it cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked_folder(root):
            number = _next_number(root)
            while True:  # once, but where no lock is known
                folder = root / f"{number:05d}-{name[:_LONGEST_NAME]}"
                with suppress(FileExistsError):
                    folder.mkdir()
                    return folder
                number += 1
    except OSError as error:
        raise RunError(
            f"cannot make a run folder in {root}: {error.strerror}; name another with --run"
        ) from error


def _next_number(root: Path) -> int:
    numbers = [int(match[1]) for path in root.iterdir() if (match := _RUN.match(path.name))]
    return max(numbers, default=-1) + 1


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    """Only one process at a time is inside; the others wait."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows
        yield
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(number, wait=True)
        yield
    finally:
        os.close(number)


def _lock(number: int, *, wait: bool) -> None:
    """Lock an open file, until it is closed or the process ends, be it by `kill -9`.

    Raises:
        BlockingIOError: another process has it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:  # some network file systems know no locks
        return


def _parse_record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("step"), int) else None
