"""The whole tour, small: every stop's commands run, and its pictures are on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from belamy.cli import app
from belamy.tour.stops import STOPS


@pytest.mark.slow
def test_every_stop_is_visited(tmp_path: Path) -> None:
    folder = tmp_path / "tour"
    done = CliRunner().invoke(app, ["tour", "--quick", "--language", "it", "-o", str(folder)])
    assert done.exit_code == 0, done.output
    page = (folder / "index.html").read_text("utf-8")
    for stop in STOPS:
        assert f'<section id="{stop.key}">' in page
        for name in stop.pictures:
            assert (folder / name).exists(), name
            assert f'alt="{name}"' in page
    assert 'class="failed"' not in page


def test_an_unknown_language_is_misuse(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["tour", "--language", "la", "-o", str(tmp_path / "tour")])
    assert done.exit_code == 2
    assert "la" in done.stderr
    assert not (tmp_path / "tour").exists()
