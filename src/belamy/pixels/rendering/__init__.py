"""Scenes with exact depth, rendered: boxes, height fields and cards seen by a pinhole camera."""

from __future__ import annotations
