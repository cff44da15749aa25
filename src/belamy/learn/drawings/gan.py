"""The toy GAN, drawn: the discriminator's field, the generator's points, and the two losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from belamy.learn.drawings.style import BLUE, GREEN, GREY, INK, PAPER, RED, sheet
from belamy.learn.texts import Texts
from belamy.learn.toy_gan import MODES, RADIUS, REACH, Array, Snapshot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

__all__ = ["draw_comparison", "draw_game"]

_ARROW = 0.45  # of the longest arrow, in the units of the plane
_LOSSES = (0.02, 0.98)  # quantiles that the diagram of the losses shows whole


def draw_game(snapshot: Snapshot, say: Texts) -> Figure:
    """Both networks' view, and how their losses go."""
    figure, axes = sheet(
        say("gan.title"),
        say(
            "gan.remark",
            loss=snapshot.loss,
            step=snapshot.step,
            covered=snapshot.covered,
            good=snapshot.good,
        ),
        [["discriminator", "generator", "losses"], ["discriminator", "generator", "modes"]],
        widths=[1.5, 1.5, 0.9],
        left=0.05,
        right=0.95,
        bottom=0.11,
        top=0.81,
        wspace=0.14,
        hspace=0.45,
    )
    _draw_discriminator(axes["discriminator"], snapshot, say("gan.discriminator"))
    _draw_legend(axes["discriminator"], say)
    _draw_generator(axes["generator"], snapshot, say)
    _draw_losses(axes["losses"], snapshot, say)
    _draw_modes(axes["modes"], snapshot, say)
    return figure


def draw_comparison(snapshots: Sequence[Snapshot], say: Texts) -> Figure:
    """The same fight under several losses: field and points, above the losses and the clouds."""
    columns = range(len(snapshots))
    names = [
        [f"{row}{column}" for column in columns] for row in ("discriminator", "losses", "modes")
    ]
    first = snapshots[0]
    figure, axes = sheet(
        say("gan.comparison"),
        say("gan.after", step=first.step),
        names,
        heights=[2.9, 0.8, 0.8],
        left=0.05,
        right=0.95,
        bottom=0.08,
        top=0.8,
        wspace=0.26,
        hspace=0.36,
    )
    for column, snapshot in enumerate(snapshots):
        title = f"{snapshot.loss}:  {snapshot.covered}/{MODES},  {snapshot.good:.0%}"
        _draw_discriminator(axes[f"discriminator{column}"], snapshot, title)
        _draw_losses(axes[f"losses{column}"], snapshot, say, named=column == 0, columns=2)
        _draw_modes(axes[f"modes{column}"], snapshot, say, named=column == 0)
        axes[f"losses{column}"].set_xlabel("")
        axes[f"losses{column}"].set_xticklabels([])
    return figure


def _field_colours() -> LinearSegmentedColormap:
    """From what it takes for made, over what it cannot tell, to what it takes for real."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("belief", ["#e9a48f", "#f6efe2", "#8fb7d3"])


def _set_plane(axes: Axes, title: str) -> None:
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xticks=(), yticks=(), aspect="equal")
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_title(title)


def _draw_points(axes: Axes, points: Array, **style: Any) -> None:
    axes.scatter(points[:, 0], points[:, 1], **style)


def _draw_discriminator(axes: Axes, snapshot: Snapshot, title: str) -> None:
    """The discriminator's view: blue where it says real, red where it says made."""
    box = (-REACH, REACH, -REACH, REACH)
    axes.imshow(
        snapshot.field,
        extent=box,
        origin="lower",
        cmap=_field_colours(),
        vmin=0,
        vmax=1,
        aspect="equal",
    )
    ticks = np.linspace(-REACH, REACH, len(snapshot.field))
    if snapshot.field.min() < 0.5 < snapshot.field.max():
        axes.contour(ticks, ticks, snapshot.field, [0.5], colors=[GREY], linewidths=1.0, alpha=0.7)
    _draw_points(axes, snapshot.real, s=9, color=BLUE, linewidths=0, alpha=0.55)
    _draw_points(axes, snapshot.fake, s=11, color=RED, edgecolors=PAPER, linewidths=0.3)
    _set_plane(axes, title)


def _draw_legend(axes: Axes, say: Texts) -> None:
    for place, (colour, key) in enumerate(((BLUE, "gan.real"), (RED, "gan.fake"))):
        x = 0.02 + 0.34 * place
        axes.scatter([x], [-0.05], s=60, color=colour, transform=axes.transAxes, clip_on=False)
        axes.text(
            x + 0.035,
            -0.05,
            say(key),
            transform=axes.transAxes,
            va="center",
            fontsize=14,
            color=INK,
        )


