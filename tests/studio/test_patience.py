"""Who is slow, falls silent or fills the disk is told so, and nobody else waits for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

import pytest
from tests.studio.serving import Served, studio
from tests.studio.test_attacks import png

SHORT = 1.0  # seconds that the studio waits here


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = {"header_seconds": SHORT, "body_seconds": SHORT, "upload_pause": SHORT}
    with studio(tmp_path_factory.mktemp("studio"), **limits, stored_bytes=60_000) as found:  # type: ignore[arg-type]
        yield found


@contextmanager
def line(served: Served) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as found:
        yield found


def closed_after(connection: socket.socket) -> float:
    began = time.monotonic()
    while connection.recv(65536):
        pass
    return time.monotonic() - began


@pytest.mark.parametrize(
    "begun", [b"", b"GET /api/status HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "]
)
def test_headers_that_never_end_are_not_waited_for(served: Served, begun: bytes) -> None:
    with line(served) as connection:
        connection.sendall(begun)
        assert closed_after(connection) < 15


def test_a_second_request_may_not_hang_either(served: Served) -> None:
    """After a whole one, on the same connection."""
    with line(served) as connection:
        whole = f"GET /none HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n"
        connection.sendall(whole.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 403")
        connection.sendall(b"GET /none HT")
        assert closed_after(connection) < 15


def test_many_slow_ones_leave_the_studio_open(served: Served) -> None:
    lines = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(100)]
    for one in lines:
        one.sendall(b"GET / HTTP/1.1\r\n")
    time.sleep(2 * SHORT)
    assert served.call("GET", "/api/status").status == 200
    for one in lines:
        one.close()


def post(served: Served, path: str, media: str, length: int, sent: bytes) -> bytes:
    """A body that stops in the middle."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: {media}\r\n"
        f"Authorization: Bearer {served.key}\r\nContent-Length: {length}\r\n\r\n"
    )
    with line(served) as connection:
        connection.sendall(head.encode() + sent)
        answer = HTTPResponse(connection)
        answer.begin()
        return f"HTTP/1.1 {answer.status} ".encode() + answer.read()


def test_json_that_does_not_come_is_refused(served: Served) -> None:
    answer = post(served, "/api/jobs", "application/json", 500, b'{"engine": ')
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"did not come within 1 s" in answer


def test_a_picture_that_falls_silent_is_refused(served: Served) -> None:
    answer = post(served, "/api/pictures", "image/png", 5000, png()[:40])
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"nothing came for 1 s" in answer
    pictures = served.home / "pictures"
    assert not [path for path in pictures.iterdir() if "arriving" in path.name]


def test_what_is_dropped_in_has_its_share_of_the_disk(served: Served) -> None:
    (served.home / "pictures" / "older.bin").write_bytes(bytes(59_000))
    time.sleep(1.1)  # it is looked up once a second
    refused = served.upload(bytes(5000))
    assert refused.status == 507
    assert "delete what is no longer needed" in refused.json["error"]
    (served.home / "pictures" / "older.bin").unlink()
    time.sleep(1.1)
    assert served.upload(png()).status == 201


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with studio(tmp_path, spare_bytes=1 << 60) as served:
        refused = served.upload(png())
    assert refused.status == 507
    assert "nearly full" in refused.json["error"]
