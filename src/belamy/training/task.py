"""What a training loop runs: a task owns its networks, its optimisers and one step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from torch import Tensor, nn

__all__ = ["Backward", "Networks", "Recoverable", "TrainingTask"]

Backward = Callable[[Tensor], None]
Networks = dict[str, nn.Module]


class TrainingTask(ABC):
    """Networks, optimisers, and how one step and one evaluation go.

    The loop owns devices, moving averages, the log and checkpoints; a task owns the rest, and fills
    `networks`, `optimizers`, `buffers` and `summary` when it is made.

    Args:
        accelerator: where it is trained.
        total_steps: how many steps there are in all.
        ema_decay: decay per step of the networks' exponential moving averages; 0 keeps none.
        seed: of all that is random, in torch's own generators within a step (dropout) too.

    Attributes:
        rank, world_size: which process this is, and of how many.
        networks: replaced by the loop with what accelerate makes of them; `step` reads them here.
        optimizers: likewise.
        buffers: what else must survive in a checkpoint: tensors on the CPU, changed in place, each
            process with its own.
        messages: lines for the user; the next report takes them.
        summary: a line for the user on what will be trained.
    """

    def __init__(
        self, accelerator: Accelerator, *, total_steps: int, ema_decay: float, seed: int
    ) -> None:
        self.accelerator = accelerator
        self.rank, self.world_size = accelerator.process_index, accelerator.num_processes
        self.total_steps, self.ema_decay, self.seed = total_steps, ema_decay, seed
        self.networks: Networks = {}
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.buffers: dict[str, Tensor] = {}
        self.messages: list[str] = []
        self.summary = ""

    @abstractmethod
    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        """Train on batch `index` and give the losses, each a scalar."""

    @abstractmethod
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Measures of the networks (the averages, if there are any) after `step` steps.

        They must be the same in each process.
        """

    def unwrap(self, name: str) -> nn.Module:
        """A network without what accelerate wraps it in, which takes one pass a step only."""
        network: nn.Module = self.accelerator.unwrap_model(self.networks[name])
        return network


@runtime_checkable
class Recoverable(Protocol):
    """A task that can be tried again, once, from the checkpoint before a loss was no number."""

    def recover(self) -> str:
        """Change what shall be tried now, in `buffers` alone, after it was put back; in words."""
