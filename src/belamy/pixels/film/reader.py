"""`open_film`: the frames of any film, one at a time, each with its own time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType

from belamy.errors import OptionError
from belamy.pixels.film.animated import AnimatedFilm
from belamy.pixels.film.container import ContainerFilm
from belamy.pixels.film.folder import FolderFilm
from belamy.pixels.film.frame import FilmSource, Frame
from belamy.pixels.film.kinds import kind_of
from belamy.pixels.film.selection import Selection

__all__ = ["FilmReader", "open_film"]


class FilmReader:
    """A film that is open: iterate over it once, inside `with`.

    Args:
        source: the film.
        selection: what is taken of it.

    Raises:
        OptionError: it ends before that begins.
    """

    def __init__(self, source: FilmSource, selection: Selection) -> None:
        self._source, self._selection = source, selection
        if source.seconds is not None and selection.beginning >= source.seconds:
            source.close()
            raise OptionError(
                f"start is {selection.start:g}; the film is {float(source.seconds):g} seconds long"
            )
        self.size = source.size
        """(height, width) of the frames."""
        self.has_sound = source.has_sound
        """Whether there is sound in it."""
        self.seconds = source.seconds
        """How long the whole film says it is; None where it says nothing."""
        self.frame_rate = selection.rate or source.frame_rate
        """Frames a second, nominal: each frame has a time of its own."""
        self.expected_frames = selection.count(source.seconds, source.frames, source.frame_rate)
        """About how many frames there will be; None where nobody knows."""

    def __iter__(self) -> Iterator[Frame]:
        moments = self._source.moments(self._selection.beginning)
        moment = None
        for moment in self._selection.apply(moments):
            image, alpha = moment.load()
            yield Frame(image, alpha, moment.time, moment.duration)
        if moment is None:
            raise OptionError(f"start is {self._selection.start:g}; the film has ended before it")

    def close(self) -> None:
        """Close the file; what is at the end of a `with` block anyway."""
        self._source.close()

    def __enter__(self) -> FilmReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_film(
    path: str | os.PathLike[str],
    *,
    fps: float | None = None,
    start: float | None = None,
    end: float | None = None,
    every: int = 1,
    size: int | None = None,
) -> FilmReader:
    """Open a film, whose frames come one at a time, in bounded memory.

    Args:
        path: a container (MP4, MOV, MKV, WebM, AVI …); a picture that moves (GIF, WEBP, APNG,
            AVIF); a folder or a zip of frames, or a pattern such as `frames/%06d.png`.
        fps: frames a second, the same all along; None: each frame when it comes.
        start: seconds into the film at which to begin.
        end: seconds into the film at which to stop; None: where it ends.
        every: only each so many-th frame, which then stands as long as those left out.
        size: long side of the frames in pixels; None: their own.

    Raises:
        ImageError: it is not there, damaged, or no film.
        OptionError: a value out of its range.
        MissingExtra: it needs PyAV, which is not installed.
    """
    selection = Selection(fps, start, end, every, size)
    kind = kind_of(path)
    if kind == "animated":
        return FilmReader(AnimatedFilm(path, selection.size), selection)
    if kind == "frames":
        folder = FolderFilm(path, selection.size, selection.rate)
        return FilmReader(folder, selection)
    return FilmReader(ContainerFilm(path, selection.size), selection)
