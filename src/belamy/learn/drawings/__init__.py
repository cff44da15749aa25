"""What the lessons show: one module for each, and the style that all share."""

from __future__ import annotations
