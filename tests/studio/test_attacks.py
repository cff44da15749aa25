"""What a hostile page, file or script could try against a studio that runs."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.studio.serving import Served, child_running, memory_of, studio, until

UPLOAD_LIMIT = 2_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("studio")
    with studio(home, upload_bytes=UPLOAD_LIMIT, upload_seconds=1.5) as one:
        (home / "secret.txt").write_text("SECRET")
        (home / "secret.png").write_text("SECRET")
        yield one


def png(width: int = 40, height: int = 30, colour: tuple[int, ...] = (90, 120, 200)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


HOSTILE = [
    *("../secret.txt", "..%2fsecret.txt", "..%2Fsecret.txt", "%2e%2e/secret.txt"),
    *("%2e%2e%2fsecret.txt", "..%252fsecret.txt", "%252e%252e%252fsecret.txt", "..\\secret.txt"),
    *("..%5csecret.txt", "..%255csecret.txt", "%c0%ae%c0%ae%c0%afsecret.txt", "....//secret.txt"),
    *("..;/secret.txt", ".../secret.txt", "..%00/secret.txt", "..%0d%0a/secret.txt"),
    *("/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "file:///etc/passwd", "~/secret.txt"),
    *(
        "C:%5cWindows%5cwin.ini",
        "%5c%5chost%5cshare",
        "..%u2215secret.txt",
        "..%ef%bc%8fsecret.txt",
    ),
]
PLACES = [
    "/{}",
    "/js/{}",
    "/api/pictures/{}",
    "/api/pictures/{}/thumb",
    "/api/results/{}",
    "/api/results/{}/thumb",
    "/api/results/{}/recipe",
    "/api/jobs/{}",
    "/api/layers/{}",
    "/api/layers/iris/{}/thumb",
    "/api/layers/iris/conv1/channels/{}/thumb",
    "/api/classes/{}",
]


def test_no_spelling_of_a_path_leads_out(served: Served) -> None:
    """More than 60: each in each place; written on the line as it stands, since clients tidy up."""
    spellings = [(place, one) for place in PLACES for one in HOSTILE]
    assert len(spellings) >= 60
    key = served.key
    for place, one in spellings:
        line = f"GET {place.format(one)} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        line += f"Authorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        answer = served.raw(line.encode("latin-1"))
        status = int(answer.split(b" ", 2)[1])
        assert 400 <= status < 500, (place, one, answer[:200])
        assert b"SECRET" not in answer
        assert b"root:" not in answer


def test_no_result_or_picture_can_be_made_of_a_path(served: Served) -> None:
    for value in ("../secret.png", "/etc/passwd", str(served.home / "secret.png"), 7, True, {}):
        body = {"engine": "dream", "inputs": {"picture": value}, "options": {}}
        assert served.call("POST", "/api/jobs", body).status == 422
        options = {"model": value}
        body = {"engine": "dream", "inputs": {}, "options": options}
        assert served.call("POST", "/api/jobs", body).status == 422
    missing = {"engine": "dream", "inputs": {"picture": "0123456789ab"}, "options": {}}
    assert served.call("POST", "/api/jobs", missing).status == 404


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.png",
        "..\\..\\evil.png",
        "/etc/evil.png",
        "evil\x00.png",
        "<img src=x onerror=alert(1)>.png",
        "con.png",
        ".hidden",
        "a" * 500 + ".png",
        "",
        "\u202egnp.exe",
        "a\r\nSet-Cookie: b=c",
    ],
)
def test_names_of_pictures_are_words(served: Served, name: str) -> None:
    from urllib.parse import quote

    answer = served.upload(png(), quote(name))
    assert answer.status == 201, answer.body
    assert not re.search(r"[/\\<>\x00-\x1f\u202e]", answer.json["name"])
    folder = served.home / "pictures"
    inside = {path.name for path in folder.iterdir()}
    assert all(path.parent == folder and path.is_file() for path in folder.iterdir())
    assert not [one for one in inside if one.startswith(".")]
    assert not list(served.home.glob("evil*"))
    assert len(max(inside, key=len)) < 120


def test_a_picture_is_not_served_as_a_page(served: Served) -> None:
    """Be its name and its metadata a script."""
    buffer = io.BytesIO()
    picture = Image.new("RGB", (8, 8))
    exif = Image.Exif()
    exif[270] = "<script>alert(1)</script>"
    picture.save(buffer, "JPEG", exif=exif)
    added = served.upload(buffer.getvalue(), "x.html", "image/jpeg")
    answer = served.call("GET", added.json["url"])
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for data in (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"<html>", b"x" * 99):
        answer = served.upload(data, "x.svg", "image/svg+xml")
        assert answer.status == 415
        assert "\n" not in answer.json["error"]


def chunk(kind: bytes, data: bytes) -> bytes:
    length, check = struct.pack(">I", len(data)), struct.pack(">I", zlib.crc32(kind + data))
    return length + kind + data + check


def bomb(width: int, height: int) -> bytes:
    """A PNG of many pixels, all alike, in few bytes."""
    rows = zlib.compressobj(9)
    line = b"\0" * (1 + 3 * width)
    data = b"".join(rows.compress(line) for _ in range(min(height, 64))) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0" * 6
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\0;"
    return head + frame


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info + b"\0" * 99


BOMBS = [
    *(bomb(*size) for size in ((20_000, 20_000), (70_000, 1_000), (1_000, 70_000), (9_000, 9_000))),
    *(gif(*size) for size in ((60_000, 60_000), (65_535, 1_100))),
    *(webp(*size) for size in ((16_000, 16_000), (16_383, 9_000))),
    *(bmp(*size) for size in ((30_000, 30_000), (40_000, 2_000))),
]


def test_bombs_are_refused_from_their_headers(served: Served) -> None:
    """Ten of four formats, each in a fifth of a second and twenty megabytes, once a decoder runs.

    The time is that of the processor in both processes: on a machine that has nothing else to do
    it is the longest that the user waits.
    """
    assert served.upload(png()).status == 201
    decoder = child_running(served.process.pid, "belamy.studio.worker.decoder")
    assert decoder is not None
    both = (decoder, served.process.pid)
    for data in BOMBS:
        before = [begin_peak(one) for one in both]
        used = sum(seconds_of(one) for one in both)
        answer = served.upload(data)
        used = sum(seconds_of(one) for one in both) - used
        assert answer.status == 415, answer.body
        assert used < 0.2
        for one, memory in zip(both, before, strict=True):
            assert memory_of(one, "VmHWM") - memory < 20
    assert "megapixels" in served.upload(BOMBS[0]).json["error"]


def begin_peak(process: int) -> float:
    """Have the system measure a process's peak from now on; its megabytes now."""
    Path(f"/proc/{process}/clear_refs").write_text("5")
    return memory_of(process)


