"""The studio's HTTP and WebSocket interface."""

from __future__ import annotations
