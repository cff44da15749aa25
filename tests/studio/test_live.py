"""Tabs that read slowly lose frames, and cost neither memory nor time; the newest frame wins."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import uvicorn
from fastapi import FastAPI
from tests.studio.serving import memory_of

from belamy.studio.api.live import Hub, Tab
from belamy.studio.api.socket import router
from belamy.studio.settings import StudioSettings
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.pace import Pace
from belamy.studio.worker.preview import Preview
from belamy.studio.worker.progress import Eta

FRAME = {"type": "frame", "job": "0123456789ab", "width": 1024, "height": 1024}


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_a_slow_tab_sees_the_newest_frame_and_costs_one() -> None:
    async def work() -> tuple[bytes, int, float]:
        hub = Hub(list)
        tab = hub.open()
        tracemalloc.start()
        for number in range(2000):
            hub.publish({**FRAME, "frame": number}, bytes(60_000))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        frame = await tab.next()
        assert isinstance(frame, bytes)
        return frame, tab.lost, peak / 1e6

    frame, lost, peak = run(work())
    length = int.from_bytes(frame[:4], "little")
    assert json.loads(frame[4 : 4 + length])["frame"] == 1999
    assert lost == 1999
    assert peak < 1.0  # megabytes, of 120 that were shown


def test_what_is_said_of_a_job_is_said_in_its_last_form() -> None:
    async def work() -> list[dict[str, Any]]:
        hub = Hub(list)
        tab = hub.open()
        for number in range(1000):
            job = {"id": f"job{number % 3}", "state": "working", "step": number}
            hub.publish({"type": "job", "job": job})
        return [json.loads(await tab.next()) for _ in range(3)]

    assert [one["job"]["step"] for one in run(work())] == [999, 997, 998]


def test_texts_that_nobody_reads_are_bounded() -> None:
    async def work() -> int:
        hub = Hub(list)
        tab = hub.open()
        for number in range(5000):
            hub.publish({"type": "result", "result": {"id": str(number)}})
        return len(tab._texts)

    assert run(work()) <= 400


def test_a_tab_that_comes_late_is_told_where_everything_stands() -> None:
    async def work() -> list[Any]:
        hub = Hub(lambda: [{"type": "queue", "jobs": []}])
        hub.publish({"type": "lesson", "job": "a", "first": True, "points": [1]})
        for epoch in range(5):
            hub.publish({"type": "lesson", "job": "a", "first": False, "epoch": epoch})
        hub.publish({**FRAME, "frame": 7}, b"jpeg")
        tab = hub.open()
        return [await tab.next() for _ in range(4)]

    queue, first, latest, frame = run(work())
    assert json.loads(queue)["type"] == "queue"
    assert json.loads(first)["points"] == [1]
    assert json.loads(latest)["epoch"] == 4
    assert frame.endswith(b"jpeg")


def test_a_tab_watches_one_job_or_none() -> None:
    tab = Tab()
    tab.watch("b")
    tab.put_frame("a", b"1")
    tab.put_frame("b", b"2")
    assert run(tab.next()) == b"2"
    tab.watch(None)
    tab.put_frame("b", b"3")
    assert tab.lost == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_tab_that_never_reads_costs_the_server_little() -> None:
    """Through uvicorn, over a real socket: 200 megabytes of frames for somebody who is asleep."""

    async def work() -> tuple[float, int]:
        hub = Hub(list)
        app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
        app.state.studio = SimpleNamespace(hub=hub, settings=StudioSettings(home=Path()))
        app.include_router(router)
        options: Any = {"ws": "websockets-sansio", "ws_per_message_deflate": False}
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", **options))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(HANDSHAKE.format(port=port).encode())
        while len(hub) == 0:
            await asyncio.sleep(0.01)
        before = memory_of(os.getpid())
        for number in range(3000):
            hub.publish({**FRAME, "frame": number}, bytes(70_000))
            await asyncio.sleep(0)
        grown = memory_of(os.getpid()) - before
        writer.close()
        while len(hub):
            await asyncio.sleep(0.01)
        server.should_exit = True
        await serving
        return grown, len(hub)

    grown, left = run(work())
    assert grown < 20  # megabytes
    assert left == 0


HANDSHAKE = (
    "GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)


class Kept(Channel):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, Any], bytes]] = []

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        self.sent.append((header, body))


def test_frames_cost_a_small_part_of_the_time() -> None:
    """However fast the steps come, and however large they are: at most a tenth, of a processor."""
    channel = Kept()
    preview = Preview(channel, "a")
    image = torch.rand(1, 3, 700, 1000)
    began = time.monotonic()
    while time.monotonic() - began < 1.5:
        preview.offer(image)
        time.sleep(0.005)
    passed = time.monotonic() - began
    preview.close()
    assert 2 <= preview.sent <= 1 + passed / 0.09
    assert preview.seconds < 0.1 * passed + 0.1  # one frame may still be under way
    numbers = [header["frame"] for header, _ in channel.sent]
    assert numbers == sorted(set(numbers))


def test_large_pictures_are_shown_as_large_as_a_screen() -> None:
    channel = Kept()
    preview = Preview(channel, "a")
    preview.offer(torch.zeros(1, 3, 100, 3000), (6000, 200))
    deadline = time.monotonic() + 10
    while not channel.sent and time.monotonic() < deadline:
        time.sleep(0.01)
    preview.close()
    ((header, body),) = channel.sent
    assert (header["width"], header["height"]) == (1000, 34)
    assert (header["full_width"], header["full_height"]) == (6000, 200)
    assert body.startswith(b"\xff\xd8")


def test_the_time_that_is_left() -> None:
    """The median of the last paces times the work that is left, from the third step on."""
    eta = Eta()
    found = [eta.update(done / 10, done * 2.0) for done in range(1, 6)]
    assert found[:2] == [None, None]
    assert found[2:] == pytest.approx([14.0, 12.0, 10.0])
    assert eta.update(0.6, 60.0) == pytest.approx(8.0)  # one slow step does not count for more


def test_a_lesson_that_is_paused_between_two_messages_says_where_it_stands() -> None:
    """Else the page shows an epoch that is over, and one step seems to be two."""
    control, sent = Control(), list[dict[str, Any]]()
    order, channel = SimpleNamespace(job="a"), SimpleNamespace(send=sent.append)
    pace = Pace(order, control, channel, total=9, per_message=100)  # type: ignore[arg-type]
    pace.send(0, {})
    steps = pace.steps(lambda: {"loss": 0.5})
    assert [next(steps), next(steps), next(steps)] == [1, 2, 3]
    assert not pace.is_due(3)
    control.command({"action": "pause"})
    threading.Timer(0.2, control.command, [{"action": "step"}]).start()
    assert next(steps) == 4
    lessons = [one for one in sent if one["type"] == "lesson"]
    assert [(one["epoch"], one["playing"]) for one in lessons] == [(0, True), (3, False)]


def test_a_lesson_is_paused_and_stepped() -> None:
    control = Control()
    control.command({"action": "pause"})
    control.command({"action": "step"})
    assert control.wait_for_turn()
    assert control.steps == 0
    control.command({"speed": 4})
    assert (control.speed, control.playing) == (4.0, False)
    seen: list[int] = []
    control.on_stop(lambda: seen.append(1))
    control.stop()
    control.stop()
    assert seen == [1]
    assert not control.wait_for_turn()
