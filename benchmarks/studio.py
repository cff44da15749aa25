"""How quick the studio is, and how small.

A fresh `belamy studio`: seconds until its first answer, its memory when idle. Then, with a warm
worker, on a picture of 384 px: from a click to the first frame; from a click on Stop to the kept
picture; frames a second; what frames cost of the work (processor time of the encoding over that of
the work). Seconds in which the processes waited for a processor that others had are left out, on
Linux. With --soak also how much the worker's memory grows over two hours of dreams.

    python benchmarks/studio.py [--quick | --soak]
"""

from __future__ import annotations

import json
import os
import re
import select
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools import Figure, report
from websockets.sync.client import connect

COMMAND = [sys.executable, "-m", "belamy", "studio", "--no-open", "--port", "0", "--folder"]
DREAM = {"layer": "mixed4c", "size": 384, "octaves": 4}
TWO_HOURS = 7200.0


class Studio:
    """A fresh one, in a process of its own."""

    def __init__(self, home: Path) -> None:
        began = time.monotonic()
        waited = waiting(os.getpid())
        self.home = home
        self.process = subprocess.Popen([*COMMAND, str(home)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        select.select([self.process.stdout], [], [], 60)
        self.port = int(re.findall(r":(\d+)/", self.process.stdout.readline())[0])
        self.headers: dict[str, str] = {}
        self.wait_for(lambda: (home / ".studio" / "key").is_file())
        key = (home / ".studio" / "key").read_text().strip()
        self.headers = {"Authorization": f"Bearer {key}"}
        self.wait_for(self.answers)
        waited = waiting(os.getpid()) - waited + waiting(self.process.pid)
        self.first_answer = time.monotonic() - began - waited

    def answers(self) -> bool:
        try:
            return bool(self.ask("GET", "/api/status"))
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {**self.headers, "Content-Type": kind}
        address = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(address, data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def wait_for(self, look: Callable[[], Any], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < end
            time.sleep(0.005)

    def messages(self) -> Iterator[tuple[float, dict[str, Any]]]:
        """What a tab is told, for ever."""
        address = f"ws://127.0.0.1:{self.port}/api/live"
        with connect(address, additional_headers=self.headers, compression=None) as line:
            yield time.monotonic(), {"type": "open"}
            for message in line:
                now = time.monotonic()
                if isinstance(message, str):
                    yield now, json.loads(message)
                else:
                    (length,) = struct.unpack_from("<I", message)
                    yield now, {"type": "frame", **json.loads(message[4 : 4 + length])}

    def worker(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for child in children.split():
            if b"belamy.studio.worker\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        raise AssertionError("no worker runs")


def megabytes(process: int) -> float:
    text = Path(f"/proc/{process}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024


def waiting(*processes: int) -> float:
    """How long processes could have run and had no processor."""
    paths = [Path(f"/proc/{process}/schedstat") for process in processes]
    return sum(int(path.read_text().split()[1]) for path in paths if path.exists()) / 1e9


def processor_seconds(process: int) -> float:
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    quick, soak = ("--quick" in sys.argv[1:]), ("--soak" in sys.argv[1:])
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        first, idle = zip(
            *(look(Path(folder) / str(n)) for n in range(2 if quick else 5)), strict=True
        )
        figures += [
            Figure("seconds to the first answer", min(first), 1.0),
            Figure("idle server, MB", max(idle), 80.0),
        ]
        studio = Studio(Path(folder) / "work")
        try:
            figures += measure(studio, rounds=2 if quick else 5)
            if soak:
                figures.append(Figure("growth in two hours, MB", grow(studio, TWO_HOURS), 50.0))
        finally:
            studio.process.kill()
    return report(figures)


def look(home: Path) -> tuple[float, float]:
    """Seconds to the first answer, and megabytes of the server when it has settled."""
    studio = Studio(home)
    time.sleep(1)
    memory = megabytes(studio.process.pid)
    studio.process.kill()
    return studio.first_answer, memory


def measure(studio: Studio, rounds: int) -> list[Figure]:
    """First frame, stop, pace and cost of frames; the best of some rounds."""
    clouds = Path(__file__).parents[1] / "src/belamy/studio/samples/clouds.jpg"
    picture = studio.ask("POST", "/api/pictures", clouds.read_bytes(), "image/jpeg")["id"]
    studio.wait_for(lambda: studio.ask("GET", "/api/status")["worker"] == "idle")
    time.sleep(3)  # until the worker is warm
    seen = [dream(studio, picture) for _ in range(rounds + 1)][1:]
    firsts, stops, paces, costs = zip(*seen, strict=True)
    return [
        Figure("seconds from a click to the first frame, 384 px", min(firsts), 0.6),
        Figure("seconds from Stop to the kept picture", min(stops), 0.5),
        Figure("seconds between frames", min(paces), 0.2),
        Figure("frames: part of the work's processor time", min(costs), 0.1),
    ]


def dream(studio: Studio, picture: str) -> tuple[float, float, float, float]:
    """One dream, stopped after a few seconds."""
    body = {"engine": "dream", "inputs": {"picture": picture}, "options": {**DREAM, "steps": 500}}
    worker = studio.worker()
    everybody = (os.getpid(), studio.process.pid, worker)
    frames: list[float] = []
    name, clicked, first, stopped, kept, cost, before = "", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for now, message in studio.messages():
        kind = message["type"]
        if kind == "open":
            clicked, before = now - waiting(*everybody), processor_seconds(worker)
            name = studio.ask("POST", "/api/jobs", body)["id"]
        elif kind == "frame" and message["job"] == name:
            first = first or now - waiting(*everybody) - clicked
            frames.append(now - waiting(worker))
            if frames[-1] - frames[0] > 1 and not stopped:
                stopped = time.monotonic() - waiting(worker)
                studio.ask("POST", f"/api/jobs/{name}/stop")
        elif kind == "cost" and message["job"] == name:
            cost = message["seconds"] / (processor_seconds(worker) - before)
        elif kind == "result" and message["result"]["job"] == name:
            kept = now - waiting(worker) - stopped
        if cost and kept:
            pace = (frames[-1] - frames[0]) / (len(frames) - 1)
            return first, kept, pace, cost
    raise AssertionError("the studio has gone")


def grow(studio: Studio, seconds: float) -> float:
    """How much the worker's memory grows over so long, after a first while."""
    worker, first = studio.worker(), 0.0
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        options = {"layer": "mixed4b", "size": 256, "steps": 40}
        name = studio.ask("POST", "/api/jobs", {"engine": "dream", "options": options})["id"]
        studio.wait_for(lambda name=name: studio.ask("GET", f"/api/jobs/{name}")["state"] == "done")
        if not first and passed > 0.05 * seconds:
            first = megabytes(worker)
    return megabytes(worker) - first


if __name__ == "__main__":
    raise SystemExit(main())
