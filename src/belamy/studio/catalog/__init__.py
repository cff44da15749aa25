"""What the studio can do, read from the engines; imports no torch."""

from __future__ import annotations
