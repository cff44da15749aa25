"""What a GAN's training would take, found out by a few of its steps."""

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
from belamy.engines.gan.api import GanConfig
from belamy.engines.gan.task import GanRecipe
from belamy.engines.gan.train import Parts
from belamy.training.processes import accelerator_for

__all__ = ["multiply_adds", "plan"]


def plan(config: GanConfig, device: str) -> dict[str, str]:
    """See `belamy.engines.gan.api.plan_gan`."""
    accelerator = accelerator_for(device, config.precision)
    parts = Parts(config, accelerator)
    with tempfile.TemporaryDirectory() as nowhere:
        recipe = parts.recipe(Path(nowhere))
        found = {name.replace("_", " "): _said(x) for name, x in dataclasses.asdict(config).items()}
        found["latent"] = str(parts.shape.latent)
        found["learning rate"] = f"{recipe.rate:g}"
        found["changes"] = (
            "adapting" if recipe.fixed_chance is None else f"{recipe.fixed_chance:.0%}"
        )
        numbers = choose_precision(config.precision, accelerator.device)
        found["computed in"] = str(numbers).removeprefix("torch.")
        found["data found"] = parts.pictures.found
        for name, network in recipe.networks.items():
            weights = sum(parameter.numel() for parameter in network.parameters())
            cost = multiply_adds(name, network, recipe) / 1e6
            found[name] = f"{weights:,} weights, {cost:,.1f} million multiply-adds a picture"
        return found | _measured(recipe)


def _said(value: object) -> str:
    return "-" if value is None else str(value)


def multiply_adds(name: str, network: nn.Module, recipe: GanRecipe) -> float:
    """Of one picture, in one pass forward."""
    place = next(network.parameters()).device
    labelled = bool(recipe.pictures.kinds)
    label = torch.zeros(2, dtype=torch.int64, device=place) if labelled else None
    size, latent = recipe.shape.size, recipe.shape.latent
    given = (2, latent) if name == "generator" else (2, 3, size, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(given, device=place), label)
    return (
        float(counter.get_total_flops()) / 2 / 2
    )  # a multiply-add is two; there were two pictures


def _measured(recipe: GanRecipe) -> dict[str, str]:
    """Time and memory, from a step with the penalty of slopes and one without, after a first."""
    accelerator, config = recipe.accelerator, recipe.config
    for network in recipe.networks.values():
        network.to(accelerator.device)
    every = config.interval
    seconds = []
    for index in (1, 0, 1):  # step 0 has the penalty
        began = time.perf_counter()
        recipe.step(index, accelerator.backward)
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
