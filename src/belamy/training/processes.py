"""The processes that train together, and where each of them computes."""

from __future__ import annotations

import atexit
from collections.abc import Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, distributed

from belamy.devices import choose_device, choose_precision
from belamy.errors import OptionError

__all__ = ["average_gradients", "choose_accelerator"]


def choose_accelerator(device: str, precision: str = "auto") -> Accelerator:
    """Accelerate on the device that `device` names, for as many processes as torchrun started.

    Raises:
        OptionError: no such device, it cannot compute in `precision` (asked here, before anything
            is read or made), or this process has trained on another one.
    """
    choose_precision(precision, place := choose_device(device))
    if place.type == "cuda" and place.index is not None:
        torch.cuda.set_device(place)  # accelerate takes the current one
    try:
        accelerator = Accelerator(cpu=place.type == "cpu")
    except ValueError as error:  # its state belongs to the process
        raise OptionError(
            f"this process has trained on another device than {device!r}; begin a new process"
        ) from error
    if accelerator.num_processes > 1:
        # Else the threads of the group, still at work, bring a process down that has finished.
        atexit.unregister(_leave)
        atexit.register(_leave)
    return accelerator


def average_gradients(gradients: Sequence[Tensor], accelerator: Accelerator) -> None:
    """Replace gradients by their means over the processes, in place.

    By hand, for networks that are passed several times a step, which data-parallel wrappers do not
    take.
    """
    if accelerator.num_processes == 1:
        return
    mean = accelerator.reduce(torch.cat([one.flatten() for one in gradients]), "mean")
    parts = mean.split([one.numel() for one in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def _leave() -> None:
    """End the work of this process with the others."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
