"""A network while it learns: what each neuron sees, what all of them decide, how the loss falls."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from belamy.basics.drawings.style import BLUE, CLASSES, GREY, INK, OCHRE, PAPER, RED, bare, sheet
from belamy.basics.mlp import Array, Network, forward
from belamy.basics.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

__all__ = ["Moment", "draw_mlp"]

_NEURONS = 8  # of a level that are drawn
_COARSE, _FINE = 40, 240  # pixels of a neuron's map, and of the decision


@dataclass(frozen=True)
class Moment:
    """The network at one time.

    Args:
        network: as it was then.
        losses: so far, before the first epoch and after each: of what it learns from, of the rest.
        right: the part of the held out points that it names rightly.
        epochs: how many there will be.
    """

    network: Network
    losses: Array
    right: float
    epochs: int

    @classmethod
    def of(
        cls, network: Network, losses: list[tuple[float, float]], right: float, epochs: int
    ) -> Moment:
        """Copies, since the network goes on learning."""
        return cls(copy.deepcopy(network), np.array(losses), right, epochs)


def draw_mlp(moment: Moment, points: Array, labels: Array, say: Texts) -> Figure:
    """The network, its decision among the points (N, 2) with labels 0 and 1, and its losses."""
    epoch = len(moment.losses) - 1
    figure, axes = sheet(
        say("mlp.title"),
        say("mlp.remark", epoch=epoch, right=moment.right),
        [["neurons", "plane", "losses"]],
        widths=[1.25, 1.35, 0.8],
        left=0.04,
        wspace=0.16,
        bottom=0.12,
    )
    reach = 1.1 * max(1.0, float(np.abs(points).max()))
    _neurons(axes["neurons"], moment.network, reach)
    _plane(axes["plane"], moment.network, points, labels, reach)
    _losses(axes["losses"], moment, say)
    return figure


def _colours() -> LinearSegmentedColormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("classes", [CLASSES[0], "#f3efe6", CLASSES[1]])


def _grid(reach: float, pixels: int) -> Array:
    ticks = np.linspace(-reach, reach, pixels)
    x, y = np.meshgrid(ticks, ticks)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _neurons(axes: Axes, network: Network, reach: float) -> None:
    """Every neuron as the map of where in the plane it is active; every weight as a line."""
    bare(axes)
    _, traces = forward(network, _grid(reach, _COARSE))
    maps = [trace.inputs.T for trace in traces]  # the inputs, then each hidden level
    columns = [_heights(len(level)) for level in maps]
    step, half = 1.0 / max(len(maps) - 1, 1), 0.046
    for column, level in enumerate(network[:-1]):
        for source, low in enumerate(columns[column]):
            for target, high in enumerate(columns[column + 1]):
                weight = level.weights[source, target]
                axes.plot(
                    ((column * step) + half, (column + 1) * step - half),
                    (low, high),
                    color=BLUE if weight < 0 else RED,
                    lw=min(4.0, 1.6 * abs(weight)),
                    alpha=0.45,
                    zorder=1,
                )
    colours = _colours()
    for column, (level_maps, heights) in enumerate(zip(maps, columns, strict=True)):
        for values, height in zip(level_maps, heights, strict=False):
            largest = float(np.abs(values).max()) or 1.0
            box = (column * step - half, column * step + half, height - half, height + half)
            axes.imshow(
                values.reshape(_COARSE, _COARSE),
                extent=box,
                origin="lower",
                cmap=colours,
                vmin=-largest,
                vmax=largest,
                zorder=2,
            )
            axes.plot(
                np.array(box)[[0, 1, 1, 0, 0]], np.array(box)[[2, 2, 3, 3, 2]], color=INK, lw=1.2
            )
    axes.set(xlim=(-0.06, 1.06), ylim=(-0.06, 1.06))


def _heights(neurons: int) -> Array:
    """Where the neurons of a level stand, from the top; not all of a large one."""
    shown = min(neurons, _NEURONS)
    return 0.5 + 0.13 * ((shown - 1) / 2 - np.arange(shown))


def _plane(axes: Axes, network: Network, points: Array, labels: Array, reach: float) -> None:
    outputs, _ = forward(network, _grid(reach, _FINE))
    sure = np.tanh(outputs / 2).reshape(_FINE, _FINE)  # 2 × probability − 1
    box = (-reach, reach, -reach, reach)
    axes.imshow(sure, extent=box, origin="lower", cmap=_colours(), vmin=-1.25, vmax=1.25)
    ticks = np.linspace(-reach, reach, _FINE)
    if sure.min() < 0 < sure.max():
        axes.contour(ticks, ticks, sure, levels=[0.0], colors=[INK], linewidths=2.5)
    for label, colour in enumerate(CLASSES):
        chosen = points[labels == label]
        axes.scatter(*chosen.T, s=26, color=colour, edgecolors="white", linewidths=0.7, zorder=3)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=(), yticks=())
    axes.spines[["left", "bottom"]].set_visible(False)


def _losses(axes: Axes, moment: Moment, say: Texts) -> None:
    epochs = np.arange(len(moment.losses))
    axes.plot(epochs, moment.losses[:, 1], color=OCHRE, label=say("mlp.other"))
    axes.plot(epochs, moment.losses[:, 0], color=INK, label=say("mlp.learned"))
    axes.plot(epochs[-1:], moment.losses[-1:, 0], "o", color=INK, ms=8)
    axes.set_title(say("mlp.losses"))
    axes.set_xlabel(say("mlp.epochs"))
    axes.set_xlim(-0.02 * moment.epochs, 1.02 * moment.epochs)
    axes.set_ylim(0, 1.05 * float(moment.losses.max()))
    axes.legend(loc="upper right")
    axes.tick_params(colors=GREY)
    axes.set_facecolor(PAPER)
