"""Many pictures: one on each core at a time, and what is said of them in their order."""

from __future__ import annotations
