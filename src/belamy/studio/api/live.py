"""What all open tabs are told, each as fast as it listens; the newest wins, none holds a job up.

What is not sent yet is kept by its subject, so that a tab that does not read costs a bounded amount
of memory: one status for each job, one frame for each job.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["Hub", "Tab"]

_LENGTH = struct.Struct("<I")
_MOST = 400  # texts that wait for one tab
_ALL = "*"


def _pack_frame(message: dict[str, Any], body: bytes) -> bytes:
    header = {name: value for name, value in message.items() if name != "type"}
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(text)), text, body))


def _subject(message: dict[str, Any]) -> str:
    """Of two messages on the same subject only the newer one counts."""
    kind = message["type"]
    if kind == "job":
        return f"job {message['job']['id']}"
    if kind == "result":
        return f"result {message['result']['id']}"
    if kind == "lesson":
        return f"lesson {message['job']} {bool(message.get('first'))}"
    return str(kind)


class Tab:
    """One open WebSocket: what it has not been sent yet."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._frames: dict[str, bytes] = {}
        self._news = asyncio.Event()
        self.watched: str | None = _ALL
        self.lost = 0

    def put_text(self, subject: str, text: str) -> None:
        """Say something, in place of what was said on the same subject and is not sent yet."""
        if subject not in self._texts and len(self._texts) >= _MOST:
            del self._texts[next(iter(self._texts))]
        self._texts[subject] = text
        self._news.set()

    def put_frame(self, job: str, frame: bytes) -> None:
        """Show a frame, in place of the job's last one."""
        if self.watched not in (_ALL, job):
            return
        self.lost += job in self._frames
        self._frames[job] = frame
        self._news.set()

    def watch(self, job: str | None) -> None:
        """See frames of one job alone; None for no frames."""
        self.watched = job
        self._frames = {name: one for name, one in self._frames.items() if name == job}

    async def next(self) -> str | bytes:
        """What is to be sent next: texts first."""
        while True:
            if self._texts:
                return self._texts.pop(next(iter(self._texts)))
            if self._frames:
                return self._frames.pop(next(iter(self._frames)))
            self._news.clear()
            await self._news.wait()


class Hub:
    """All open tabs, and what a new one is told first.

    Args:
        snapshot: gives the messages that bring a new tab up to date.
    """

    def __init__(self, snapshot: Callable[[], list[dict[str, Any]]]) -> None:
        self._tabs: set[Tab] = set()
        self._snapshot = snapshot
        self._latest: dict[str, bytes] = {}
        self._lessons: dict[tuple[str, bool], str] = {}

    def __len__(self) -> int:
        return len(self._tabs)

    def publish(self, message: dict[str, Any], body: bytes = b"") -> None:
        """Tell all tabs."""
        if message["type"] == "frame":
            frame = _pack_frame(message, body)
            self._latest = {message["job"]: frame}
            for tab in self._tabs:
                tab.put_frame(message["job"], frame)
            return
        text = json.dumps(message, separators=(",", ":"))
        if message["type"] == "lesson":
            self._remember_lesson(message, text)
        elif message["type"] == "job" and message["job"]["state"] in ("done", "stopped", "failed"):
            self._latest.pop(message["job"]["id"], None)
        subject = _subject(message)
        for tab in self._tabs:
            tab.put_text(subject, text)

    def _remember_lesson(self, message: dict[str, Any], text: str) -> None:
        job, first = message["job"], bool(message.get("first"))
        self._lessons = {key: old for key, old in self._lessons.items() if key[0] == job}
        self._lessons[job, first] = text

    def open(self) -> Tab:
        """A new tab, told how everything stands."""
        tab = Tab()
        for message in self._snapshot():
            tab.put_text(_subject(message), json.dumps(message, separators=(",", ":")))
        for (job, first), text in sorted(self._lessons.items(), key=lambda one: not one[0][1]):
            tab.put_text(f"lesson {job} {first}", text)
        for job, frame in self._latest.items():
            tab.put_frame(job, frame)
        self._tabs.add(tab)
        return tab

    def close(self, tab: Tab) -> None:
        """The tab is gone."""
        self._tabs.discard(tab)
