"""A run folder, read: what was asked, what was reported, and its curves."""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from belamy.errors import MissingExtra, RunError
from belamy.pixels.display.tables import format_value, list_values, make_table
from belamy.pixels.images import Picture, load_picture
from belamy.training.run_folder import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RunRecord", "read_run"]

_NO_CURVES = {"step", "seconds"}
_COLUMNS = 3  # of the sheet of curves
_WIDTH, _HEIGHT = 4.0, 2.6  # inches of each of them, by eye
_DPI = 110


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
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.style import context
    except ImportError as error:
        raise MissingExtra("matplotlib", "learn") from error

    columns = min(_COLUMNS, len(curves))
    rows = math.ceil(len(curves) / columns)
    buffer = io.BytesIO()
    with context("default"):  # whatever the user's own settings are
        figure = Figure(figsize=(_WIDTH * columns, _HEIGHT * rows), layout="constrained")
        FigureCanvasAgg(figure)
        for index, (name, points) in enumerate(curves.items(), start=1):
            _draw_curve(figure.add_subplot(rows, columns, index), name, points)
        figure.savefig(buffer, format="png", dpi=_DPI)
    with Image.open(buffer) as drawing:
        return load_picture(drawing.convert("RGB"))


def _draw_curve(axes: Axes, name: str, points: list[tuple[int, float]]) -> None:
    marker = "o" if len(points) == 1 else None  # which would be no line
    axes.plot([step for step, _ in points], [value for _, value in points], marker=marker)
    axes.set_title(name.replace("_", " "), parse_math=False)
    axes.set_xlabel("step")
