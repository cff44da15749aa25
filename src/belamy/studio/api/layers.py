"""What each layer and each channel of a network likes, as small pictures."""

from __future__ import annotations

from fastapi import APIRouter

__all__ = ["router"]

router = APIRouter(prefix="/api/layers", tags=["layers"])