def seconds_of(process: int) -> float:
    """Of the processor, that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_too_many_bytes_are_refused(served: Served) -> None:
    answer = served.upload(b"\0" * (UPLOAD_LIMIT + 1))
    assert answer.status == 413
    assert "larger" in answer.json["error"]
    assert leftovers(served) == []


def leftovers(served: Served) -> list[str]:
    return [path.name for path in (served.home / "pictures").iterdir() if path.name[0] == "."]


def begin_upload(served: Served, *lines: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    head = f"POST /api/pictures HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
    head += f"Authorization: Bearer {served.key}\r\nContent-Type: image/png\r\n"
    line.sendall((head + "\r\n".join(lines) + "\r\n\r\n").encode())
    return line


def test_an_endless_picture_ends(served: Served) -> None:
    """Sent in chunks, so that nobody knows how long it will be."""
    with begin_upload(served, "Transfer-Encoding: chunked") as line:
        part = b"10000\r\n" + b"\0" * 0x10000 + b"\r\n"
        answer = b""
        for _ in range(4 * UPLOAD_LIMIT // 0x10000):
            try:
                line.sendall(part)
            except OSError:
                break
        line.settimeout(10)
        try:
            answer = line.recv(4096)
        except OSError:  # it hung up while we were talking
            answer = b" 413 "
        assert b" 413 " in answer
    until(lambda: not leftovers(served))
    assert served.call("GET", "/api/status").status == 200


def test_a_slow_picture_ends(served: Served) -> None:
    """A byte now and then, for ever: given up in its time, and others are served meanwhile."""
    with begin_upload(served, "Content-Length: 1000") as line:
        line.sendall(b"\x89PNG")
        assert served.call("GET", "/api/status").status == 200
        began = time.monotonic()
        answer = line.recv(4096)
        assert b" 400 " in answer
        assert b"did not come within" in answer or b"did not come within" in line.recv(4096)
        assert time.monotonic() - began < 20
    until(lambda: not leftovers(served))


def test_a_picture_that_breaks_off_leaves_nothing(served: Served) -> None:
    with begin_upload(served, "Content-Length: 100000") as line:
        line.sendall(b"\x89PNG" * 100)
    until(lambda: not leftovers(served))


@pytest.mark.parametrize(
    ("data", "media", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"engine": NaN}', "application/json", 400),
        (b'{"engine": "dream", "engine": "style"}', "application/json", 400),
        (b'{"engine": "dream", "options": {"strength": Infinity}}', "application/json", 400),
        (b'{"engine": "dream", "options": {"strength": 1e999}}', "application/json", 422),
        (b'{"engine": "dream", "more": 1}', "application/json", 422),
        (b'{"engine": "nonsense"}', "application/json", 404),
        (b'{"engine": "dream"}', "text/plain", 415),
        (b'{"engine": "dream"}', "application/x-www-form-urlencoded", 415),
        (b"[" * 200_000, "application/json", 400),
        (b" " * 1_100_000, "application/json", 413),
        (
            b'{"engine": "dream", "options": {"seed": ' + b"9" * 5000 + b"}}",
            "application/json",
            400,
        ),
        (b"\xff\xfe", "application/json", 400),
    ],
)
def test_requests_that_are_no_jobs(served: Served, data: bytes, media: str, status: int) -> None:
    answer = served.call("POST", "/api/jobs", data, {"Content-Type": media})
    assert answer.status == status, answer.body
    assert "\n" not in answer.json["error"]
    assert len(answer.json["error"]) <= 700


def test_settings_and_presets_are_bounded(served: Served) -> None:
    assert served.call("PUT", "/api/settings", {"theme": "dark", "own": {"a": [1]}}).status == 200
    assert served.call("GET", "/api/settings").json["own"] == {"a": [1]}
    assert "theme" not in served.call("PUT", "/api/settings", {"theme": None}).json
    assert served.call("PUT", "/api/settings", {"x": "y" * 400_000}).status == 413
    assert served.call("PUT", "/api/settings", {"x" * 101: 1}).status == 422
    many = {f"name {number}": 1 for number in range(300)}
    assert served.call("PUT", "/api/settings", many).status == 422
    path = "/api/presets/dream/%3Cscript%3E"
    assert served.call("PUT", path, {"options": {"layer": "mixed4c"}}).status == 200
    assert {"engine": "dream", "name": "<script>", "options": {"layer": "mixed4c"}} in served.call(
        "GET", "/api/presets"
    ).json
    assert served.call("PUT", path, {"options": {"octavs": 3}}).status == 422
    assert served.call("DELETE", path).status == 200
    assert served.call("DELETE", path).status == 404


def test_a_flood_of_jobs_is_refused_and_the_studio_lives(tmp_path: Path) -> None:
    with studio(tmp_path, waiting=50) as served:
        body = {"engine": "dream", "options": {"size": 64, "steps": 1}}
        codes = [served.call("POST", "/api/jobs", body).status for _ in range(200)]
        assert set(codes) == {202, 429}
        assert 50 <= codes.count(202) <= 60
        assert served.call("GET", "/api/status").json["queue"] >= 45
        assert memory_of(served.process.pid) < 120
        for job in served.call("GET", "/api/jobs").json:
            served.call("POST", f"/api/jobs/{job['id']}/stop")
        until(lambda: served.call("GET", "/api/status").json["queue"] == 0)


def test_the_server_says_nothing_of_itself(served: Served) -> None:
    headers = served.call("GET", "/api/status").headers
    assert "server" not in headers
    names = set(served.call("GET", "/api/openapi.json").json["paths"])
    assert "/api/jobs" in names
    page = served.call("GET", "/api/docs").body.decode()
    assert "<script" not in page
    assert "http://" not in page.replace("http://127.0.0.1", "")
    assert json.loads(served.call("GET", "/api/engines").body)["engines"]
