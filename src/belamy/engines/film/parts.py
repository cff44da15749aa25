"""`OUT.parts/`: a film that is not finished, frame by frame, to go on with and to share.

recipe.json         how the film is made; another recipe is refused
frames/000001.png   finished frames, written aside and renamed
scene-003.state     what the next frame of a scene is made of, exactly
scene-003.claim     who is at work on it
passes/scene-003/   earlier passes over it; see belamy.engines.film.passes

Scenes are made by themselves, so that several processes share a film by them. Frames are encoded at
the end, all at once: a film that was stopped and one that was not are the same to the byte.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from belamy.engines.film.begun import RECIPE, describe_difference
from belamy.engines.film.frames import FilmFrame, FilmWork, step_of
from belamy.engines.film.overlap import Background
from belamy.errors import OptionError, RunError
from belamy.files import atomic_path, write_text
from belamy.pixels.images import from_pil, to_pil
from belamy.pixels.recipe import Recipe
from belamy.steps import Step

__all__ = ["Parts", "load_state", "parts_of", "passes_of", "save_state"]

# zlib's level, and its strategy for runs of one byte: frames are read once more, and deleted
_FAST_PNG, _RUNS = 1, 3
_INDEX = "index"
_AUTO, _DERIVED = "auto", "derived"


def parts_of(target: Path) -> Path:
    """The folder of a film that is not finished."""
    return target.with_name(target.name + ".parts")


def passes_of(folder: Path) -> Path:
    """Where in such a folder the passes before the last one are, a folder for each scene."""
    return folder / "passes"


class Parts:
    """The folder of one film.

    Args:
        folder: made if it is not there.
        work: what makes the film.

    Raises:
        OptionError: it holds the frames of another film.
        RunError: it is there, and is none of belamy's.
    """

    def __init__(self, folder: Path, work: FilmWork) -> None:
        self.folder, self.work = folder, work
        self._frames = folder / "frames"
        written = _comparable(work.recipe)
        place = folder / RECIPE
        if folder.exists() and not place.is_file() and _holds_anything(folder):
            raise RunError(f"{folder} is there and holds no film that is being made; move it away")
        if not place.is_file():
            _write_first(place, json.dumps(written, indent=2, sort_keys=True) + "\n")
        begun = json.loads(place.read_text("utf-8"))
        auto = begun.pop(_AUTO, None)  # what the machine chose was chosen where the film was begun
        derived = begun.pop(_DERIVED, [])  # and what was named, was named there
        written.pop(_AUTO, None)
        written.pop(_DERIVED, None)
        if begun != written:
            raise OptionError(
                f"{folder} holds the frames of a film that is made otherwise "
                f"({describe_difference(begun, written)}); give the same options, or begin anew "
                "with --overwrite"
            )
        self._recipe = replace(work.recipe, auto=auto, derived=derived)
        self._frames.mkdir(exist_ok=True)

    def make(self) -> Generator[Step, None, None]:
        """The frames that are not there yet, but for those that another process is at work on.

        Drafts of them come in between, so that one sees how far the work is.
        """
        for scene in range(len(self.work.plan.scenes)):
            with self._claim(f"scene-{scene:03}") as mine:
                if not mine:
                    continue
                with Background() as saving:
                    for frame in self.work.frames(scene, self._latest(scene)):
                        if not frame.is_draft:
                            saving.run(partial(self._save, scene, frame))
                        yield self._step(frame)

    def is_complete(self) -> bool:
        """Whether all frames are there."""
        return all(self._path(index).is_file() for index in range(len(self.work.plan.times)))

    def count(self) -> int:
        """How many frames are there."""
        return sum(self._path(index).is_file() for index in range(len(self.work.plan.times)))

    @contextmanager
    def to_encode(self) -> Iterator[bool]:
        """Whether it is this process that makes the film of the frames; one does."""
        if not self.is_complete():  # before it is claimed: who makes the last frame must get it
            yield False
            return
        with self._claim("film") as mine:
            yield mine and self.is_complete()

    def steps(self) -> Iterator[Step]:
        """Every frame as it was saved."""
        for index in range(len(self.work.plan.times)):
            with Image.open(self._path(index)) as picture:
                picture.load()
                saved = from_pil(picture)
            yield self._step(FilmFrame(index, saved.image, {}, saved.alpha))

    def _step(self, frame: FilmFrame) -> Step:
        step = step_of(self.work, frame)
        return replace(step, recipe=replace(self._recipe, step=step.index))

    def remove(self) -> None:
        """Delete the folder."""
        self.remove_folder(self.folder)

    def remove_if_empty(self) -> None:
        """Delete the folder where no frame was finished or begun, and nobody is at work."""
        held = [*self._frames.glob("*.png"), *self.folder.glob("*.claim")]
        held += passes_of(self.folder).glob("*/*.state")
        if self.folder.is_dir() and not held:
            self.remove()

    @staticmethod
    def remove_folder(folder: Path) -> None:
        """Delete the folder of a film's frames, if it is one.

        Raises:
            RunError: it is none of belamy's.
        """
        if folder.exists() and not (folder / RECIPE).is_file():
            raise RunError(f"{folder} is there and holds no film that is being made; move it away")
        shutil.rmtree(folder, ignore_errors=True)

    def _path(self, index: int) -> Path:
        return self._frames / f"{index + 1:06}.png"

    def _latest(self, scene: int) -> FilmFrame | None:
        """The last finished frame of a scene, with its state; None where there is none."""
        found = load_state(self._state(scene))
        if found is None or not self._path(found[0]).is_file():
            return None
        index, state = found
        return FilmFrame(index, torch.empty(0), state)

    def _state(self, scene: int) -> Path:
        return self.folder / f"scene-{scene:03}.state"

    def _save(self, scene: int, frame: FilmFrame) -> None:
        """The picture first: a state is of a frame that is there."""
        picture = to_pil(frame.image)
        if frame.alpha is not None:
            alpha = to_pil(frame.alpha.expand(-1, 3, -1, -1)).getchannel(0)
            picture.putalpha(alpha)
        with atomic_path(self._path(frame.index)) as temporary:
            picture.save(temporary, "PNG", compress_level=_FAST_PNG, compress_type=_RUNS)
        save_state(self._state(scene), frame)

    @contextmanager
    def _claim(self, name: str) -> Iterator[bool]:
        """Whether this process has a part of the work for itself."""
        path = self.folder / f"{name}.claim"
        mine = _take(path)
        try:
            yield mine
        finally:
            if mine:
                path.unlink(missing_ok=True)


def _write_first(place: Path, text: str) -> None:
    """Write a file whole, unless another process has just done so."""
    aside = place.with_name(f".{socket.gethostname()}-{os.getpid()}-{place.name}")
    write_text(aside, text)
    try:
        os.link(aside, place)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        write_text(place, text)
    finally:
        aside.unlink(missing_ok=True)


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those that share memory as copies, which a file of tensors needs."""
    pointers = [tensor.data_ptr() for tensor in tensors.values()]
    if len(set(pointers)) == len(pointers):
        return tensors
    return {name: tensor.clone() for name, tensor in tensors.items()}


