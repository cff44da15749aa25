"""What the machine refuses is one line: memory, disks, pipes, terminals of few characters."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from belamy.cli import app
from belamy.cli.failures import OutOfMemory, PipeClosed, plain_failures, shorten
from belamy.cli.streams import PIPE_CLOSED
from belamy.errors import BelamyError

LONG = "x" * 5000
DIGITS = "9" * 400


def belamy(
    *words: str, before: str = "", after: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """`belamy WORDS` in a shell; `after` are redirections and pipes."""
    code = f"import sys\n{before}\nfrom belamy.cli import main\nmain()"
    return subprocess.run(
        ["bash", "-c", f'"$@" {after}', "bash", sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        errors="replace",
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        check=False,
    )


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate "
            "memory: you tried to allocate 4000000000000 bytes. Error code 12"
        ),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("could not create a memory object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_memory_that_ends(error: Exception) -> None:
    with (
        pytest.raises(OutOfMemory, match="a smaller --size or a smaller --tile"),
        plain_failures(["--size", "--tile"]),
        plain_failures(),
    ):
        raise error


@pytest.mark.parametrize("error", [RuntimeError("ours"), ValueError("ours"), OSError("a library")])
def test_bugs_stay_bugs(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)), plain_failures():
        raise error


def test_the_systems_refusals() -> None:
    with pytest.raises(PipeClosed), plain_failures():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
    long = r"'a\.png': File name too long; choose a shorter name"
    with pytest.raises(BelamyError, match=long), plain_failures():
        raise OSError(errno.ENAMETOOLONG, "File name too long", "a.png")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_dream_that_is_too_large_for_memory(tmp_path: Path) -> None:
    limit = """
import resource, torch, belamy.engines.dream.render, belamy.engines.recipes
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + (400 << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
"""
    words = ("dream", "--model", "iris", "--size", "8000", "-o", str(tmp_path / "a.png"))
    result = belamy(*words, before=limit, OMP_NUM_THREADS="1")
    assert result.returncode == 1
    assert result.stderr.startswith("belamy: out of memory; try a smaller --size or a smaller --ti")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_standard_output() -> None:
    result = belamy("--version", after="> /dev/full")
    assert result.returncode == 1
    assert result.stderr == (
        "belamy: cannot write: No space left on device; make room, or choose another place\n"
    )


def test_a_reader_that_has_gone_is_no_word() -> None:
    code = "from belamy.cli import main; main()"
    read, write = os.pipe()
    os.close(read)  # before a word is written, so that none can be
    result = subprocess.run(
        [sys.executable, "-c", code, "models", "list"],
        stdout=write,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    os.close(write)
    assert (result.returncode, result.stderr) == (PIPE_CLOSED, b"")


@pytest.mark.parametrize("after", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams(after: str) -> None:
    result = belamy("models", "list", after=after)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_terminals_of_few_characters(encoding: str, tmp_path: Path) -> None:
    words = ("learn", "neuron", "-o", str(tmp_path / "ん-é.png"))
    result = belamy(*words, PYTHONIOENCODING=encoding)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "ん-é.png").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [  # 2 is misuse; 1 where the system refuses a name that is too long
        ([LONG], 2),
        (["dream", f"--{LONG}"], 2),
        (["dream", "-o", "a.png", "--steps", LONG], 2),
        (["dream", "-o", "a.png", "--steps", "two words " * 500], 2),
        (["dream", "-o", "a.png", "--steps", DIGITS], 2),
        (["dream", "-o", "a.png", "--size", DIGITS], 2),
        (["dream", "-o", "a.png", "--strength", DIGITS], 2),
        (["dream", "-o", "a.png", "--model", LONG], 1),
        (["dream", "-o", "a.png", "--layer", LONG], 2),
        (["dream", "-o", f"{LONG}.png"], 1),
        (["dream", "-o", f"{'x' * 300}.png"], 1),
        (["dream", LONG, "-o", "a.png"], 1),
        (["dream", "-o", f"a.{LONG}"], 1),
        (["classify", LONG], 1),
        (["models", LONG], 2),
        (["models", "show", LONG], 1),
        (["models", "show", f"folder/{LONG}"], 1),
        (["recipe", LONG], 1),
        (["learn", "neuron", "--weights", DIGITS], 2),
        (["style", "a.png", "b.png", "-o", "c.png", "--size", "9" * 5000], 2),
        (["style", "a.png", "b.png", "-o", "c.png", "--iterations", DIGITS], 2),
        (["style", "a.png", "b.png", "-o", "c.png", "--content-layer", f"relu*{DIGITS}"], 2),
        (["style", "a.png", "b.png", "-o", "c.png", "--init", LONG], 1),
        (["gan", "paint", "-n", DIGITS, "-o", "a.png"], 2),
        (["gan", "paint", "--seed", DIGITS * 20, "-o", "a.png"], 2),
        (["classify", "train", "nowhere", "--stages", f"{DIGITS}:1"], 2),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_nothing_long_is_repeated(words: list[str], code: int, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == code
    assert isinstance(result.exception, SystemExit), result.exception
    for letter in ("x", "9", "two words "):
        assert letter * (201 // len(letter) + 1) not in result.stderr


def test_shortening() -> None:
    spaced = "a b " * 100
    said = shorten(f"'{spaced.strip()}' is no file; check it", [spaced])
    assert said.endswith(("… is no file; check it", "…' is no file; check it"))
    assert len(said) < 240
    assert shorten("short is as it was", [spaced]) == "short is as it was"
