"""A run folder, read: what was asked, what was reported, and its curves."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from belamy.errors import RunError
from belamy.pixels.display.plots import draw_plots
from belamy.pixels.display.tables import format_value, list_values, make_table
from belamy.pixels.images import Picture
from belamy.training.run_folder import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RunRecord", "read_run"]

_NO_CURVES = {"step", "seconds"}


@dataclass(frozen=True, repr=False)
class RunRecord:
    """What a run folder says of its training.

    Args:
        folder: where it is.
        run_type: which training it is: gan, translate, classify …
        config: every option of it, by the names of today.
        log: its reports in order, each with its `step`, `seconds`, losses and, where they were
            taken, measures.
    """

    folder: Path
    run_type: str
    config: dict[str, Any] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)

    @property
    def curves(self) -> dict[str, list[tuple[int, float]]]:
        """Name of a loss or a measure → (step, value) of the reports that have it."""
        curves: dict[str, list[tuple[int, float]]] = {}
        for record in self.log:
            for name, value in record.items():
                if name not in _NO_CURVES and _is_finite_number(value):
                    curves.setdefault(name, []).append((record["step"], float(value)))
        return curves

    def plot(self) -> Picture:
        """Its losses and measures over the steps, a small plot for each.

        Raises:
            RunError: nothing was reported yet.
            MissingExtra: matplotlib is not installed.
        """
        curves = self.curves
        if not curves:
            raise RunError(f"{self.folder} has reported nothing yet; train on, then plot it")
        return _draw_curves(curves)

    def __repr__(self) -> str:
        reports = f"{len(self.log)} report{'' if len(self.log) == 1 else 's'}"
        step = self.log[-1]["step"] if self.log else 0
        return f"RunRecord({self.run_type}, {reports}, step {step:,}, {str(self.folder)!r})"

    def _repr_html_(self) -> str:
        """What Jupyter shows: the first, middle and last values of each curve, and the options."""
        rows = [
            (name, *(format_value(points[at][1]) for at in (0, len(points) // 2, -1)))
            for name, points in self.curves.items()
        ]
        curves = make_table(("", "first", "middle", "last"), rows) if rows else ""
        return curves + list_values(self.config)


def read_run(folder: str | os.PathLike[str]) -> RunRecord:
    """Read what a run folder says of its training, whether it is done, stopped or under way.

    Args:
        folder: made by `belamy.train_gan` and the other trainings, or on the command line.

    Raises:
        RunError: it is not a run folder, or one of another version of belamy.
    """
    run = Run(Path(folder))
    config = run.load_config(run.run_type, _keep_options)
    return RunRecord(run.folder, run.run_type, config, run.history())


def _keep_options(**options: Any) -> Any:
    """The form of every configuration."""
    return options


def _is_finite_number(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (isinstance(value, float) and math.isfinite(value))


def _draw_curves(curves: dict[str, list[tuple[int, float]]]) -> Picture:
    return draw_plots({name: partial(_draw_curve, points=curve) for name, curve in curves.items()})


def _draw_curve(axes: Axes, points: list[tuple[int, float]]) -> None:
    marker = "o" if len(points) == 1 else None  # which would be no line
    axes.plot([step for step, _ in points], [value for _, value in points], marker=marker)
    axes.set_xlabel("step")
