"""From a configuration to a generator of pictures, in a run folder."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import make_rng as chance
from belamy.engines.gan.api import GanConfig
from belamy.engines.gan.dataset import Pictures, load_pictures
from belamy.engines.gan.task import GanTask, Pair
from belamy.errors import OptionError, RunError, WeightsError
from belamy.files import write_text
from belamy.networks.files.network_file import fill_network, join_states, save_network_file
from belamy.networks.find import IN_RUN, find_network, open_network
from belamy.networks.gan.generator import GeneratorArguments, discriminator_layers
from belamy.networks.registry import (
    build_discriminator,
    build_generator,
    embedded_names,
    find_gan,
)
from belamy.pixels.images import load_image
from belamy.pixels.video import save_video
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.tensorboard import open_board
from belamy.training.trainer import Intervals, Trained, TrainingProgress

__all__ = ["RUN_TYPE", "Parts", "choose_intervals", "export", "train"]

RUN_TYPE = "gan"  # of the run, in its config.json
FURTHER, FILM = "network-training.safetensors", "progress.gif"
LIST = "left-out.txt"
_FPS = 12.0
_LAST = 24  # frames for which the film rests on its end
_BEFORE = "before averaging"  # names of the generator's own weights, in a file to go on from
_DISCRIMINATOR = "discriminator"


class Parts:
    """What a training is made of, before there is a run folder.

    Args:
        config: what to train.
        accelerator: where.
        resumed: whether a checkpoint will fill the networks, so that what they started from is not
            asked for again; it may be gone.
    """

    def __init__(
        self, config: GanConfig, accelerator: Accelerator, *, resumed: bool = False
    ) -> None:
        known = find_gan(config.architecture)
        if config.size not in known.sizes:
            sizes = ", ".join(map(str, known.sizes))
            raise OptionError(f"{config.architecture} paints {sizes} px, not {config.size}")
        self.config, self.accelerator = config, accelerator
        self.pictures: Pictures = load_pictures(config)
        latent = config.latent or known.latent
        self.shape = GeneratorArguments(config.size, latent, config.width, self.pictures.kinds)
        self.pair = _pair(config, self.shape)
        if config.start is not None and not resumed:
            _start(self.pair, config, self.shape)

    def make_task(self, samples: Path) -> GanTask:
        """The task, which draws its samples into a folder."""
        levels = discriminator_layers(self.pair[1])
        count = self.config.freeze_discriminator
        if count >= len(levels):
            raise OptionError(
                f"freeze discriminator is {count}; it must be below {len(levels)}, all its levels"
            )
        return GanTask(
            self.config,
            self.pictures,
            self.pair,
            self.shape,
            levels[:count],
            samples,
            self.accelerator,
        )


def _make_task(config: GanConfig, parts: Parts, run: Run, accelerator: Accelerator) -> GanTask:
    if accelerator.is_main_process:
        _list_left_out(run.folder, parts.pictures.left_out)
    return parts.make_task(run.samples)


def _save(config: GanConfig, parts: Parts, run: Run, trained: Trained) -> None:
    measures = {name: f"{value:.4f}" for name, value in trained.measures.items()}
    average, notes = trained.networks["generator"], {**measures, "steps": str(config.steps)}
    _write(run.folder, config, parts.shape, average, trained.unaveraged, notes)
    _film(run)


def train(config: GanConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.gan.api.train_gan`."""
    load_parts = functools.partial(Parts, resumed=bool(Run(folder).saved_steps()))
    training = Training(RUN_TYPE, load_parts, _make_task, _save, choose_intervals, open_board)
    return run_training(training, config, folder, device, precision=config.precision)


def _list_left_out(folder: Path, left_out: Mapping[str, str]) -> None:
    """Every picture that is not learned from, and why: a line of `left-out.txt` each."""
    if left_out:
        lines = [f"{why}\t{name}\n" for name, why in left_out.items()]
        write_text(folder / LIST, "".join(lines))


