"""Optical flow: where each pixel of a frame was in the frame before, and where that can be trusted.

Source: Kroeger et al. 2016, "Fast optical flow using dense inverse search", as OpenCV has it;
masks after Sundaram et al. 2010 with the numbers of Ruder et al. 2016. **Differs** in that flat
regions, over which the flow of moving texture beside them spreads, are taken to stand still where
that explains the pictures as well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from belamy.errors import MissingExtra
from belamy.pixels.colors import luma

__all__ = ["Motion", "estimate_flow", "estimate_motion", "opencv", "trust", "warp"]

Quality: TypeAlias = Literal["fine", "coarse", "fast"]

# Pixels of a side. Below, OpenCV looks at a size that it chooses by the width alone, at which the
# other side may be smaller than what it compares, and reads beyond it.
_SMALLEST: dict[Quality, int] = {"fine": 16, "coarse": 16, "fast": 32}
_LARGE = 480  # pixels of the long side from which on a coarse motion is found at half the size
# Sundaram et al.: a flow and the one back differ by more than this part of both, and this much
_PART, _OFFSET = 0.01, 0.5
# and where the flow itself changes faster than this, there is an edge of motion
_EDGE_PART, _EDGE_OFFSET = 0.01, 0.002
# Of a pixel beyond the border is still on it; else the noise of a flow that rests leads out.
_BEYOND = 0.1
_SOFT = 0.8  # sigma of the mask's edge, in pixels (Ruder et al.)
_HIDDEN = -255.0  # occluded places grow when the mask is blurred and clipped (Ruder et al.)
_FULL = 255.0
_FLAT = 3.0  # levels of 255 that a window differs by within itself where it has no texture
_WINDOW = 9  # pixels of that window


@dataclass(frozen=True)
class Motion:
    """The motion from the frame before to a frame.

    Args:
        flow: (1, 2, H, W), right and down, in pixels: what is at p was at p + flow.
        mask: (1, 1, H, W) in [0, 1]: how far it can be trusted; 0 where something came to light.
    """

    flow: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> Motion:
        """The same where frames are."""
        return Motion(self.flow.to(device), self.mask.to(device))

    def enlarge(self, size: tuple[int, int]) -> Motion:
        """That of frames (height, width) which were shrunk, on the processor."""
        cv2 = opencv()
        height, width = self.flow.shape[-2:]
        factors = torch.tensor([size[1] / width, size[0] / height]).view(1, 2, 1, 1)
        flow, mask = (
            cv2.resize(one[0].permute(1, 2, 0).numpy(), size[::-1], interpolation=cv2.INTER_LINEAR)
            for one in (self.flow * factors, self.mask)
        )
        return Motion(_from_planes(flow), _from_planes(mask[..., None]))


def opencv() -> Any:
    """The module cv2.

    Raises:
        MissingExtra: it is not installed.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    try:
        import cv2
    except ImportError as error:
        raise MissingExtra("opencv-python-headless", "video") from error
    return cv2


def estimate_motion(previous: Tensor, current: Tensor, quality: Quality = "fine") -> Motion:
    """The motion between two frames of one film.

    Args:
        previous, current: (1, 3, H, W) in [0, 1], of one size.
        quality: fine is for films; coarse for those that are made in a fraction of a second a
            frame, in a quarter of the time; fast for what is live.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    height, width = current.shape[-2:]
    before, now = _grey(previous), _grey(current)
    if quality != "coarse" or max(height, width) < _LARGE:
        return _find_motion(before, now, quality).to(current.device)
    half = -(-height // 2), -(-width // 2)
    found = _find_motion(_shrink(before, half), _shrink(now, half), "fine")
    return found.enlarge((height, width)).to(current.device)


def _find_motion(before: np.ndarray, now: np.ndarray, quality: Quality) -> Motion:
    flow, back = _search(now, before, quality), _search(before, now, quality)
    flow[_find_rest(before, now)] = 0
    found, returned = _from_planes(flow), _from_planes(back)
    return Motion(found, trust(found, returned))


def estimate_flow(start: Tensor, end: Tensor, quality: Quality = "fine") -> Tensor:
    """(1, 2, H, W): what is at p in `start` is at p + flow in `end`, by dense inverse search."""
    return _from_planes(_search(_grey(start), _grey(end), quality)).to(start.device)


def _search(start: np.ndarray, end: np.ndarray, quality: Quality) -> np.ndarray:
    """(H, W, 2); what is too small for OpenCV is repeated at its ends."""
    cv2 = opencv()
    height, width = start.shape
    short = [(0, max(0, _SMALLEST[quality] - side)) for side in start.shape]
    start, end = (np.ascontiguousarray(np.pad(one, short, mode="edge")) for one in (start, end))
    fine, fast = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, cv2.DISOPTICAL_FLOW_PRESET_FAST
    search = cv2.DISOpticalFlow_create(fast if quality == "fast" else fine)
    flow: np.ndarray = search.calc(start, end, None)[:height, :width]
    return flow


def _from_planes(pixels: np.ndarray) -> Tensor:
    """(1, C, H, W) of (H, W, C)."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


