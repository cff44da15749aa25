"""The training loop that every trained thing shares, on accelerate.

A task owns its networks, its optimisers and one step; the loop owns devices, moving averages,
progress and checkpoints. Noise, augmentation and data order are functions of (seed, step), so a run
that was killed and resumed is bit-equal to one that was not (on the same machine, with as many
threads and processes).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import Diverged, RunError
from belamy.pixels.display.tables import list_values
from belamy.training.ema import copy_networks, update_ema
from belamy.training.meter import Meter, deferred_interrupts
from belamy.training.run_folder import Run
from belamy.training.state import BUFFERS, LOOP, State, pack, unpack
from belamy.training.task import Networks, Recoverable, TrainingTask

__all__ = ["Intervals", "Trained", "TrainingProgress", "choose_intervals", "is_due", "train"]


@dataclass(frozen=True)
class TrainingProgress:
    """News of a training.

    Args:
        step: how many are done.
        total_steps: steps in all.
        losses: means over the steps since the last report, and over the processes.
        measures: of the networks, where they were taken.
        seconds: that the training has taken, those before it was resumed included.
        note: a line for the user, when there is something to say.
        current: how many are done whenever it is called; of the first news alone.
    """

    step: int
    total_steps: int
    losses: dict[str, float]
    measures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    note: str = ""
    current: Callable[[], int] | None = field(default=None, compare=False, repr=False)

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        steps = f"{self.step:,} of {self.total_steps:,}"
        note = {"note": self.note} if self.note else {}
        return list_values({"step": steps, **self.losses, **self.measures, **note})


@dataclass(frozen=True)
class Trained:
    """What `train` leaves.

    Args:
        networks: their exponential moving averages, if there are any.
        measures: of them, the last that were taken.
        unaveraged: the networks as the last step left them.
    """

    networks: Networks
    measures: dict[str, float]
    unaveraged: Networks


@dataclass(frozen=True)
class Intervals:
    """How often, in steps, a training reports, evaluates (when it reports) and saves."""

    report: int
    evaluate: int
    save: int

    def __post_init__(self) -> None:
        assert self.evaluate % self.report == 0
        assert self.save % self.report == 0

    @classmethod
    def nearest(cls, report: int, evaluate: float, save: float) -> Intervals:
        """Those nearest to what is asked for, in whole reports."""
        return cls(report, *(max(1, round(x / report)) * report for x in (evaluate, save)))


def choose_intervals(total_steps: int) -> Intervals:
    """A hundred reports, but one every 50 steps at least; twenty-five checkpoints, but one every
    500 steps at least; eight evaluations, each of which costs about as much as 3 % of them: by
    eye."""
    report = max(1, min(50, total_steps // 100))
    return Intervals.nearest(report, total_steps / 8, min(500.0, total_steps / 25))


def is_due(every: int, step: int, total_steps: int) -> bool:
    """Every so often, and at the end; not shortly before the end too."""
    return step == total_steps or (step % every == 0 and total_steps - step >= every / 2)


def train(
    task: TrainingTask, run: Run, accelerator: Accelerator, intervals: Intervals
) -> Generator[TrainingProgress, None, Trained]:
    """Train from the run's last checkpoint, or from the start, to the end.

    Yields:
        a `TrainingProgress` before the first step, with a note on what will be done; then every
        `intervals.report` steps.

    Returns:
        the trained networks and their last measures.

    Raises:
        Diverged: a loss or a weight is no longer a number, and the task is not `Recoverable`, or
            was tried again already; the last checkpoint stays.
        RunError: the folder is in use, cannot be written, or holds a run of something else.
        KeyboardInterrupt: Ctrl-C; the step under way is finished and saved first.
    """
    with ExitStack() as held:
        if accelerator.is_main_process:
            held.enter_context(run.lock())
        loop = _start(task, run, accelerator)
        meter = loop.meter
        yield TrainingProgress(
            *(meter.step, task.total_steps, {}, meter.measures, meter.seconds, loop.note),
            current=lambda: loop.meter.step,
        )
        interrupted = held.enter_context(deferred_interrupts())
        while loop.meter.step < task.total_steps:
            try:
                stop, progress = loop.advance(intervals, interrupted.is_set())
            except Diverged as error:
                loop = _retry(loop, error)
                continue
            if progress is not None:
                yield progress
            if stop and loop.meter.step < task.total_steps:
                raise KeyboardInterrupt
    return Trained(loop.evaluated, loop.meter.measures, loop.unwrapped)


@dataclass(frozen=True)
class _Loop:
    """A training under way; `unwrapped` are the networks without what accelerate wraps them in."""

    task: TrainingTask
    run: Run
    accelerator: Accelerator
    unwrapped: Networks
    averages: Networks
    meter: Meter
    note: str
    retried: bool = False

    @property
    def evaluated(self) -> Networks:
        """The networks that are measured, and kept in the end."""
        return self.averages or self.unwrapped

    def advance(
        self, intervals: Intervals, interrupted: bool
    ) -> tuple[bool, TrainingProgress | None]:
        """One step, and what is due after it; whether to stop."""
        meter, total = self.meter, self.task.total_steps
        stop = self.take_step(interrupted)
        progress = self.report(intervals) if is_due(intervals.report, meter.step, total) else None
        if stop or is_due(intervals.save, meter.step, total):
            self.save()
        return stop, progress

    def take_step(self, interrupted: bool) -> bool:
        """One step; whether to stop after it, which all processes must do at the same one."""
        index = self.meter.step
        with _seed_step(self.task.seed, index, self.accelerator):
            losses = self.task.step(index, self.accelerator.backward)
        update_ema(self.averages, self.unwrapped, self.task.ema_decay, index)
        values = [loss.detach().float() for loss in losses.values()]
        flag = torch.tensor(float(interrupted), device=self.accelerator.device)
        *means, stop = self.accelerator.reduce(torch.stack([*values, flag]), "mean").tolist()
        self.meter.add(_check_finite(dict(zip(losses, means, strict=True)), index + 1))
        return bool(stop > 0)

    def report(self, intervals: Intervals) -> TrainingProgress:
        """Measure where that is due, and log."""
        meter, total = self.meter, self.task.total_steps
        measures = {}
        if is_due(intervals.evaluate, meter.step, total):
            _share_buffers(self.evaluated)
            measures = _check_finite(self.task.evaluate(self.evaluated, meter.step), meter.step)
            meter.measures = measures
        note = "; ".join(self.task.messages)
        self.task.messages.clear()
        losses, seconds = meter.means(), meter.seconds
        progress = TrainingProgress(meter.step, total, losses, measures, seconds, note)
        meter.restart()
        if self.accelerator.is_main_process:
            rest: dict[str, Any] = {
                "seconds": round(seconds, 3),
                **({"note": note} if note else {}),
            }
            self.run.log({"step": progress.step, **losses, **measures, **rest})
        return progress

    def save(self) -> None:
        """Write a checkpoint, once all its weights are known to be numbers."""
        buffers = _gather_buffers(self.task.buffers, self.accelerator)
        tensors, structure = pack(self.unwrapped, self.averages, self.task.optimizers)
        tensors.update(buffers)
        _check_weights(tensors, self.meter.step)  # in each process, so that all stop
        if self.accelerator.is_main_process:
            own = {"processes": self.accelerator.num_processes, "meter": self.meter.to_json()}
            self.run.save(self.meter.step, (tensors, {**structure, LOOP: own}))
        self.accelerator.wait_for_everyone()


def _start(task: TrainingTask, run: Run, accelerator: Accelerator) -> _Loop:
    """The training as it was saved, or at its start."""
    unwrapped = _prepare(task, accelerator)
    averages = copy_networks(unwrapped) if task.ema_decay > 0 else {}
    return _restore(_Loop(task, run, accelerator, unwrapped, averages, Meter(), task.summary))


def _restore(loop: _Loop) -> _Loop:
    """As the last checkpoint has it, if there is one; the log says nothing of what came after."""
    checkpoint = loop.run.load_newest()
    loop.accelerator.wait_for_everyone()  # all have read before one deletes
    step, note, saved = 0, loop.note, dict[str, Any]()
    if checkpoint is not None:
        step, saved = checkpoint.step, _read_meter(checkpoint.state, loop.accelerator)
        unpack(checkpoint.state, loop.unwrapped, loop.averages, loop.task.optimizers)
        _fill_buffers(loop.task.buffers, checkpoint.state[0], loop.accelerator.process_index)
        note += f"; going on from step {step:,}"
        if checkpoint.damaged:
            note += f" ({', '.join(checkpoint.damaged)} is damaged)"
    history = loop.run.history(before=step)
    if loop.accelerator.is_main_process:
        loop.run.rewind(step)
    return replace(loop, meter=Meter.resume(step, saved, history), note=note)


def _retry(loop: _Loop, error: Diverged) -> _Loop:
    """Back at the last checkpoint, to try once more; raises `error` where that cannot be."""
    if loop.retried or not isinstance(loop.task, Recoverable) or not loop.run.saved_steps():
        raise error
    back = replace(_restore(loop), retried=True)
    cause = str(error).partition(";")[0]
    back.task.messages.append(
        f"{cause}: back to step {back.meter.step:,}, with {loop.task.recover()}"
    )
    return back


def _prepare(task: TrainingTask, accelerator: Accelerator) -> Networks:
    """Onto the device, wrapped for many processes where there are many; gives what is wrapped."""
    for name, network in task.networks.items():
        task.networks[name] = accelerator.prepare_model(network)
    for name, optimizer in task.optimizers.items():
        task.optimizers[name] = accelerator.prepare_optimizer(optimizer)
    return {name: accelerator.unwrap_model(net) for name, net in task.networks.items()}


def _read_meter(state: State, accelerator: Accelerator) -> dict[str, Any]:
    """What the meter had counted; refuses another number of processes."""
    own: dict[str, Any] = state[1].get(LOOP, {})
    processes = own.get("processes", accelerator.num_processes)
    if processes != accelerator.num_processes:
        raise RunError(
            f"the run was trained by {processes} processes, not by {accelerator.num_processes}; "
            "resume it with as many"
        )
    return dict(own.get("meter", {}))


def _gather_buffers(buffers: Mapping[str, Tensor], accelerator: Accelerator) -> dict[str, Tensor]:
    """Every process's buffers, (processes, …) each, by their names in a checkpoint."""
    return {
        f"{BUFFERS}/{name}": accelerator.gather(tensor[None].to(accelerator.device)).cpu()
        for name, tensor in buffers.items()
    }


