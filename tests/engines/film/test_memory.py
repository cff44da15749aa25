"""A film's length costs time, not memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("cv2")

CODE = """
import resource, sys
from fractions import Fraction
from pathlib import Path

import torch

torch.set_num_threads(1)
from belamy.cli import app
from belamy.pixels.film import create_film
from belamy.pixels.motion.rendered import RenderedFilm
from typer.testing import CliRunner

count, folder = int(sys.argv[1]), Path(sys.argv[2])
frames = [RenderedFilm(120, 160, haze=0.5).frame(index) for index in range(4)]
with create_film(folder / "film.mp4", size=(120, 160), frame_rate=Fraction(25)) as film:
    for index in range(count):
        film.write(frames[index % 4], Fraction(index, 25), Fraction(1, 25))
words = ["defog", str(folder / "film.mp4"), "-o", str(folder / "new.mp4"), "--method", "dcp"]
done = CliRunner().invoke(app, words)
assert done.exit_code == 0, done.output
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_ten_times_as_many_frames_take_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for count in (20, 200):
        folder = tmp_path / str(count)
        folder.mkdir()
        words = [sys.executable, "-c", CODE, str(count), str(folder)]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] < 1.05 * peaks[0]
