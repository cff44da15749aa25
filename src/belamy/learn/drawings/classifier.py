"""An error on its way back, drawn: what each layer saw, what came back to it, and the losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from belamy.learn.drawings.style import BLUE, GREY, INK, LINE, OCHRE, PAPER, RED, sheet
from belamy.learn.texts import Texts
from belamy.learn.transfer import LayerTrace, TracedError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

__all__ = ["draw_error"]

_BEST = 4  # classes whose probabilities are drawn
_BRIGHTEST = 0.995  # quantile of the gradients that is drawn brightest


def draw_error(
    error: TracedError, losses: Sequence[tuple[float, float]], accuracy: float, say: Texts
) -> Figure:
    """Forward above, from the picture to the answer; back below, from the error to the picture."""
    layers = tuple(reversed(error.layers))  # the picture first
    upper, lower = ([f"{row}{n}" for n in range(len(layers))] for row in ("seen", "back"))
    figure, axes = sheet(
        say("classifier.title"),
        say("classifier.remark"),
        [[*upper, ".", "answer"], [*lower, ".", "losses"]],
        widths=[1.0] * len(layers) + [0.16, 1.2],
        left=0.04,
        right=0.965,
        bottom=0.1,
        top=0.76,
        wspace=0.12,
        hspace=0.28,
    )
    axes["seen0"].imshow(error.picture)
    axes["seen0"].set_title(error.name, fontsize=15)
    for column, layer in enumerate(layers):
        seen, back = axes[f"seen{column}"], axes[f"back{column}"]
        if column > 0:
            seen.imshow(layer.activations, cmap=_light(BLUE), interpolation="nearest")
            seen.set_title(layer.name, fontsize=15)
        _gradients(back, layer)
        for one in (seen, back):
            one.set(xticks=(), yticks=())
            one.spines[:].set_visible(False)
    axes["seen1"].text(0, -0.06, say("classifier.forward"), **_small(axes["seen1"], "top"))
    axes["back1"].text(0, -0.06, say("classifier.back"), **_small(axes["back1"], "top"))
    _answers(axes["answer"], error, say)
    _losses(axes["losses"], losses, accuracy, say)
    return figure


def _small(axes: Axes, place: str) -> dict[str, Any]:
    return {"transform": axes.transAxes, "fontsize": 13, "color": GREY, "va": place}


def _light(colour: str) -> LinearSegmentedColormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("light", ["#16140f", colour, PAPER])


def _gradients(axes: Axes, layer: LayerTrace) -> None:
    brightest = float(np.quantile(layer.gradients, _BRIGHTEST)) or 1.0
    axes.imshow(layer.gradients, cmap=_light(RED), vmin=0, vmax=brightest, interpolation="nearest")


def _answers(axes: Axes, error: TracedError, say: Texts) -> None:
    best = sorted(error.probabilities, key=lambda name: -error.probabilities[name])[:_BEST]
    if error.name not in best:
        best[-1] = error.name
    for row, name in enumerate(best):
        probability = error.probabilities[name]
        axes.barh(row, probability, height=0.5, color=RED if name == error.name else LINE)
        axes.text(0, row - 0.38, f"{name}  {probability:.0%}", fontsize=14, color=INK)
    axes.set(xlim=(0, 1), ylim=(max(len(best), 2) - 0.4, -0.8), xticks=(), yticks=())
    axes.spines[:].set_visible(False)
    axes.set_title(
        f"|{error.output:.2f} − 1| = {error.size:.2f}", fontsize=15, color=RED, fontweight="bold"
    )


def _losses(axes: Axes, losses: Sequence[tuple[float, float]], accuracy: float, say: Texts) -> None:
    seen, other = np.array(losses).T
    axes.plot(other, color=OCHRE, label=say("classifier.other"))
    axes.plot(seen, color=INK, label=say("classifier.learned"))
    axes.set(ylim=(0, 1.08 * float(max(seen.max(), other.max()))), xlim=(0, len(seen) - 1))
    axes.set_title(say("classifier.losses", accuracy=accuracy), fontsize=15)
    axes.set_xlabel(say("classifier.epochs"), fontsize=13)
    axes.tick_params(labelsize=11)
    axes.legend(loc="upper right", fontsize=11.5)