def _shrink(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    cv2 = opencv()
    small: np.ndarray = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    return small


def _grey(image: Tensor) -> np.ndarray:
    """8-bit luma."""
    grey = (luma(image) * 255).round_().clamp_(0, 255).to(torch.uint8)[0, 0]
    return np.ascontiguousarray(grey.cpu().numpy())


def _find_rest(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Where nothing moves: in flat regions, unless the pictures there changed."""
    cv2 = opencv()
    box = (_WINDOW, _WINDOW)
    same = cv2.blur(cv2.absdiff(now, before).astype(np.float32), box)
    now = now.astype(np.float32)
    mean = cv2.blur(now, box)
    spread = np.sqrt(np.maximum(cv2.blur(now * now, box) - mean * mean, 0))
    rest: np.ndarray = (spread < _FLAT) & (same < _FLAT)
    return rest


def trust(flow: Tensor, back: Tensor) -> Tensor:
    """(1, 1, H, W) in [0, 1]: where a flow and the one back agree, inside the frame, off edges.

    Args:
        flow: from a frame to the one before.
        back: from that to the frame.
    """
    cv2 = opencv()
    forth = _planes(flow)
    returned = _planes(warp(back, flow, sharp=False))
    error = np.sum((forth + returned) ** 2, axis=0)
    sizes = np.sum(forth**2, axis=0)
    hidden = error >= _PART * (sizes + np.sum(returned**2, axis=0)) + _OFFSET
    hidden |= _leaves_frame(forth)
    edge = sum(_squared_gradient(plane) for plane in forth) > _EDGE_PART * sizes + _EDGE_OFFSET
    mask = np.full(sizes.shape, _FULL, np.float32)
    mask[edge] = 0
    mask[hidden] = _HIDDEN
    soft = cv2.GaussianBlur(mask, (0, 0), _SOFT, borderType=cv2.BORDER_REPLICATE)
    return torch.from_numpy(np.clip(soft / _FULL, 0, 1))[None, None].to(flow)


def _planes(flow: Tensor) -> np.ndarray:
    planes: np.ndarray = flow[0].cpu().numpy().astype(np.float32)
    return planes


def _squared_gradient(plane: np.ndarray) -> np.ndarray:
    """The squared gradient, by central differences; across one row or column there is none."""
    squared: np.ndarray = np.zeros_like(plane)
    for axis, side in enumerate(plane.shape):
        if side > 1:
            squared += np.square(np.gradient(plane, axis=axis))
    return squared


def _leaves_frame(flow: np.ndarray) -> np.ndarray:
    x, y = _map(flow)
    height, width = flow.shape[-2:]
    low, right, below = -_BEYOND, width - 1 + _BEYOND, height - 1 + _BEYOND
    outside: np.ndarray = (x < low) | (y < low) | (x > right) | (y > below)
    return outside


def _map(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    height, width = flow.shape[-2:]
    x = flow[0] + np.arange(width, dtype=np.float32)
    y = flow[1] + np.arange(height, dtype=np.float32)[:, None]
    return x, y


def warp(image: Tensor, flow: Tensor, *, sharp: bool = True) -> Tensor:
    """The image of the frame before, moved to where its things are now.

    Args:
        image: (1, C, H, W), any range; C is at most 4.
        flow: (1, 2, H, W): what is at p was at p + flow. Beyond the border, the border goes on.
        sharp: Lanczos' kernel, which keeps fine detail for longer than bilinear interpolation;
            that is taken for what has no range to overshoot.
    """
    cv2 = opencv()
    kernel = cv2.INTER_LANCZOS4 if sharp else cv2.INTER_LINEAR
    source = np.ascontiguousarray(image[0].permute(1, 2, 0).cpu().numpy())
    moved = cv2.remap(source, *_map(_planes(flow)), kernel, borderMode=cv2.BORDER_REPLICATE)
    moved = moved if moved.ndim == 3 else moved[..., None]
    return torch.from_numpy(moved).permute(2, 0, 1)[None].contiguous().to(image)
