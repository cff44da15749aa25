"""The lecture *Machine learning e creatività artificiale*, walked through stop by stop.

Texts in `en.md` and `it.md`, the same stops in the same order as `STOPS`, which holds the commands
that make their pictures.
"""

from __future__ import annotations
