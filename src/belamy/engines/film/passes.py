"""Films painted in several passes, there and back: each goes on from the one before it.

In one direction, what a frame cannot know is what comes; a pass from the end carries it back.

Source: Ruder, Dosovitskiy and Brox 2016, "Artistic style transfer for videos", section 5.
**Differs** in that the first pass is held to itself as a film of one pass is, and does not begin
from each frame alone, so that a few passes are enough; and in that the last one goes forward.

A folder for each scene holds what one pass leaves to the next:

2-000123.frame  a frame's result in the second pass, in halves of floats
2.state         the frame that was painted last, and what its neighbour is made of, exactly
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from belamy.engines.film.frames import FilmFrame
from belamy.engines.film.parts import load_state, save_state
from belamy.engines.film.repaint import FrameRenderer, Painted, RepaintedFilm, Seen
from belamy.engines.film.source import SourceFilm
from belamy.errors import RunError
from belamy.files import atomic_path
from belamy.pixels.motion.flow import Motion

__all__ = ["FilmInPasses", "PassRenderer"]


class PassRenderer(FrameRenderer, Protocol):
    """What can go on with a frame that it has painted."""

    def paint_again(
        self, image: Tensor, own: Tensor, state: Mapping[str, Tensor], motion: Motion | None
    ) -> Painted:
        """A frame in a further pass.

        Args:
            image: (1, 3, H, W), of the film.
            own: the frame's result in the pass before.
            state: of the neighbour that this pass has painted.
            motion: from that to this one; None for the first frame of a pass.
        """


class FilmInPasses(RepaintedFilm):
    """A film that is gone through several times: see `belamy.engines.film.frames.FilmWork`.

    Args:
        source: the film.
        renderer: what makes its frames.
        passes: how many times.
        folder: where passes before the last one are kept, to go on with; None: for as long as the
            work goes on.
    """

    def __init__(
        self, source: SourceFilm, renderer: PassRenderer, passes: int, folder: Path | None = None
    ) -> None:
        super().__init__(source, renderer)
        self._stylist, self._passes, self._folder = renderer, passes, folder

    def frames(self, scene: int, after: FilmFrame | None) -> Iterator[FilmFrame]:
        """Drafts of the passes before the last one, then the frames."""
        with self._open_folder(scene) as folder:
            started = [n for n in range(1, self._passes) if _state(folder, n).is_file()]
            for number in range(max(started, default=1), self._passes):
                yield from self._draft(scene, number, folder)
                _remove(folder, number - 1)
            yield from self._pass(scene, self._passes, folder, after)

    @contextmanager
    def _open_folder(self, scene: int) -> Iterator[Path]:
        if self._folder is None:
            with TemporaryDirectory(prefix="belamy-") as temporary:
                yield Path(temporary)
            return
        folder = self._folder / f"scene-{scene:03}"
        folder.mkdir(parents=True, exist_ok=True)
        yield folder

    def _draft(self, scene: int, number: int, folder: Path) -> Iterator[FilmFrame]:
        """What is left of a pass before the last one; each frame is saved before it is yielded."""
        found = load_state(_state(folder, number))
        after = None if found is None else FilmFrame(found[0], torch.empty(0), found[1])
        rows = self.plan.scenes[scene]
        last = rows[0] if self._goes_back(number) else rows[-1]
        if after is not None and after.index == last:
            return
        for frame in self._pass(scene, number, folder, after):
            with atomic_path(_frame(folder, number, frame.index)) as temporary:
                save_file({"image": frame.image.detach().cpu().half().contiguous()}, temporary)
            save_state(_state(folder, number), frame)
            yield replace(frame, is_draft=True)

    def _pass(
        self, scene: int, number: int, folder: Path, after: FilmFrame | None
    ) -> Iterator[FilmFrame]:
        paint = self.paint if number == 1 else partial(self._paint_again, folder, number)
        back, rows = self._goes_back(number), self.plan.scenes[scene]
        before = rows.start * self._passes + (number - 1) * len(rows)
        total = len(self.plan.times) * self._passes
        for frame in self.go_through(scene, after, paint, backward=back):
            position = rows.stop - frame.index if back else frame.index - rows.start + 1
            yield replace(frame, fraction=(before + position) / total)

    def _goes_back(self, number: int) -> bool:
        return (self._passes - number) % 2 == 1

    def _paint_again(
        self, folder: Path, number: int, seen: Seen, state: Mapping[str, Tensor]
    ) -> Painted:
        path = _frame(folder, number - 1, seen.index)
        if not path.is_file():
            raise RunError(
                f"{path} is gone, from which the next pass goes on; --overwrite begins anew"
            )
        own = load_file(path)["image"].to(seen.frame.image)
        return self._stylist.paint_again(seen.frame.image, own, state, seen.motion)


def _frame(folder: Path, number: int, index: int) -> Path:
    return folder / f"{number}-{index + 1:06}.frame"


def _state(folder: Path, number: int) -> Path:
    return folder / f"{number}.state"


def _remove(folder: Path, number: int) -> None:
    """Delete a pass that another one has gone on from."""
    for path in (*folder.glob(f"{number}-*.frame"), _state(folder, number)):
        path.unlink(missing_ok=True)
