"""The server is small and quick: it never holds torch."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.studio.serving import memory_of, until

COMMAND = [sys.executable, "-m", "belamy", "studio", "--no-open", "--port", "0", "--folder"]
FIRST_ANSWER, PROCESSOR, IDLE = 1.0, 1.0, 80.0
TRIES = 4


def start(home: Path) -> tuple[subprocess.Popen[str], float]:
    """A fresh studio, as people start it, and the seconds until it has answered.

    Those in which it or this test waited for a processor that others had are not counted.
    """
    began, waited = time.monotonic(), waiting_seconds(os.getpid())
    process = subprocess.Popen([*COMMAND, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], 60)
    assert ready
    link = process.stdout.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}", link)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: object) -> None:
            return None

    opener = urllib.request.build_opener(Stay)

    def answers() -> bool:
        try:
            opener.open(link, timeout=20)
        except urllib.error.HTTPError as answer:
            return answer.code == 303
        except OSError:
            return False
        return False

    until(answers)
    passed = time.monotonic() - began
    waited = waiting_seconds(os.getpid()) - waited + waiting_seconds(process.pid)
    return process, passed - waited


def waiting_seconds(process: int) -> float:
    """How long a process could have run and had no processor."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9


def processor_seconds(process: int) -> float:
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs Linux's /proc")
def test_the_first_answer_comes_at_once_and_the_server_is_small(tmp_path: Path) -> None:
    seconds = []
    for number in range(TRIES):
        process, passed = start(tmp_path / str(number))
        try:
            seconds.append(passed)
            spent = processor_seconds(process.pid)
            time.sleep(0.2)
            taken = memory_of(process.pid), memory_of(process.pid, "VmHWM")
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        assert spent < PROCESSOR
        assert max(taken) < IDLE
        if passed < FIRST_ANSWER:
            break
    assert min(seconds) < FIRST_ANSWER, seconds
