"""What runs in the worker processes: torch, pictures, lessons, trainings."""

from __future__ import annotations
