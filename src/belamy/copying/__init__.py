"""A work written down: as a command, as Python, as a notebook; and settings that have a name."""

from __future__ import annotations
