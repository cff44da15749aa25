"""What the studio remembers: one SQLite file, and folders that a person can read."""

from __future__ import annotations
