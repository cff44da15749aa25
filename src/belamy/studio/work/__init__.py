"""The server's side of the work: the queue, and the processes that it is handed to."""

from __future__ import annotations