def _draw_generator(axes: Axes, snapshot: Snapshot, say: Texts) -> None:
    """The generator's view: each latent has a hue by its direction, and is pulled somewhere."""
    from matplotlib.colors import hsv_to_rgb

    angles = np.arctan2(snapshot.latents[:, 1], snapshot.latents[:, 0])
    hues = np.stack([angles / (2 * np.pi) % 1, np.full_like(angles, 0.62)], axis=1)
    colours = hsv_to_rgb(np.column_stack([hues, np.full_like(angles, 0.82)]))
    _set_plane(axes, say("gan.generator"))
    places = np.arange(MODES) * 2 * np.pi / MODES
    rings = RADIUS * np.cos(places), RADIUS * np.sin(places)
    axes.scatter(*rings, s=520, facecolors="none", edgecolors=GREY, linewidths=1.2, alpha=0.8)
    longest = float(np.linalg.norm(snapshot.directions, axis=1).max())
    if longest > 1e-4:  # below that the generator learns nothing: no arrows
        arrows = snapshot.directions / longest * _ARROW
        start = snapshot.fake[: len(arrows)]
        axes.quiver(
            *start.T, *arrows.T, angles="xy", scale_units="xy", scale=1, width=0.005, color=INK
        )
    else:
        axes.text(0, 0, say("gan.silence"), ha="center", va="center", fontsize=15, color=RED)
    _draw_points(axes, snapshot.fake, s=13, color=colours, linewidths=0)
    _draw_latents(axes, snapshot, colours, say)


def _draw_latents(axes: Axes, snapshot: Snapshot, colours: Array, say: Texts) -> None:
    """Where the points came from, in small, below."""
    inset = axes.inset_axes((0.0, -0.135, 0.13, 0.13))
    _draw_points(inset, snapshot.latents, s=1.6, color=colours, linewidths=0)
    inset.set(xlim=(-3, 3), ylim=(-3, 3), xticks=(), yticks=(), aspect="equal")
    inset.axis("off")
    axes.text(0.14, -0.05, say("gan.latents"), transform=axes.transAxes, va="center", fontsize=14)


def _draw_losses(
    axes: Axes, snapshot: Snapshot, say: Texts, *, named: bool = True, columns: int = 1
) -> None:
    steps, discriminator, generator = snapshot.history[:, :3].T
    for losses, colour, key in (
        (discriminator, BLUE, "discriminator"),
        (generator, RED, "generator"),
    ):
        axes.plot(steps, losses, color=colour, lw=0.8, alpha=0.4)
        axes.plot(steps, _smooth(losses), color=colour, lw=2.2, label=say(f"gan.by_{key}"))
    both = snapshot.history[:, 1:3]
    if np.isfinite(both).all():
        low, high = np.quantile(both, _LOSSES)
        margin = 0.15 * max(high - low, 0.1)
        axes.set_ylim(low - margin, high + 2.5 * margin)
    axes.set_xlim(0, snapshot.steps)
    axes.tick_params(labelsize=11)
    if named:
        axes.set_title(say("gan.losses"), fontsize=14)
        axes.legend(loc="upper right", fontsize=11, ncols=columns, handlelength=1.0, borderpad=0)


def _draw_modes(axes: Axes, snapshot: Snapshot, say: Texts, *, named: bool = True) -> None:
    steps, covered, good = snapshot.history[:, (0, 3, 4)].T
    axes.plot(steps, covered, color=INK, lw=1.4, drawstyle="steps-post")
    axes.set(xlim=(0, snapshot.steps), ylim=(-0.3, 1.08 * MODES), yticks=(0, MODES / 2, MODES))
    axes.set_xlabel(say("gan.steps"), fontsize=13)
    axes.tick_params(labelsize=11)
    share = axes.twinx()
    share.plot(steps, good, color=GREEN, lw=2.2)
    share.set(ylim=(-0.3 / MODES, 1.08), yticks=(0, 0.5, 1))
    share.set_yticklabels(["0", "50 %", "100 %"])
    share.tick_params(labelsize=11, colors=GREEN, length=0)
    if named:
        axes.set_title(say("gan.clouds"), fontsize=14)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of the last ten, or of as many as there are."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - 10, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)  # type: ignore[no-any-return]
