"""A camera, or a film as if it were one, through networks that paint in one pass, as it happens.

Nothing queues: what is painted is the newest frame, and those that came meanwhile are dropped.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from belamy.engines.faststyle.apply import StyleApplier
from belamy.engines.faststyle.options import ApplyStyleOptions
from belamy.engines.film.one_pass import hold_frame
from belamy.errors import ImageError
from belamy.pixels.film.reader import open_film
from belamy.pixels.images import fit, resize
from belamy.pixels.motion.flow import estimate_motion, opencv

__all__ = ["Live", "LiveView", "frames_of_camera", "frames_of_film", "newest"]

_REMEMBERED = 20  # frames whose times tell the rate
_NEW = 0.3  # of each new frame, where the one before can be trusted: more than in films, which wait
_PATIENCE = 10.0  # seconds that a camera may be silent


def frames_of_film(path: Path, size: int) -> Iterator[Tensor]:
    """The frames of a film when they are due, over and over.

    One that takes longer to read than it lasts plays as fast as it can be read.

    Raises:
        ImageError: it is not there, damaged, or no film.
    """
    while True:
        began = time.monotonic()
        with open_film(path, size=size) as film:
            for frame in film:
                wait = began + float(frame.time) - time.monotonic()
                if wait < -float(frame.duration):
                    began -= wait  # what is late is not caught up with
                time.sleep(max(0.0, wait))
                yield frame.image


def frames_of_camera(number: int, size: int) -> Iterator[Tensor]:
    """What a camera sees.

    Raises:
        ImageError: there is no such camera, or it says nothing more.
        MissingExtra: OpenCV is not installed.
    """
    cv2 = opencv()
    camera = cv2.VideoCapture(number)
    try:
        while True:
            good, pixels = camera.read()
            if not good:
                raise ImageError(f"camera {number} gives no picture; name another one, or a film")
            image = torch.from_numpy(pixels[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
            yield resize(image, fit(image.shape[-2], image.shape[-1], size))
    finally:
        camera.release()


@contextmanager
def newest(frames: Iterator[Tensor]) -> Iterator[Iterator[Tensor]]:
    """The newest of the frames each time that one is asked for; a thread reads all of them."""
    place: deque[Tensor] = deque(maxlen=1)
    came, ended = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for frame in frames:
                place.append(frame)
                came.set()
                if ended.is_set():
                    break
        except BaseException as error:
            failures.append(error)
            came.set()

    def give() -> Iterator[Tensor]:
        while not ended.is_set():
            if not came.wait(_PATIENCE):
                raise ImageError("no picture comes; name another camera, or a film")
            came.clear()
            if place:
                yield place.pop()
            elif failures:
                raise failures[0]

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield give()
    finally:
        ended.set()
        thread.join(_PATIENCE)


@dataclass
class LiveView:
    """What is seen by now, for all who look.

    Args:
        image: (1, 3, H, W); None before the first frame.
        count: which frame it is.
        style: the number of the network that painted it.
        rate: frames a second.
    """

    image: Tensor | None = None
    count: int = 0
    style: int = 0
    rate: float = 0.0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, after: int, seconds: float = 1.0) -> int:
        """Wait for a frame after a number; the number of what there is then."""
        with self.changed:
            self.changed.wait_for(lambda: self.count > after, seconds)
            return self.count


class Live:
    """Networks loaded once, one of which paints what comes.

    Args:
        networks: of `belamy style apply`, by name or path.
        steady: how firmly frames are held to the one before; 0 makes each by itself, sooner.
        device: auto, cpu, cuda or mps.
    """

    def __init__(self, networks: Sequence[str], steady: float, device: str = "auto") -> None:
        self.names = tuple(networks)
        options = [ApplyStyleOptions(network=one, device=device) for one in networks]
        self._appliers = [StyleApplier(one) for one in options]
        self._steady = steady
        self.view = LiveView()
        self._style = 0

    def choose(self, style: int) -> None:
        """Paint with another network from the next frame on; the number goes round."""
        self._style = style % len(self.names)

    @property
    def style(self) -> int:
        """The number of the network that paints."""
        return self._style

    def run(self, frames: Iterator[Tensor]) -> None:
        """Paint until there are no more frames."""
        times: deque[float] = deque(maxlen=_REMEMBERED)
        before: tuple[Tensor, Tensor, int] | None = None
        for frame in frames:
            style = self._style
            painted = self._appliers[style].repaint_frame(frame).clamp(0, 1)
            if before is not None and before[2] == style and self._steady:
                painted = self._hold(frame, painted, before[0], before[1])
            before = (frame, painted, style)
            times.append(time.monotonic())
            with self.view.changed:
                self.view.image, self.view.style = painted, style
                self.view.count += 1
                spent = times[-1] - times[0]
                self.view.rate = (len(times) - 1) / spent if spent else 0.0
                self.view.changed.notify_all()

    def _hold(self, frame: Tensor, painted: Tensor, earlier: Tensor, shown: Tensor) -> Tensor:
        motion = estimate_motion(earlier, frame, "fast")
        return hold_frame(painted, shown, frame, earlier, motion, self._steady, _NEW)
