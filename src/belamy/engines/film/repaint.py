"""Films made out of films: each frame from the one before it, moved to where its things are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from belamy.engines.film.frames import FilmFrame, FilmPlan
from belamy.engines.film.source import SourceFilm
from belamy.pixels.motion.flow import Motion, estimate_motion
from belamy.pixels.recipe import Recipe

__all__ = ["FrameRenderer", "Painted", "RepaintedFilm"]


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
    """

    def __init__(self, source: SourceFilm, renderer: FrameRenderer) -> None:
        self.source, self.renderer = source, renderer

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
        previous: Tensor | None = None
        state: Mapping[str, Tensor] = {}
        for index, frame in self.source.frames(scene):
            if previous is None:
                self.renderer.prepare(frame.image)
            if after is not None and index <= after.index:
                previous, state = frame.image, after.state
                continue
            if previous is None:
                painted = self.renderer.begin(frame.image)
            else:
                motion = estimate_motion(previous, frame.image)
                painted = self.renderer.follow(frame.image, previous, state, motion)
            previous, state = frame.image, painted.state
            yield FilmFrame(index, painted.image, painted.state, frame.alpha, painted.note)
