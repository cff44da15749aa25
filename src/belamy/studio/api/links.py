"""Fresh links, for another browser: asked for by whoever is in already."""

from __future__ import annotations

from fastapi import APIRouter

from belamy.studio.api.studio import Here

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["what there is"])


@router.post("/links", status_code=201)
async def make(studio: Here) -> dict[str, str]:
    """A path that opens the studio in one more browser, once."""
    return {"path": f"/?token={studio.sessions.make_link()}"}
