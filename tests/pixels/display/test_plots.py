"""What was guessed and measured as bars."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from belamy.engines.classify.options import Guess, Guesses
from belamy.engines.defog.evaluate import DefogMetrics
from belamy.errors import MissingExtra
from belamy.pixels.display.plots import draw_bars, draw_plots
from belamy.pixels.display.tables import Measures


def colored(picture: object) -> np.ndarray:
    """How many pixels of each row are neither white nor grey nor black."""
    pixels = np.asarray(picture).astype(int)
    return (np.ptp(pixels, axis=-1) > 60).sum(1)


def test_guesses_are_bars_as_long_as_they_are_probable() -> None:
    rows = colored(Guesses([Guess("cat $x^{", 0.8, 3), Guess("f" * 99, 0.2, 1)]).plot())
    middle = len(rows) // 2
    assert rows[:middle].max() == pytest.approx(4 * rows[middle:].max(), rel=0.05)


def test_measures_are_beside_those_of_before() -> None:
    measures = Measures[float | str](
        fid=30.0, fid_before=60.0, kid=0.1, features="iris", pictures=200.0
    )
    alone = np.asarray(draw_bars({"fid": {"now": 30.0, "before": 60.0}, "kid": {"now": 0.1}}))
    assert np.array_equal(np.asarray(measures.plot()), alone)
    with pytest.raises(ValueError, match="nothing"):
        Measures(remarks="none").plot()


def test_fog_is_a_plot_for_each_measure() -> None:
    values = {"untouched": {"psnr": 14.0, "ssim": 0.6}, "network": {"psnr": 26.0, "ssim": 0.9}}
    assert np.array_equal(
        np.asarray(DefogMetrics(3, values).plot()),
        np.asarray(
            draw_bars(
                {
                    "psnr": {"untouched": 14.0, "network": 26.0},
                    "ssim": {"untouched": 0.6, "network": 0.9},
                }
            )
        ),
    )


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match="matplotlib"):
        draw_plots({"a": lambda axes: None})


def test_options_stay_quick_to_import() -> None:
    code = "import sys, belamy.engines.classify.options; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
