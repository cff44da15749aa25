"""A run folder, read without training anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from belamy.errors import RunError
from belamy.training.records.run_record import read_run
from belamy.training.trainer import TrainingProgress

OLD_RUNS = Path(__file__).parents[2] / "fixtures" / "before-0.2" / "runs"


def make_run(folder, *records, options=None):
    config = {"schema": 1, "belamy": "0.1.0", "kind": "classify", "config": options or {}}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "log.jsonl").write_text(lines, "utf-8")
    return read_run(folder)


LOG = (
    {"step": 10, "loss": 2.5, "seconds": 1.0},
    {"step": 20, "loss": 1.5, "accuracy": 50.0, "seconds": 2.0, "note": "<b>"},
    {"step": 30, "loss": 1.25, "accuracy": 75.0, "seconds": 3.0},
)


def test_a_record_has_options_and_reports(tmp_path):
    record = make_run(tmp_path, *LOG, options={"steps": 30, "data": "a<b"})
    assert (record.run_type, record.config["steps"]) == ("classify", 30)
    assert record.log == list(LOG)
    assert repr(record) == f"RunRecord(classify, 3 reports, step 30, {str(tmp_path)!r})"
    assert record.curves == {
        "loss": [(10, 2.5), (20, 1.5), (30, 1.25)],
        "accuracy": [(20, 50.0), (30, 75.0)],
    }


def test_its_table(tmp_path):
    table = make_run(tmp_path, *LOG, options={"data": "a<b"})._repr_html_()
    assert "<td>loss</td><td>2.5</td><td>1.5</td><td>1.25</td>" in table
    assert "<td>data</td><td>a&lt;b</td>" in table


def test_its_curves_are_a_picture_whatever_the_users_style(tmp_path):
    import matplotlib as mpl

    record = make_run(tmp_path, *LOG)
    pixels = np.asarray(record.plot())
    assert pixels.shape[1] > pixels.shape[0] > 100  # two plots beside each other
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "red"}):
        assert np.array_equal(np.asarray(record.plot()), pixels)
    fewer = make_run(tmp_path, *LOG[:1]).plot()
    assert np.asarray(fewer).shape[1] < pixels.shape[1]


def test_plots_leave_pyplot_alone(tmp_path):
    make_run(tmp_path, *LOG)
    code = (
        "import sys, belamy.training.records.run_record as r; "
        "before = 'matplotlib' in sys.modules; "
        f"r.read_run({str(tmp_path)!r}).plot(); print(before, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_names_are_no_formulas(tmp_path):
    make_run(tmp_path, {"step": 1, "$x^{": 1.0}).plot()


def test_what_is_no_number_is_no_curve(tmp_path):
    (tmp_path / "log.jsonl").touch()
    record = make_run(tmp_path, {"step": 1, "a": True, "b": [1], "c": None, "note": "x"})
    assert record.curves == {}


def test_a_run_that_has_just_begun(tmp_path):
    record = make_run(tmp_path, options={"steps": 7})
    assert repr(record).startswith("RunRecord(classify, 0 reports, step 0")
    assert "<td>steps</td><td>7</td>" in record._repr_html_()
    with pytest.raises(RunError, match="reported nothing yet"):
        record.plot()


@pytest.mark.parametrize("name", ["", "nothing", "a\0b"])
def test_what_is_no_run_folder(tmp_path, name):
    with pytest.raises(RunError, match="is not a run folder"):
        read_run(tmp_path / name)


@pytest.mark.parametrize("name", sorted(path.name for path in OLD_RUNS.iterdir()))
def test_old_runs_by_the_names_of_today(name):
    record = read_run(OLD_RUNS / name)
    assert record.config["steps"] > 0
    assert record.curves
    assert not {"certainty", "slopes", "fool", "judges", "critic"} & record.curves.keys()


def test_news_of_a_training_is_a_table():
    table = TrainingProgress(10, 2000, {"loss": 0.5}, {"fid": 80.123}, note="a < b")._repr_html_()
    assert "<td>step</td><td>10 of 2,000</td>" in table
    assert "<td>loss</td><td>0.5</td>" in table
    assert "<td>fid</td><td>80.12</td>" in table
    assert "<td>a &lt; b</td>" in table
