"""Interlaced films: two moments woven into each frame become one of them, frame by frame.

By FFmpeg's bwdif ("Bob Weaver Deinterlacing Filter", after Weston's three fields), which looks at
the frames before and after: so it is one frame behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from belamy.pixels.formats.ffmpeg import import_av

__all__ = ["deinterlace"]

# One frame for each, of those that say that they are interlaced.
_FILTER, _SETTINGS = "bwdif", "mode=send_frame:deint=interlaced"


def deinterlace(frames: Iterator[Any]) -> Iterator[Any]:
    """PyAV's frames of one film; from the first interlaced one on they go through the filter.

    Each keeps its own time.
    """
    for frame in frames:
        if frame.interlaced_frame:
            yield from _filter(frame, frames)
            return
        yield frame


def _filter(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    graph = import_av().filter.Graph()
    source = graph.add_buffer(
        width=first.width,
        height=first.height,
        format=first.format.name,
        time_base=first.time_base,
    )
    weaver, sink = graph.add(_FILTER, _SETTINGS), graph.add("buffersink")
    source.link_to(weaver)
    weaver.link_to(sink)
    graph.configure()
    going: deque[tuple[Any, Any, Any]] = deque()

    def pull() -> Iterator[Any]:
        while (frame := _pull(sink)) is not None:
            # the filter counts in halves of the film's own ticks
            frame.pts, frame.time_base, frame.duration = going.popleft()
            yield frame

    frame: Any = first
    while frame is not None:
        going.append((frame.pts, frame.time_base, frame.duration))
        source.push(frame)
        yield from pull()
        frame = next(rest, None)
    source.push(None)
    yield from pull()


def _pull(sink: Any) -> Any:
    """What has come out; None where the filter wants more."""
    av = import_av()
    try:
        return sink.pull()
    except (av.BlockingIOError, av.EOFError):
        return None
