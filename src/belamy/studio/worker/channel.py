"""How a worker process and the server talk: JSON lines in, messages with an attachment out.

A message is two lengths (uint32, little-endian), a JSON header and the bytes that belong to it.
Nothing is pickled, so that a worker could be taken over without the server being so.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

__all__ = ["LENGTHS", "Channel"]

LENGTHS = struct.Struct("<II")
"""Of header and attachment."""


class Channel:
    """A worker's end.

    Args:
        source: where the server's lines come from.
        target: where messages go.
    """

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source, self._target = source, target
        self._lock = threading.Lock()

    @classmethod
    def take_over(cls) -> Channel:
        """This process's own: what libraries print goes to standard error from now on."""
        target = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        return cls(sys.stdin.buffer, target)

    def orders(self) -> Iterator[dict[str, Any]]:
        """The server's lines, until it is gone."""
        for line in self._source:
            yield dict(json.loads(line))

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Tell the server something; from any thread."""
        text = json.dumps(header, separators=(",", ":")).encode()
        data = b"".join((LENGTHS.pack(len(text), len(body)), text, body))
        with self._lock:
            view = memoryview(data)
            try:
                while view:
                    view = view[self._target.write(view) :]
            except BrokenPipeError:  # the server is gone: the thread that listens ends the process
                return
