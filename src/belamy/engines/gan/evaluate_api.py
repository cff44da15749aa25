"""How good a painter is: its pictures beside those that it learned from.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from belamy.steps import Step, run_to_end

__all__ = ["gan_evaluate", "gan_evaluate_steps"]


def gan_evaluate_steps(
    data: str,
    *,
    network: str = "portraits",
    count: int | None = None,
    model: str = "iris",
    truncation: float = 1.0,
    shown: int = 12,
    seed: int = 0,
    device: str = "auto",
) -> Iterator[Step]:
    """Measure a painter against true pictures; show the nearest true one beside each of some.

    `fid` (Fréchet distance) and `kid` (kernel distance × 1000): smaller is better, 0 is the same.
    `precision`: which part of its pictures looks real; `recall`: which part of the real ones it
    could have painted; both 0 to 1. `nearest`: how far its pictures are from the nearest true one,
    over how far true ones are from each other: near 1 is right, near 0 is copying.

    Args:
        data: folder or zip of pictures, in any folders in it; those that it learned from, or
            others of the kind.
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        count: pictures that it paints for this. None: as many as there are true ones, 1,000 at
            least and 5,000 at most, of which as many are taken.
        model: what sees them: iris, a name (`belamy models list`), a file; or inception, for
            numbers as in papers, which needs `pip install 'belamy[metrics]'` and its weights.
        truncation: 1 paints all that the painter can; less raises precision and lowers recall.
        shown: pictures on the sheet, each with its nearest true one.
        seed: of the latents, and of what is drawn by lot.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` for each few pictures; the last has the sheet, and the measures for its losses.

    Raises:
        DataError: there are too few pictures for any of this to mean something.
        UnknownName: no such painter or model.
        WeightsError: the painter or the model is not here, damaged, or of another kind.
        OptionError: a value out of its range.

    Source: see `belamy.training.distribution_metrics`.
    """
    asked = dict(locals())
    from belamy.engines.gan import metrics

    yield from metrics.run(**asked)


gan_evaluate = run_to_end(gan_evaluate_steps)
