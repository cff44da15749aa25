"""An engine's steps run inside ComfyUI: its progress bar, its stop button, its tensors."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from belamy import BelamyError, Step

__all__ = ["Progress", "autograd", "images_of", "masks_of", "one_of", "run_steps", "to_comfy"]

_PARTS = 1000  # of the bar, for each picture
_PREVIEW = 1.0  # seconds from one to the next, at least
_PREVIEW_SIDE = 512


@contextmanager
def autograd() -> Iterator[None]:
    """ComfyUI runs nodes in inference mode, in which nothing has a gradient; dreams need one."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def images_of(batch: Tensor) -> list[Tensor]:
    """ComfyUI's (B, H, W, C) as B pictures (1, C, H, W); its nodes may leave [0, 1] a little."""
    pictures = batch.detach().float().clone().nan_to_num(0.0).clamp(0, 1).movedim(-1, 1)
    return list(pictures.contiguous()[:, None])


def masks_of(batch: Tensor) -> list[Tensor]:
    """ComfyUI's masks, (B, H, W) or one (H, W), as B pictures (1, 1, H, W)."""
    masks = batch[None] if batch.ndim == 2 else batch
    return list(masks.detach().float().clone().nan_to_num(0.0).clamp(0, 1)[:, None, None])


def to_comfy(pictures: list[Step]) -> tuple[Tensor, Tensor, str]:
    """Images (B, H, W, 3), masks (B, H, W) that are 1 where nothing is, and the first's recipe."""
    images = torch.cat([step.image.detach().float().cpu() for step in pictures])
    masks = torch.cat([_mask(step) for step in pictures])
    recipe = pictures[0].recipe
    text = "" if recipe is None else recipe.to_json()
    return images.clamp(0, 1).movedim(1, -1).contiguous(), masks, text


def _mask(step: Step) -> Tensor:
    if step.alpha is None:
        return torch.zeros(1, *step.image.shape[-2:])
    return 1 - step.alpha.detach().float().cpu()[:, 0]


class Progress:
    """ComfyUI's bar, where there is one, with a preview each second; and its stop button."""

    def __init__(self, pictures: int) -> None:
        self._pictures = pictures
        self._bar: Any = None
        utils = sys.modules.get("comfy.utils")  # loaded long before any node is
        if utils is not None and hasattr(utils, "ProgressBar"):
            self._bar = utils.ProgressBar(_PARTS * pictures)
        self._next = time.monotonic() + _PREVIEW

    def show(self, done: int, step: Step) -> None:
        """A step of the picture after `done` others.

        Raises:
            InterruptProcessingException: ComfyUI's own, when somebody has stopped it.
        """
        management = sys.modules.get("comfy.model_management")
        if management is not None:
            getattr(management, "throw_exception_if_processing_interrupted", lambda: None)()
        if self._bar is None:
            return
        fraction = step.index / step.total if step.fraction is None else step.fraction
        preview = None
        if time.monotonic() >= self._next:
            preview = ("JPEG", step.picture.pil.convert("RGB"), _PREVIEW_SIDE)
            self._next = time.monotonic() + _PREVIEW
        self._bar.update_absolute(
            round(_PARTS * (done + fraction)), _PARTS * self._pictures, preview
        )


def run_steps(steps: Iterator[Step], progress: Progress, done: int = 0) -> Iterator[Step]:
    """The steps, each shown; the work ends with them, also where they are not all taken."""
    try:
        for step in steps:
            progress.show(done, step)
            yield step
    finally:
        close = getattr(steps, "close", None)
        if close is not None:
            close()


def one_of(name: str, batch: list[Tensor], index: int, count: int) -> Tensor:
    """Of a batch beside another: its one picture, or the one at the same place.

    Raises:
        BelamyError: neither one nor as many.
    """
    if len(batch) not in (1, count):
        raise BelamyError(f"{name} has {len(batch)} pictures; give one, or {count} as the images")
    return batch[0 if len(batch) == 1 else index]
