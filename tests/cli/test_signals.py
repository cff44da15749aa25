"""SIGTERM and a closed terminal keep what was made, as Ctrl-C does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from belamy.cli.signals import stoppable

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of Unix")
LIMIT = 60.0  # seconds


def start(folder: Path, *words: object, before: str = "") -> subprocess.Popen[str]:
    """`belamy WORDS` in a folder; `before` is run in its process first."""
    # what runs the tests in the background has Ctrl-C ignored, which is inherited
    usual = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"import sys\n{usual}\n{before}\nfrom belamy.cli import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 255, (64, 96, 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize(("sent", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_dream_is_saved(photo: Path, sent: str, code: int) -> None:
    words = ("--model", "iris", "--steps", 9999, "--every", 1)
    process = start(photo.parent, "dream", photo, "-o", "new.png", *words)
    wait_until((photo.parent / "new-0002.png").exists, process)
    process.send_signal(getattr(signal, sent))
    _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == code
    assert said.endswith("belamy: stopped; what was made so far is in new.png\n")
    Image.open(photo.parent / "new.png").verify()


def test_a_batch_keeps_its_pictures(photo: Path) -> None:
    for index in range(6):
        shutil.copy(photo, photo.with_name(f"{index}.png"))
    words = ("--model", "iris", "--octaves", 1, "--steps", 60, "-o", "out/")
    process = start(photo.parent, "dream", *(f"{index}.png" for index in range(6)), *words)
    wait_until((photo.parent / "out" / "0.png").exists, process)
    process.terminate()
    _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 143
    kept = sorted(path.name for path in (photo.parent / "out").iterdir())
    assert kept[0] == "0.png"
    assert kept[-1] == "0.png" or kept[-1].endswith("-stopped.png"), said
    assert len(kept) < 6


def test_a_training_is_saved_and_goes_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for index in range(9):
        (tmp_path / "data").mkdir(exist_ok=True)
        pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "data" / f"{index}.png")
    words = ("gan", "train", "data", "--size", 16, "--batch", 2)
    process = start(tmp_path, *words, "--steps", 100_000, "--run", "run", "--device", "cpu")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("belamy: ")  # what will be done
    time.sleep(0.2)
    process.terminate()
    _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 143
    assert "the run is saved; go on with: belamy gan train --resume run" in said
    assert list((tmp_path / "run" / "checkpoints").glob("step-*.safetensors"))


@pytest.mark.skipif(shutil.which("timeout") is None, reason="GNU's timeout")
def test_timeout_sends_its_signal_twice(photo: Path) -> None:
    code = (
        "import belamy.cli, os, signal\n"
        "from belamy.cli.progress import show_steps\n"
        "import itertools, time, types\n"
        "def steps():\n"
        "    for index in itertools.count(1):\n"
        "        time.sleep(0.01)\n"
        "        yield types.SimpleNamespace(index=index, total=9, losses={}, note='',"
        " fraction=None)\n"
        "from belamy.cli.signals import stoppable\n"
        "with stoppable() as stop:\n"
        "    step, stopped = show_steps(steps(), 'dreaming')\n"
        "    time.sleep(0.1)\n"
        "    print(stopped, stop.exit_code(130))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        ["timeout", "-s", "TERM", "2", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (result.returncode, result.stdout) == (124, "True 143\n"), result.stderr


def test_the_second_signal_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 10.1, 11.0])
    monkeypatch.setattr("belamy.cli.signals.time.monotonic", lambda: next(clock))
    with stoppable() as stop:
        with pytest.raises(KeyboardInterrupt):
            stop.take(signal.SIGTERM, None)
        stop.take(signal.SIGTERM, None)  # the same one again
        with pytest.raises(KeyboardInterrupt):
            stop.take(signal.SIGTERM, None)
        assert stop.exit_code(130) == 143


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
