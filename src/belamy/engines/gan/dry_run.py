"""A dry run of a GAN's training: what it would take, found out by a few of its steps."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # accelerate's own
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from belamy.devices import choose_precision
from belamy.engines.gan.config import GanConfig
from belamy.engines.gan.task import GanTask
from belamy.engines.gan.train import load_setup
from belamy.training.processes import choose_accelerator

__all__ = ["count_multiply_adds", "dry_run"]


def dry_run(config: GanConfig, device: str) -> dict[str, str]:
    """See `belamy.engines.gan.api.plan_gan`."""
    accelerator = choose_accelerator(device, config.precision)
    setup = load_setup(config)
    with tempfile.TemporaryDirectory() as nowhere:
        task = setup.make_task(Path(nowhere), accelerator)
        plan = {name.replace("_", " "): _show(x) for name, x in dataclasses.asdict(config).items()}
        plan["latent"] = str(task.arguments.latent)
        plan["learning rate"] = f"{task.learning_rate:g}"
        fixed = task.augmentation.fixed
        plan["augmentation"] = "adapting" if fixed is None else f"{fixed:.0%}"
        dtype = choose_precision(config.precision, accelerator.device)
        plan["computed in"] = str(dtype).removeprefix("torch.")
        plan["data found"] = setup.pictures.summary
        for name, network in task.networks.items():
            weights = sum(parameter.numel() for parameter in network.parameters())
            cost = count_multiply_adds(name, network, task) / 1e6
            plan[name] = f"{weights:,} weights, {cost:,.1f} million multiply-adds a picture"
        return plan | _measure(task)


def _show(value: object) -> str:
    return "-" if value is None else str(value)


def count_multiply_adds(name: str, network: nn.Module, task: GanTask) -> float:
    """Of one picture, in one pass forward."""
    device = next(network.parameters()).device
    conditional = bool(task.pictures.label_names)
    label = torch.zeros(2, dtype=torch.int64, device=device) if conditional else None
    size, latent = task.arguments.size, task.arguments.latent
    shape = (2, latent) if name == "generator" else (2, 3, size, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(shape, device=device), label)
    flops_a_picture = float(counter.get_total_flops()) / 2
    return flops_a_picture / 2  # a multiply-add is two


def _measure(task: GanTask) -> dict[str, str]:
    """Time and memory, from a step with the penalty and one without, after a first."""
    accelerator, config = task.accelerator, task.config
    for network in task.networks.values():
        network.to(accelerator.device)
    every = config.penalty_interval
    seconds = []
    for index in (1, 0, 1):  # step 0 has the penalty
        began = time.perf_counter()
        task.step(index, accelerator.backward)
        if accelerator.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    step = (seconds[1] + (every - 1) * seconds[2]) / every
    if accelerator.device.type == "cuda":
        memory, where = torch.cuda.max_memory_allocated(), "of the card"
    else:
        memory, where = psutil.Process().memory_info().rss, "in all"
    hours = step * config.steps / 3600
    return {
        "time": f"{step:.3g} s a step, {step / config.batch:.3g} s a picture, {hours:,.1f} h",
        "memory": f"{memory / 1e6:,.0f} MB {where}",
    }
