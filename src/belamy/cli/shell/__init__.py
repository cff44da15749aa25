"""What shells are told."""

from __future__ import annotations