def choose_intervals(total_steps: int) -> Intervals:
    """A hundred reports, but one every 50 steps at least; sixty looks at the samples; a checkpoint
    every 500 steps at least: by eye."""
    report = max(1, min(50, total_steps // 100))
    return Intervals.nearest(report, total_steps / 60, min(500.0, total_steps / 12))


def _pair(config: GanConfig, shape: GeneratorArguments) -> Pair:
    """New networks."""
    with torch.random.fork_rng([]):
        torch.manual_seed(chance(config.seed, "weights").initial_seed())
        pair = (
            build_generator(config.architecture, shape),
            build_discriminator(config.architecture, shape),
        )
    return pair


def _start(pair: Pair, config: GanConfig, shape: GeneratorArguments) -> None:
    """Fill both from a file; what a file to paint with lacks (the critic) stays new."""
    assert config.start is not None
    path = Path(config.start).expanduser()
    if config.start in embedded_names("generator"):
        path = find_network(config.start, "generator")
    elif path.is_dir():
        path = path / FURTHER
    with open_network(path, "generator") as file:
        name = file.network
        states = {word: file.state(word) for word in ("", _BEFORE, _DISCRIMINATOR)}
        with file.describing():
            own = GeneratorArguments(**file.arguments)
    if (name, own) != (config.architecture, shape):
        kinds = f" of {', '.join(own.labels)}" if own.labels else ""
        raise WeightsError(
            f"{path} is a {name} of {own.size} px, latent {own.latent}, width {own.width:g}{kinds};"
            " ask for the same to go on from it"
        )
    if config.freeze_discriminator and not states[_DISCRIMINATOR]:
        raise WeightsError(f"{path} has no discriminator to freeze; start from the run's {FURTHER}")
    fill_network(pair[0], states[_BEFORE] or states[""], path, name)
    if states[_DISCRIMINATOR]:
        fill_network(pair[1], states[_DISCRIMINATOR], path, name)


def _under(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: x for key, x in state.items() if key.startswith(prefix)}


def _save_generator(
    path: Path,
    config: GanConfig,
    arguments: GeneratorArguments,
    tensors: Mapping[str, Tensor],
    notes: Mapping[str, str],
    *,
    half: bool,
) -> None:
    save_network_file(
        path,
        tensors,
        network=config.architecture,
        arguments=asdict(arguments),
        trained_on=Path(config.data).name,
        metadata={**notes, "loss": config.loss},
        half=half,
    )


def _write(
    folder: Path,
    config: GanConfig,
    arguments: GeneratorArguments,
    average: nn.Module,
    unaveraged: Mapping[str, nn.Module],
    notes: Mapping[str, str],
) -> None:
    """The generator to paint with, and both networks to go on from."""
    state = average.state_dict()
    _save_generator(folder / IN_RUN, config, arguments, state, notes, half=True)
    both = {_BEFORE: unaveraged["generator"], _DISCRIMINATOR: unaveraged["discriminator"]}
    tensors = {**state, **join_states(both)}
    _save_generator(folder / FURTHER, config, arguments, tensors, notes, half=False)


def export(folder: Path, output: Path | None) -> Path:
    """See `belamy.engines.gan.api.export_gan`."""
    run = Run(folder)
    config = run.load_config(RUN_TYPE, GanConfig)
    checkpoint = run.load_newest()
    if checkpoint is None:
        raise RunError(f"{folder} has saved no checkpoint yet; train on")
    state = _under(checkpoint.state[0], "average/generator/")
    kinds = load_pictures(config).kinds if config.labels else ()
    latent = config.latent or find_gan(config.architecture).latent
    shape = GeneratorArguments(config.size, latent, config.width, kinds)
    made = build_generator(config.architecture, shape)
    fill_network(made, state, folder, config.architecture)
    path = output or folder / IN_RUN
    notes = {"steps": str(checkpoint.step)}
    _save_generator(path, config, shape, made.state_dict(), notes, half=True)
    return path


def _film(run: Run) -> None:
    """The samples, one after another: how it learned to paint."""
    paths = sorted(run.samples.glob("step-*.png"))
    if len(paths) < 2:
        return
    ending = [paths[-1]] * _LAST
    save_video((load_image(path) for path in [*paths, *ending]), run.folder / FILM, fps=_FPS)
