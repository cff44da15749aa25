"""A studio that runs for tests, and a client that says exactly what it is told."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMITED = """
import sys, json
from dataclasses import replace
from pathlib import Path
from belamy.studio.serve import serve
from belamy.studio.settings import Limits, StudioSettings
home, roots, warm, limits = json.loads(sys.argv[1])
settings = StudioSettings(home=Path(home), port=0, roots=tuple(map(Path, roots)), warm=warm,
                          limits=Limits(**limits))
serve(settings, lambda line: print(line, flush=True), browse=False)
"""
PATIENCE = 90.0  # seconds for anything that happens, on a machine that is busy


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A studio in a process of its own."""

    process: subprocess.Popen[str]
    link: str
    home: Path

    @property
    def port(self) -> int:
        return int(self.link.partition("://")[2].partition("/")[0].rpartition(":")[2])

    @property
    def key(self) -> str:
        return (self.home / ".studio" / "key").read_text().strip()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        key: bool = True,
    ) -> Answer:
        """A request; what is no bytes is sent as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if data is not None else {}
        given |= {"Authorization": f"Bearer {self.key}"} if key else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, data, {**given, **(headers or {})})
            answer = connection.getresponse()
            lines = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, lines, answer.read())
        finally:
            connection.close()

    def raw(self, data: bytes, timeout: float = 10.0) -> bytes:
        """Bytes as they are; what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as line:
            line.sendall(data)
            parts = []
            while part := line.recv(65536):
                parts.append(part)
            return b"".join(parts)

    def upload(self, data: bytes, name: str = "picture.png", media: str = "image/png") -> Answer:
        return self.call("POST", "/api/pictures", data, {"Content-Type": media, "X-Name": name})

    def job(self, engine: str, *, inputs: Any = None, **options: Any) -> dict[str, Any]:
        """Start one; it must be taken."""
        body = {"engine": engine, "inputs": inputs or {}, "options": options}
        answer = self.call("POST", "/api/jobs", body)
        assert answer.status == 202, answer.body
        started: dict[str, Any] = answer.json
        return started

    def follow(
        self, job: str, wish: Callable[[dict[str, Any]], Any], seconds: float = PATIENCE
    ) -> dict[str, Any]:
        """A job, once it is as wished; given up when nothing of it has changed for so long."""
        seen, end = None, 0.0
        while True:
            found: dict[str, Any] = self.call("GET", f"/api/jobs/{job}").json
            if wish(found):
                return found
            life = [found[name] for name in ("state", "step", "done", "message")]
            if life != seen:
                seen, end = life, time.monotonic() + seconds
            assert time.monotonic() < end, f"nothing new in {seconds:g} s: {found}"
            time.sleep(0.05)

    def wait(self, job: str, state: str = "done", seconds: float = PATIENCE) -> dict[str, Any]:
        """Until a job is over; it must end so."""
        found = self.follow(job, lambda one: one["state"] in ("done", "stopped", "failed"), seconds)
        assert found["state"] == state, found
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> int:
        """As Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self._close()
        return code


def until(look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What `look` gives, once that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing came in {seconds:g} s")


def start(home: Path, roots: tuple[Path, ...] = (), *, warm: bool = False, **limits: Any) -> Served:
    """Start a studio; it answers when this returns."""
    said = json.dumps([str(home), [str(root) for root in roots], warm, limits])
    process = subprocess.Popen(
        [sys.executable, "-c", LIMITED, said],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    assert ready, "the studio says nothing"
    served = Served(process, process.stdout.readline().strip(), home)
    until(lambda: answers(served))
    return served


def answers(served: Served) -> bool:
    assert served.process.poll() is None, "the studio has ended"
    try:
        return served.call("GET", "/api/status").status == 200
    except OSError:
        return False


@contextmanager
def studio(home: Path, **settings: Any) -> Iterator[Served]:
    served = start(home, **settings)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.kill()


def memory_of(process: int, name: str = "VmRSS") -> float:
    """Megabytes that a process takes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = [one for one in lines if one.startswith(name + ":")]
    return int(line.split()[1]) / 1024


def children_of(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(one) for one in path.read_text().split()]


def child_running(process: int, module: str) -> int | None:
    """The child that runs a module."""
    for child in children_of(process):
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if module.encode() in words:
            return child
    return None
