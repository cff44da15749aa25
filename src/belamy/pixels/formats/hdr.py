"""PQ and HLG, whose light is brighter than any white of sRGB, rolled off into it.

The curve is that of ITU-R BT.2390-11, 5.4.1, for a screen as bright as HDR's reference white.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from belamy.pixels.formats.spaces import Floats, Space, from_code

__all__ = ["HLG", "PQ", "tone_mapped_space"]

PQ, HLG = 16, 18
"""ITU-T H.273, table 3."""

WHITE = 203.0
"""Candelas a square metre of reference white: ITU-R BT.2408."""

PEAK = 1000.0
"""Of the screen that a film is thought to be graded on: HLG's by definition, PQ's mostly."""

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_HLG_A, _HLG_B, _HLG_C, _HLG_GAMMA = 0.17883277, 0.28466892, 0.55991073, 1.2
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020's primaries


def tone_mapped_space(primaries: int, transfer: int) -> Space:
    """From stored PQ or HLG to sRGB."""
    plain = from_code(primaries, 8, "")  # 8: light as it is, for the primaries' sake
    light = _light_of_pq if transfer == PQ else _light_of_hlg
    return Space(lambda stored: _roll_off(light(stored)), None if plain is None else plain.matrix)


def _light_of_pq(stored: Floats) -> Floats:
    """SMPTE ST 2084: candelas a square metre."""
    root = np.maximum(stored, 0) ** (1 / _M2)
    return 10_000 * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1)


def _pq_of(light: Any) -> Any:
    power = (np.maximum(light, 0) / 10_000) ** _M1
    return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2


def _light_of_hlg(stored: Floats) -> Floats:
    """ITU-R BT.2100: the scene's light, and the system's gamma on a screen of `PEAK`."""
    bright = np.exp((stored - _HLG_C) / _HLG_A) + _HLG_B
    scene = np.where(stored <= 0.5, np.maximum(stored, 0) ** 2 / 3, bright / 12)
    luminance = scene @ _LUMINANCE
    return PEAK * scene * np.maximum(luminance, 1e-9)[..., None] ** (_HLG_GAMMA - 1)


def _roll_off(light: Floats) -> NDArray[np.floating[Any]]:
    """Light in which white is 1; the brightest of three colours tells how much all are dimmed."""
    brightest = np.maximum(light.max(-1, keepdims=True), 1e-6)
    top = _pq_of(PEAK)
    level = np.minimum(_pq_of(brightest) / top, 1)
    most = _pq_of(WHITE) / top
    knee = 1.5 * most - 0.5
    t = np.clip((level - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (3 * t**2 - 2 * t**3) * most
    )
    target = _light_of_pq(np.where(level < knee, level, spline) * top)
    mapped: NDArray[np.floating[Any]] = light * (target / brightest) / WHITE
    return mapped
