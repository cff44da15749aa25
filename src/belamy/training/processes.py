"""The processes that train together, and where each of them computes."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from torch import Tensor, distributed

from belamy.checks import read_processes, show_value
from belamy.devices import choose_device, choose_precision
from belamy.errors import OptionError

__all__ = ["average_gradients", "choose_accelerator"]


def choose_accelerator(device: str, precision: str = "auto") -> Accelerator:
    """Accelerate on the device that `device` names, for as many processes as torchrun started.

    Raises:
        OptionError: no such device, an environment that torchrun did not make, it cannot compute in
            `precision` (asked here, before anything is read or made), or this process has trained
            on another one.
    """
    _check_environment()
    place = choose_device(device)
    if precision != "auto":  # what auto is may have to be measured, once there is work to do
        choose_precision(precision, place)
    if place.type == "cuda" and place.index is not None:
        torch.cuda.set_device(place)  # accelerate takes the current one
    try:
        with _without_mpi():
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


def _check_environment() -> None:
    """Said here: with half of what torchrun sets, processes wait for each other in vain."""
    _, world = read_processes()
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if not os.environ.get(name)]
    if world > 1 and missing:
        raise OptionError(
            f"WORLD_SIZE is {world} in the environment, but {missing[0]} is not set; start with "
            "torchrun, or unset WORLD_SIZE"
        )
    port = os.environ.get("MASTER_PORT", "1")
    if not port.isdecimal() or not 0 <= int(port[:9]) < 1 << 16:
        raise OptionError(f"MASTER_PORT is {show_value(port)} in the environment, which is no port")


@contextmanager
def _without_mpi() -> Iterator[None]:
    """Hide what mpirun and srun say of their processes, unless torchrun has started this one.

    On a processor accelerate would take each for one of several that train together, and wait for
    the others.
    """
    said = {} if os.environ.get("WORLD_SIZE") else {n: os.environ.get(n) for n in _SIZES_OF_MPI}
    for name in said:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.update({name: value for name, value in said.items() if value is not None})


_SIZES_OF_MPI = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


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
