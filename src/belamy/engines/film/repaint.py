"""Films made out of films: each frame from the one before it, moved to where its things are now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from belamy.engines.film.frames import FilmFrame, FilmPlan
from belamy.engines.film.overlap import work_ahead
from belamy.engines.film.source import SourceFilm
from belamy.pixels.film.frame import Frame
from belamy.pixels.motion.flow import Motion, Quality, estimate_motion
from belamy.pixels.recipe import Recipe

__all__ = ["FrameRenderer", "Painted", "RepaintedFilm", "Seen"]


@dataclass(frozen=True)
class Painted:
    """One frame's result.

    Args:
        image: (1, 3, H, W) in [0, 1], what is shown.
        state: what the next frame needs of it.
        note: a line for the user.
    """

    image: Tensor
    state: Mapping[str, Tensor]
    note: str = ""


class FrameRenderer(Protocol):
    """What makes the frames of a film, with its network loaded once."""

    @property
    def recipe(self) -> Recipe:
        """How to make the film again."""

    @property
    def motion_quality(self) -> Quality:
        """Of the motion that it takes; see `belamy.pixels.motion.flow.estimate_motion`."""

    def begin(self, image: Tensor) -> Painted:
        """The first frame of a scene (1, 3, H, W), by itself."""

    def prepare(self, image: Tensor) -> None:
        """Measure what belongs to a whole scene, on its first frame, without painting that."""

    def follow(
        self, image: Tensor, previous: Tensor, state: Mapping[str, Tensor], motion: Motion
    ) -> Painted:
        """A frame after another.

        Args:
            previous: the film's frame before.
            state: of the result before.
            motion: from that frame to this one.
        """


class RepaintedFilm:
    """A film in work: see `belamy.engines.film.frames.FilmWork`.

    Args:
        source: the film.
        renderer: what makes its frames.
        workers: frames that are looked at at a time; see `look`.
    """

    def __init__(self, source: SourceFilm, renderer: FrameRenderer, workers: int = 1) -> None:
        self.source, self.renderer, self._workers = source, renderer, workers

    @property
    def plan(self) -> FilmPlan:
        """Which frames there will be: those of the film."""
        return self.source.plan

    @property
    def recipe(self) -> Recipe:
        """How to make the film again."""
        return self.renderer.recipe

    def frames(self, scene: int, after: FilmFrame | None) -> Iterator[FilmFrame]:
        """See `FilmWork`."""
        return self.go_through(scene, after, self.paint)

    def paint(self, seen: Seen, state: Mapping[str, Tensor]) -> Painted:
        """A frame, with the state of the one before it."""
        if seen.previous is None or seen.motion is None:
            return self.renderer.begin(seen.frame.image)
        return self.renderer.follow(seen.frame.image, seen.previous, state, seen.motion)

    def go_through(
        self,
        scene: int,
        after: FilmFrame | None,
        paint: Callable[[Seen, Mapping[str, Tensor]], Painted],
        *,
        backward: bool = False,
    ) -> Iterator[FilmFrame]:
        """The frames of a scene, each painted with the state of the one before.

        Args:
            after: the one that was made last; None: none was.
            backward: from the last to the first; the one before is then the one after.
        """
        made = None if after is None else after.index
        state: Mapping[str, Tensor] = {} if after is None else after.state
        for seen in work_ahead(self._read(scene, made, backward), self.look, self._workers):
            if seen.is_made:
                continue
            painted = paint(seen, state)
            state = painted.state
            yield FilmFrame(seen.index, painted.image, state, seen.frame.alpha, painted.note)

    def look(self, seen: Seen) -> Seen:
        """What can be known of a frame before the one before it is painted; on another thread."""
        if seen.previous is None or seen.is_made:
            return seen
        quality = self.renderer.motion_quality
        return replace(seen, motion=estimate_motion(seen.previous, seen.frame.image, quality))

    def _read(self, scene: int, made: int | None, backward: bool) -> Iterator[Seen]:
        """The frames of a scene, which is prepared on the first of them."""
        previous: Tensor | None = None
        is_made = made is not None
        for index, frame in self.source.frames(scene, backward=backward):
            if previous is None:
                self.renderer.prepare(frame.image)
            yield Seen(index, frame, previous, None, is_made)
            previous = frame.image
            is_made = is_made and index != made


@dataclass(frozen=True)
class Seen:
    """A frame of the film that is repainted, and how it came from the one before.

    Args:
        index: from 0 on, in the whole film.
        previous: the film's frame before; None for the first of a scene.
        motion: from that to this one; None where it is not needed.
        is_made: whether its result is there already.
    """

    index: int
    frame: Frame
    previous: Tensor | None
    motion: Motion | None
    is_made: bool