def _fill_buffers(buffers: Mapping[str, Tensor], saved: Mapping[str, Tensor], rank: int) -> None:
    """Put this process's part of the saved buffers back, in place."""
    for name, tensor in buffers.items():
        kept = saved.get(f"{BUFFERS}/{name}")
        if kept is None or kept.shape[1:] != tensor.shape:
            raise RunError(f"the checkpoint is of another training (no {name}); start a new run")
        tensor.copy_(kept[rank])


def _share_buffers(networks: Networks) -> None:
    """Give every process the networks' buffers of the first: each batch norm has seen pictures of
    its own."""
    for network in networks.values():
        for buffer in network.buffers():
            broadcast(buffer)


@contextmanager
def _seed_step(seed: int, index: int, accelerator: Accelerator) -> Iterator[None]:
    """Torch's own generators (dropout's) made a function of seed and step, and put back after.

    On CUDA, cuDNN is told to choose algorithms that add in a fixed order.
    """
    device = accelerator.device
    cards = [device] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(cards),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
    ):
        torch.manual_seed(make_rng(seed, "step", index, accelerator.process_index).initial_seed())
        yield


def _check_finite(values: dict[str, float], step: int) -> dict[str, float]:
    for name, value in values.items():
        if not math.isfinite(value):
            raise Diverged(
                f"{name} is {value} at step {step}; start a new run with a lower learning rate"
            )
    return values


def _check_weights(tensors: Mapping[str, Tensor], step: int) -> None:
    """A loss can still be a number when the step after it has spoilt the weights."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise Diverged(
                f"{name} holds values that are no numbers after step {step}; "
                "start a new run with a lower learning rate"
            )
