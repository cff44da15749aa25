"""Runs command lines out of `command_lines.py` and judges them one by one.

    python tests/cli/run_command_lines.py FOLDER FIRST COUNT

runs so many lines in FOLDER, each in a process of its own, and prints one JSON object for each:
its number, words, exit code, seconds, peak memory, and what is wrong with it.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib.util
import json
import os
import pkgutil
import re
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer.main
from command_lines import VALID, Line, make_folder, make_line

import belamy
from belamy import cli
from belamy.engines import ENGINES

REMADE = "here/made.png"  # belamy's own, which a good line makes anew
MANY = ("dream picture", "style paint", "fog", "defog clear", "style apply", "translate apply")
"""Commands that go on after a picture that failed, and leave the others."""
LONGEST = 60.0  # seconds
MOST_MEMORY = 2 << 30  # bytes, resident
ADDRESSES = 24 << 30  # bytes: torch reserves more than it uses
LONGEST_LINE = 400  # characters
PART = re.compile(r"\.[0-9a-f]{16}\.part")  # what is written before it gets its name


@dataclass(frozen=True)
class Outcome:
    """What came of a line; `faults` is empty where all is well."""

    number: int
    kind: str
    words: tuple[str, ...]
    code: int
    seconds: float
    memory: int
    said: str
    faults: tuple[str, ...]


def tree(folder: Path) -> dict[str, str]:
    """Every file around and what is in it."""
    found = {}
    for path in sorted(folder.parent.rglob("*")):
        if path.is_symlink() or not path.is_file():
            data = b"link" if path.is_symlink() else b"folder"
        else:
            data = path.read_bytes() if os.access(path, os.R_OK) else b"locked"
        found[str(path)] = hashlib.sha256(data).hexdigest()
    return found


def load_everything() -> None:
    """So that the lines need not: each runs in a copy of this process."""
    for module in pkgutil.walk_packages(belamy.__path__, "belamy."):
        if module.name.rpartition(".")[2] != "__main__" and ".studio" not in module.name:
            importlib.import_module(module.name)
    for name in ENGINES:
        belamy.engines.engine(name)
    for name in ("torch._dynamo", "matplotlib.pyplot", "onnx", "onnxruntime", "openvino", "av"):
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
    built = typer.main.get_command(cli.app)
    vars(typer.main)["get_command"] = lambda _: built  # each line would build it anew
    gc.freeze()  # each copy of this process would copy its memory, too


def run_line(words: tuple[str, ...], scratch: Path) -> tuple[int, float, int, str, str]:
    """Exit code (negative: the signal that ended it), seconds, peak memory, both outputs."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_the_command(words, scratch)
    while True:
        found, status, used = os.wait4(child, os.WNOHANG)
        if found:
            break
        if time.monotonic() - start > LONGEST:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # with what it has started
        time.sleep(0.005)
    texts = [(scratch / name).read_text(errors="replace") for name in ("stdout", "stderr")]
    code = os.waitstatus_to_exitcode(status)
    return code, time.monotonic() - start, used.ru_maxrss * 1024, texts[0], texts[1]


def _be_the_command(words: tuple[str, ...], scratch: Path) -> None:
    code = 70
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in enumerate(("stdout", "stderr"), 1):
            os.dup2(os.open(scratch / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.argv = ["belamy", *words]
        cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def judge(
    line: Line, code: int, seconds: float, memory: int, said: str, new: list[str], lost: list[str]
) -> Iterator[str]:
    """What is wrong with what a line did."""
    rows = [row for row in said.splitlines() if row.strip()]
    if seconds > LONGEST:
        yield "hang"
    if code not in (0, 1, 2):
        yield f"exit code {code}"
    if "Traceback" in said:
        yield "traceback"
    if memory > MOST_MEMORY:
        yield f"{memory >> 20} MiB"
    if code and len(rows[-1] if rows else "") > LONGEST_LINE:
        yield f"an error of {len(rows[-1])} characters"
    if any(not row.isprintable() for row in rows):
        yield "characters that steer the terminal"
    if code and not (rows and rows[-1].startswith(("belamy: ", "Error: "))):
        yield "no line of error at the end"
    if any(PART.search(name) for name in new):
        yield "a part left"
    if code and new and not (line.command in MANY and code == 1):
        yield f"left though it failed: {', '.join(new[:3])}"
    lost = [name for name in lost if code or name != REMADE]
    if lost and "--overwrite" not in line.words:
        yield f"changed: {', '.join(lost[:3])}"


def run_lines(folder: Path, first: int, count: int, seed: int = 1) -> Iterator[Outcome]:
    """The outcomes of so many lines, in an empty folder of which the lines' own is a part."""
    folder, kept = folder / "work" / "here", folder / "kept"
    folder.parent.mkdir(parents=True)
    make_folder(folder)
    os.environ["BELAMY_HOME"] = str(folder.parent / "home")
    os.environ |= dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    os.chdir(folder)
    load_everything()
    training = ("gan", "train", *VALID["gan train"].split()[:-1], "trained")
    code, *_, said = run_line(training, folder.parent.parent)
    assert code == 0, said
    shutil.copytree(folder.parent, kept, symlinks=True)
    before = tree(folder)
    for number in range(first, first + count):
        line = make_line(number, seed)
        code, seconds, memory, _, said = run_line(line.words, folder.parent.parent)
        after = tree(folder)
        new = [str(Path(name).relative_to(folder.parent)) for name in after if name not in before]
        new = [name for name in new if not name.startswith("home")]  # what may be had again
        lost = [name for name in before if after.get(name) != before[name]]
        short = [str(Path(name).relative_to(folder.parent)) for name in lost]
        short = [name for name in short if not name.startswith("home")]
        faults = tuple(judge(line, code, seconds, memory, said, new, short))
        yield Outcome(number, line.kind, line.words, code, seconds, memory, said[-2000:], faults)
        for name in sorted(after, reverse=True):
            if name not in before:
                path = Path(name)
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        for name in lost:
            place = kept / Path(name).relative_to(folder.parent)
            if place.is_dir():
                Path(name).mkdir(exist_ok=True)
            else:
                shutil.copy2(place, name, follow_symlinks=False)


if __name__ == "__main__":
    for outcome in run_lines(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
        print(json.dumps(asdict(outcome)), flush=True)