def save_state(path: Path, frame: FilmFrame) -> None:
    """Keep the number of a frame, and exactly what the next one is made of."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in frame.state.items()}
    with atomic_path(path) as temporary:
        save_file(_apart(tensors), temporary, {_INDEX: str(frame.index)})


def load_state(path: Path) -> tuple[int, dict[str, Tensor]] | None:
    """The number of a frame, and what the next one is made of; None where there is none."""
    if not path.is_file():
        return None
    with safe_open(path, "pt") as file:
        index = int(file.metadata()[_INDEX])
        return index, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _take(path: Path) -> bool:
    """Claim a part, also one whose owner on this machine has died."""
    owner = f"{socket.gethostname()} {os.getpid()}"
    for _ in range(2):
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileNotFoundError:  # another process has made the film of it
            return False
        except FileExistsError:
            if not _is_dead(path):
                return False
            path.unlink(missing_ok=True)
        else:
            os.write(file, owner.encode())
            os.close(file)
            return True
    return False


def _holds_anything(folder: Path) -> bool:
    """Whether there is more in it than what another process is just writing."""
    return any(not one.name.startswith(".") for one in folder.iterdir())


def _is_dead(path: Path) -> bool:
    """Whether a claim's process was on this machine and is no more."""
    with suppress(OSError, ValueError):
        host, number = path.read_text("utf-8").split()
        if host != socket.gethostname():
            return False
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            return True
    return False


def _comparable(recipe: Recipe) -> dict[str, Any]:
    """What decides on the frames; where the inputs lie does not."""
    without_paths = replace(recipe, inputs=tuple(replace(one, path="") for one in recipe.inputs))
    written: dict[str, Any] = json.loads(without_paths.to_json())
    return written
