"""The loop that every trained thing shares, on accelerate.

A training recipe owns its networks, its optimisers and one step; the trainer owns devices,
averages, ticks and saving. Noise, augmentation and data order are functions of (seed, step), so
a run that was killed and resumed is bit-equal to one that was not (on the same machine, with as
many threads and processes).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.errors import Diverged, RunError
from belamy.training.meter import Meter, patient_interrupts
from belamy.training.runs import Run
from belamy.training.state import State, pack, unpack

__all__ = [
    "Backward",
    "Recovering",
    "Rhythm",
    "Tick",
    "Trained",
    "TrainingRecipe",
    "rhythm_for",
    "train",
]

Backward = Callable[[Tensor], None]
Networks = dict[str, nn.Module]


class TrainingRecipe(Protocol):
    """What is trained, and how one step of it goes."""

    networks: Networks
    """Replaced by the trainer with what accelerate makes of them; `step` reads them from here."""
    optimizers: dict[str, torch.optim.Optimizer]
    total: int
    """Steps in all."""
    average: float
    """Decay per step of the networks' moving averages; 0 keeps none."""
    seed: int
    """Of whatever torch's own generators give within a step (dropout)."""
    about: str
    """A line for the user on what will be trained."""
    memory: dict[str, Tensor]
    """What else must survive: tensors on the CPU, changed in place, each process with its own."""
    remarks: list[str]
    """Lines for the user; the next tick takes them."""

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        """Train on batch `index` and give the losses, each a scalar."""

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Measures of the networks (the averages, if there are any) after `step` steps.

        They must be the same in each process.
        """


@runtime_checkable
class Recovering(Protocol):
    """A recipe that can be tried again, once, from the checkpoint before a loss was no number."""

    def recover(self) -> str:
        """Change what shall be tried now, in `memory` alone, after it was put back; in words."""


@dataclass(frozen=True)
class Tick:
    """News of a training.

    Args:
        step: how many are done.
        total: steps in all.
        losses: means over the steps since the last tick, and over the processes.
        measures: of the networks, where they were taken.
        seconds: that the training has taken, those before it was resumed included.
        note: a line for the user, when there is something to say.
    """

    step: int
    total: int
    losses: dict[str, float]
    measures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Trained:
    """What `train` leaves: the averages of the networks, if there are any; their last measures."""

    networks: Networks
    measures: dict[str, float]


@dataclass(frozen=True)
class Rhythm:
    """How often, in steps; measures are taken at ticks."""

    tick: int
    evaluate: int
    save: int

    def __post_init__(self) -> None:
        assert self.evaluate % self.tick == 0
        assert self.save % self.tick == 0


def rhythm_for(total: int) -> Rhythm:
    """A hundred ticks, but one every 50 steps at least; twenty-five checkpoints, but one every 500
    steps at least; eight measurements, each of which costs about as much as 3 % of them: by eye."""
    tick = max(1, min(50, total // 100))
    save, evaluate = min(500.0, total / 25), total / 8
    return Rhythm(tick, *(max(1, round(steps / tick)) * tick for steps in (evaluate, save)))


def train(
    recipe: TrainingRecipe, run: Run, accelerator: Accelerator, rhythm: Rhythm
) -> Generator[Tick, None, Trained]:
    """Train from the run's last checkpoint, or from the start, to the end.

    Yields:
        a `Tick` before the first step, with a note on what will be done; then every
        `rhythm.tick` steps.

    Returns:
        the trained networks and their last measures.

    Raises:
        Diverged: a loss or a weight is no longer a number, and the recipe is not `Recovering`, or
            was tried again already; the last checkpoint stays.
        RunError: the folder is in use, cannot be written, or holds a run of something else.
        KeyboardInterrupt: Ctrl-C; the step under way is finished and saved first.
    """
    with ExitStack() as held:
        if accelerator.is_main_process:
            held.enter_context(run.alone())
        work = _begin(recipe, run, accelerator)
        meter = work.meter
        yield Tick(meter.step, recipe.total, {}, meter.measures, meter.seconds, work.note)
        interrupted = held.enter_context(patient_interrupts())
        while work.meter.step < recipe.total:
            try:
                stop, tick = work.onward(rhythm, interrupted.is_set())
            except Diverged as error:
                work = _again(work, error)
                continue
            if tick is not None:
                yield tick
            if stop and work.meter.step < recipe.total:
                raise KeyboardInterrupt
    return Trained(work.judged, work.meter.measures)


def _due(every: int, step: int, total: int) -> bool:
    """Every so often, and at the end; not shortly before the end too."""
    return step == total or (step % every == 0 and total - step >= every / 2)


@dataclass(frozen=True)
class _Work:
    """A training under way; `bare` are the networks without what accelerate wraps them in."""

    recipe: TrainingRecipe
    run: Run
    accelerator: Accelerator
    bare: Networks
    averages: Networks
    meter: Meter
    note: str
    again: bool = False

    @property
    def judged(self) -> Networks:
        return self.averages or self.bare

    def onward(self, rhythm: Rhythm, interrupted: bool) -> tuple[bool, Tick | None]:
        """One step, and what is due after it; whether to stop."""
        meter, total = self.meter, self.recipe.total
        stop = self.advance(interrupted)
        tick = self.tick(rhythm) if _due(rhythm.tick, meter.step, total) else None
        if stop or _due(rhythm.save, meter.step, total):
            self.save()
        return stop, tick

    def advance(self, interrupted: bool) -> bool:
        """One step; whether to stop after it, which all processes must do at the same one."""
        index = self.meter.step
        with _seeded(self.recipe.seed, index, self.accelerator):
            losses = self.recipe.step(index, self.accelerator.backward)
        _update(self.averages, self.bare, self.recipe.average, index)
        values = [loss.detach().float() for loss in losses.values()]
        flag = torch.tensor(float(interrupted), device=self.accelerator.device)
        *means, stop = self.accelerator.reduce(torch.stack([*values, flag]), "mean").tolist()
        self.meter.add(_finite(dict(zip(losses, means, strict=True)), index + 1))
        return bool(stop > 0)

    def tick(self, rhythm: Rhythm) -> Tick:
        """Measure where that is due, and log."""
        meter, total = self.meter, self.recipe.total
        measures = {}
        if _due(rhythm.evaluate, meter.step, total):
            _agree(self.judged)
            measures = _finite(self.recipe.evaluate(self.judged, meter.step), meter.step)
            meter.measures = measures
        note = "; ".join(self.recipe.remarks)
        self.recipe.remarks.clear()
        tick = Tick(meter.step, total, meter.means(), measures, meter.seconds, note)
        meter.restart()
        if self.accelerator.is_main_process:
            times = {"seconds": round(tick.seconds, 3)}
            said = {"note": note} if note else {}
            self.run.log({"step": tick.step, **tick.losses, **tick.measures, **times, **said})
        return tick

    def save(self) -> None:
        memory = _gathered(self.recipe.memory, self.accelerator)
        tensors, structure = pack(self.bare, self.averages, self.recipe.optimizers)
        tensors.update(memory)
        _check_weights(tensors, self.meter.step)  # in each process, so that all stop
        if self.accelerator.is_main_process:
            own = {"processes": self.accelerator.num_processes, "meter": self.meter.to_json()}
            self.run.save(self.meter.step, (tensors, {**structure, _OWN: own}))
        self.accelerator.wait_for_everyone()


_MEMORY = "memory/"  # before the names of a recipe's memory, among the tensors of a checkpoint
_OWN = "trainer"  # the trainer's own entry in a checkpoint, beside those of the optimisers


def _begin(recipe: TrainingRecipe, run: Run, accelerator: Accelerator) -> _Work:
    """The training as it was saved, or at its start."""
    bare = _prepare(recipe, accelerator)
    averages = _averages(bare) if recipe.average > 0 else {}
    return _restored(_Work(recipe, run, accelerator, bare, averages, Meter(), recipe.about))


def _restored(work: _Work) -> _Work:
    """As the last checkpoint has it, if there is one; the log says nothing of what came after."""
    checkpoint = work.run.newest()
    work.accelerator.wait_for_everyone()  # all have read before one deletes
    step, note, saved = 0, work.note, dict[str, Any]()
    if checkpoint is not None:
        step, saved = checkpoint.step, _own(checkpoint.state, work.accelerator)
        unpack(checkpoint.state, work.bare, work.averages, work.recipe.optimizers)
        _remember(work.recipe.memory, checkpoint.state[0], work.accelerator.process_index)
        note += f"; going on from step {step:,}"
        if checkpoint.damaged:
            note += f" ({', '.join(checkpoint.damaged)} is damaged)"
    history = work.run.history(before=step)
    if work.accelerator.is_main_process:
        work.run.rewind(step)
    return replace(work, meter=Meter.resumed(step, saved, history), note=note)


def _again(work: _Work, error: Diverged) -> _Work:
    """Back at the last checkpoint, to try once more; raises `error` where that cannot be."""
    if work.again or not isinstance(work.recipe, Recovering) or not work.run.steps():
        raise error
    back = replace(_restored(work), again=True)
    cause = str(error).partition(";")[0]
    back.recipe.remarks.append(
        f"{cause}: back to step {back.meter.step:,}, with {work.recipe.recover()}"
    )
    return back


def _prepare(recipe: TrainingRecipe, accelerator: Accelerator) -> Networks:
    """Onto the device, wrapped for many processes where there are many; gives what is wrapped."""
    for name, network in recipe.networks.items():
        recipe.networks[name] = accelerator.prepare_model(network)
    for name, optimizer in recipe.optimizers.items():
        recipe.optimizers[name] = accelerator.prepare_optimizer(optimizer)
    return {name: accelerator.unwrap_model(net) for name, net in recipe.networks.items()}


def _averages(bare: Networks) -> Networks:
    copies = copy.deepcopy(bare)
    return {name: network.eval().requires_grad_(False) for name, network in copies.items()}


def _own(state: State, accelerator: Accelerator) -> dict[str, Any]:
    own: dict[str, Any] = state[1].get(_OWN, {})
    processes = own.get("processes", accelerator.num_processes)
    if processes != accelerator.num_processes:
        raise RunError(
            f"the run was trained by {processes} processes, not by {accelerator.num_processes}; "
            "resume it with as many"
        )
    return dict(own.get("meter", {}))


def _gathered(memory: Mapping[str, Tensor], accelerator: Accelerator) -> dict[str, Tensor]:
    """Every process's memory, (processes, …) under `memory/NAME`."""
    return {
        f"{_MEMORY}{name}": accelerator.gather(tensor[None].to(accelerator.device)).cpu()
        for name, tensor in memory.items()
    }


