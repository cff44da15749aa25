"""The picture as it is by then, for whoever watches: few enough frames that the work hardly slows.

The working thread only brings the pixels down to a screen's size, and only when a frame is due;
another thread encodes them.
"""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from belamy.studio.worker.channel import Channel

__all__ = ["LONGEST_SIDE", "QUALITY", "Preview", "send_frame"]

LONGEST_SIDE = 1024  # pixels
QUALITY = 80
_FASTEST = 0.09  # seconds between frames
_SHARE = 0.06  # of the time that frames may take: under a tenth, some room left


@dataclass(frozen=True)
class _Frame:
    index: int
    pixels: Tensor  # (H, W, 3) uint8
    full: tuple[int, int]  # width, height
    cost: float


class Preview:
    """Sends frames of one job.

    Args:
        channel: where to.
        job: whose.
    """

    def __init__(self, channel: Channel, job: str) -> None:
        self._channel, self._job = channel, job
        self._due = 0.0
        self._index = 0
        self._slot: _Frame | None = None
        self._ready = threading.Condition()
        self._busy = self._closed = False
        self.seconds = 0.0
        self.sent = 0
        self._thread = threading.Thread(target=self._encode_all, daemon=True)
        self._thread.start()

    def offer(self, image: Tensor, full: tuple[int, int] | None = None) -> None:
        """Show an image (1, 3, H, W), if a frame is due.

        Args:
            full: width and height that the result will have.
        """
        now = time.monotonic()
        if now < self._due or self._busy:
            return
        began = time.thread_time()
        size = (image.shape[-1], image.shape[-2])
        pixels = _to_screen(image)
        self._index += 1
        frame = _Frame(self._index, pixels, full or size, time.thread_time() - began)
        self._due = now + _FASTEST
        with self._ready:
            self._slot, self._busy = frame, True
            self._ready.notify()

    def close(self) -> None:
        """Send no more."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._thread.join(1)

    def _encode_all(self) -> None:
        while True:
            with self._ready:
                while self._slot is None and not self._closed:
                    self._ready.wait()
                if self._closed:
                    return
                frame, self._slot = self._slot, None
            assert frame is not None
            began = time.thread_time()
            self._send(frame)
            cost = frame.cost + time.thread_time() - began
            self.seconds += cost
            self.sent += 1
            self._due = max(self._due, time.monotonic() + cost * (1 / _SHARE - 1))
            self._busy = False

    def _send(self, frame: _Frame) -> None:
        picture = Image.fromarray(frame.pixels.numpy())
        send_frame(self._channel, self._job, frame.index, picture, frame.full)


def send_frame(
    channel: Channel, job: str, index: int, picture: Image.Image, full: tuple[int, int]
) -> None:
    """Show a picture, RGB.

    Args:
        full: width and height that the result will have.
    """
    small = picture
    if max(picture.size) > LONGEST_SIDE:
        small = picture.copy()
        small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    header = {
        "type": "frame",
        "job": job,
        "frame": index,
        "width": small.width,
        "height": small.height,
        "full_width": full[0],
        "full_height": full[1],
    }
    channel.send(header, buffer.getvalue())


def _to_screen(image: Tensor) -> Tensor:
    """(1, 3, H, W) in [0, 1] → (H, W, 3) of 8 bits, no larger than a screen needs."""
    plain = image.detach()
    factor = -(-max(plain.shape[-2:]) // LONGEST_SIDE)
    if factor > 1:
        plain = avg_pool2d(plain, factor, ceil_mode=True)
    pixels = (plain[0].float() * 255 + 0.5).clamp_(0, 255).to(torch.uint8)
    return pixels.permute(1, 2, 0).contiguous().cpu()
