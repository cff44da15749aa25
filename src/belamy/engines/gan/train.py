"""From a configuration to a generator of pictures, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator

from belamy.engines.gan.config import GanConfig
from belamy.engines.gan.dataset import Pictures, load_pictures
from belamy.engines.gan.networks import (
    GanNetworks,
    adopt_start,
    build_networks,
    check_size,
    freeze_layers,
    load_average,
    save_generator,
    save_networks,
    start_from,
)
from belamy.engines.gan.task import GanTask
from belamy.errors import RunError
from belamy.files import printable, write_text
from belamy.networks.find import IN_RUN
from belamy.pixels.film.save import save_video
from belamy.pixels.images import load_image
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.tensorboard import open_board
from belamy.training.trainer import Intervals, Trained, TrainingProgress

__all__ = ["RUN_TYPE", "GanSetup", "choose_intervals", "export", "load_setup", "train"]

RUN_TYPE = "gan"  # of the run, in its config.json
FILM = "progress.gif"
LEFT_OUT = "left-out.txt"
_FPS = 12.0
_LAST = 24  # frames for which the film rests on its end


@dataclass(frozen=True)
class GanSetup:
    """What a training is made of, before there is a run folder."""

    config: GanConfig
    pictures: Pictures
    networks: GanNetworks

    def make_task(self, samples: Path, accelerator: Accelerator) -> GanTask:
        """The task, which draws its samples into a folder."""
        return GanTask(self.config, self.pictures, self.networks, samples, accelerator)


def load_setup(config: GanConfig, *, resumed: bool = False) -> GanSetup:
    """Read the pictures, and build the networks or start them from a file.

    Args:
        config: what to train.
        resumed: whether a checkpoint will fill the networks, so that what they started from is not
            asked for again; it may be gone.
    """
    check_size(config)  # before pictures are read
    config = adopt_start(config, resumed=resumed)
    pictures = load_pictures(config)
    networks = build_networks(config, pictures.label_names)
    if config.start is not None and not resumed:
        start_from(networks, config)
    freeze_layers(networks.discriminator, config.freeze_discriminator)
    return GanSetup(config, pictures, networks)


def train(config: GanConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.gan.api.train_gan`."""
    resumed = bool(Run(folder).saved_steps())
    config = adopt_start(config, resumed=resumed)

    def load_data(config: GanConfig, accelerator: Accelerator) -> GanSetup:
        return load_setup(config, resumed=resumed)

    training = Training(RUN_TYPE, load_data, _make_task, _save, choose_intervals, open_board)
    return run_training(training, config, folder, device, precision=config.precision)


def choose_intervals(total_steps: int) -> Intervals:
    """A hundred reports, but one every 50 steps at least; sixty looks at the samples; a checkpoint
    every 500 steps at least: by eye."""
    report = max(1, min(50, total_steps // 100))
    return Intervals.nearest(report, total_steps / 60, min(500.0, total_steps / 12))


def _make_task(config: GanConfig, setup: GanSetup, run: Run, accelerator: Accelerator) -> GanTask:
    if accelerator.is_main_process:
        _list_left_out(run.folder, setup.pictures.left_out)
    return setup.make_task(run.samples, accelerator)


def _list_left_out(folder: Path, left_out: Mapping[str, str]) -> None:
    """Every picture that is not learned from, and why: a line of `left-out.txt` each."""
    if left_out:
        lines = [f"{why}\t{printable(name)}\n" for name, why in left_out.items()]
        write_text(folder / LEFT_OUT, "".join(lines))


def _save(config: GanConfig, setup: GanSetup, run: Run, trained: Trained) -> None:
    measures = {name: f"{value:.4f}" for name, value in trained.measures.items()}
    notes = {**measures, "steps": str(config.steps)}
    average, arguments = trained.networks["generator"], setup.networks.arguments
    save_networks(run.folder, config, average, trained.unaveraged, notes, arguments)
    _save_film(run)


def _save_film(run: Run) -> None:
    """The samples, one after another: how it learned to paint."""
    paths = sorted(run.samples.glob("step-*.png"))
    if len(paths) < 2:
        return
    ending = [paths[-1]] * _LAST
    save_video((load_image(path) for path in [*paths, *ending]), run.folder / FILM, fps=_FPS)


def export(folder: Path, output: Path | None) -> Path:
    """See `belamy.engines.gan.api.export_gan`."""
    run = Run(folder)
    config = run.load_config(RUN_TYPE, GanConfig)
    checkpoint = run.load_newest()
    if checkpoint is None:
        raise RunError(f"{folder} has saved no checkpoint yet; train on")
    label_names = load_pictures(config).label_names if config.labels else ()
    generator = load_average(config, label_names, checkpoint.state[0], folder)
    path = output or folder / IN_RUN
    save_generator(path, config, generator, {"steps": str(checkpoint.step)})
    return path
