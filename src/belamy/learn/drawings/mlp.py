"""A network while it learns: what each neuron sees, what all of them decide, how the loss falls."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from belamy.basics.mlp import LOSSES, Array, Network, forward
from belamy.learn.drawings.style import CLASSES, INK, OCHRE, hide_frame, sheet
from belamy.learn.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

__all__ = ["Snapshot", "draw_mlp"]

_NEURONS = 8  # of a layer that are drawn
_COARSE, _FINE = 40, 240  # pixels of a neuron's map, and of the decision
_HALF = 0.046  # of a map's side; the drawing of the network is 1 wide and high


@dataclass(frozen=True)
class Snapshot:
    """How a network stands while it learns.

    Args:
        network: as it is; `copy` makes a copy, since it goes on learning.
        losses: before the first epoch and after each: of what it learns from, of what is held out.
        right: how many of the points held out it names rightly.
        epochs: how many there will be.
    """

    network: Network
    losses: tuple[tuple[float, float], ...]
    right: int
    epochs: int

    def next(self, seen: tuple[Array, Array], held_out: tuple[Array, Array]) -> Snapshot:
        """The next snapshot: the network measured on points (N, 2) with labels (N,), 0 or 1."""
        outputs = [forward(self.network, points)[0] for points, _ in (seen, held_out)]
        labels = [labels[:, None] for _, labels in (seen, held_out)]
        loss, other = map(LOSSES["logistic"].value, outputs, labels)
        right = int(np.sum((outputs[1] > 0) == (labels[1] == 1)))
        return replace(self, losses=(*self.losses, (loss, other)), right=right)

    def copy(self) -> Snapshot:
        """This snapshot for good, since the network goes on learning."""
        return replace(self, network=copy.deepcopy(self.network))


def draw_mlp(snapshot: Snapshot, points: Array, labels: Array, say: Texts) -> Figure:
    """The network, its decision among the points (N, 2) with labels 0 and 1, and its losses."""
    epoch = len(snapshot.losses) - 1
    figure, axes = sheet(
        say("mlp.title"),
        say("mlp.remark", epoch=epoch, right=snapshot.right, count=len(points)),
        [["neurons", "plane", "losses"]],
        widths=[1.3, 1.35, 0.8],
        left=0.04,
        wspace=0.16,
        bottom=0.12,
    )
    reach = 1.1 * max(1.0, float(np.abs(points).max()))
    _neurons(axes["neurons"], snapshot.network, reach)
    _plane(axes["plane"], snapshot.network, points, labels, reach)
    _losses(axes["losses"], snapshot, say)
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
    hide_frame(axes)
    _, traces = forward(network, _grid(reach, _COARSE))
    maps = [trace.inputs.T for trace in traces]  # of the inputs, then of each hidden layer
    positions = [
        [(column / len(maps), height) for height in _heights(len(layer))]
        for column, layer in enumerate(maps)
    ]
    positions.append([(1.0, 0.5)])  # the output: the plane beside
    for layer, starts, ends in zip(network, positions, positions[1:], strict=False):
        for (source, start), (target, end) in itertools.product(enumerate(starts), enumerate(ends)):
            _weight(axes, start, end, layer.weights[source, target])
    for centres, values in zip(positions, maps, strict=False):
        for centre, one in zip(centres, values, strict=False):
            _map(axes, centre, one)
    axes.set(xlim=(-0.06, 1.0), ylim=(-0.03, 1.03))


def _weight(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], weight: float
) -> None:
    colour = CLASSES[int(weight > 0)]
    width = min(4.0, 1.6 * abs(weight))
    axes.plot(*zip(start, end, strict=True), color=colour, lw=width, alpha=0.45, zorder=1)


def _map(axes: Axes, centre: tuple[float, float], values: Array) -> None:
    """Where in the plane a neuron is active, in small."""
    (x, y), largest = centre, float(np.abs(values).max()) or 1.0
    left, right, low, high = box = (x - _HALF, x + _HALF, y - _HALF, y + _HALF)
    axes.imshow(
        values.reshape(_COARSE, _COARSE),
        extent=box,
        origin="lower",
        cmap=_colours(),
        vmin=-largest,
        vmax=largest,
        zorder=2,
    )
    axes.plot((left, right, right, left, left), (low, low, high, high, low), color=INK, lw=1.2)


def _heights(neurons: int) -> list[float]:
    """Where the neurons of a layer stand, from the top; not all of a large one."""
    shown = min(neurons, _NEURONS)
    return [0.5 + 0.13 * ((shown - 1) / 2 - row) for row in range(shown)]


def _plane(axes: Axes, network: Network, points: Array, labels: Array, reach: float) -> None:
    outputs, _ = forward(network, _grid(reach, _FINE))
    sure = np.tanh(outputs / 2).reshape(_FINE, _FINE)  # 2 × probability − 1
    box = (-reach, reach, -reach, reach)
    axes.imshow(sure, extent=box, origin="lower", cmap=_colours(), vmin=-1.6, vmax=1.6)
    ticks = np.linspace(-reach, reach, _FINE)
    if sure.min() < 0 < sure.max():
        axes.contour(ticks, ticks, sure, levels=[0.0], colors=[INK], linewidths=2.5)
    for label, colour in enumerate(CLASSES):
        chosen = points[labels == label]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=26,
            color=colour,
            edgecolors="white",
            linewidths=0.7,
            zorder=3,
        )
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=(), yticks=())
    axes.spines[["left", "bottom"]].set_visible(False)


def _losses(axes: Axes, snapshot: Snapshot, say: Texts) -> None:
    losses = np.array(snapshot.losses)
    epochs = np.arange(len(losses))
    axes.plot(epochs, losses[:, 1], color=OCHRE, label=say("mlp.other"))
    axes.plot(epochs, losses[:, 0], color=INK, label=say("mlp.learned"))
    axes.plot(epochs[-1:], losses[-1:, 0], "o", color=INK, ms=8)
    axes.set_title(say("mlp.losses"))
    axes.set_xlabel(say("mlp.epochs"))
    axes.set_xlim(-0.02 * snapshot.epochs, 1.02 * snapshot.epochs)
    axes.set_ylim(0, 1.05 * float(losses.max()))
    axes.legend(loc="upper right")