def _remember(memory: Mapping[str, Tensor], saved: Mapping[str, Tensor], process: int) -> None:
    """Put this process's part of a saved memory back, in place."""
    for name, tensor in memory.items():
        kept = saved.get(f"{_MEMORY}{name}")
        if kept is None or kept.shape[1:] != tensor.shape:
            raise RunError(f"the checkpoint is of another training (no {name}); start a new run")
        tensor.copy_(kept[process])


def _update(averages: Networks, networks: Networks, decay: float, index: int) -> None:
    """average ← decay·average + (1 − decay)·network, with a shorter memory at the start.

    The decay is ramped as (1 + index)/(10 + index), as TensorFlow's moving average does, so that
    the first average is not a stale copy of the random start.
    """
    weight = 1 - min(decay, (1 + index) / (10 + index))
    for name, average in averages.items():
        pairs = zip(
            average.state_dict().values(), networks[name].state_dict().values(), strict=True
        )
        for mine, theirs in pairs:
            if mine.is_floating_point():
                mine.lerp_(theirs, weight)
            else:
                mine.copy_(theirs)


def _agree(networks: Networks) -> None:
    """Give every process the buffers of the first: each batch norm has seen its own pictures."""
    for network in networks.values():
        for buffer in network.buffers():
            broadcast(buffer)


@contextmanager
def _seeded(seed: int, index: int, accelerator: Accelerator) -> Iterator[None]:
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


def _finite(values: dict[str, float], step: int) -> dict[str, float]:
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
