"""Settings that come from elsewhere than what is typed: a picture, a preset, a file of defaults."""

from __future__ import annotations
