"""The page's own files: exactly those that come with the package, by a table made beforehand."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse
from starlette.responses import Response

from belamy.studio.api.errors import Problem

__all__ = ["MEDIA", "find_page_files", "page_folder", "router"]

router = APIRouter(include_in_schema=False)

MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
_FRESH = {"Cache-Control": "no-cache"}  # asks each time whether it has changed
_NONE = "<!doctype html><meta charset=utf-8><title>belamy studio</title><p>The page is not here."


def page_folder() -> Path:
    """Where they are."""
    return Path(__file__).parents[1] / "page"


def find_page_files(folder: Path) -> dict[str, Path]:
    """Path in an address → file: the only ones that can be asked for."""
    return {
        "/" + path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in MEDIA and not path.name.startswith(".")
    }


@router.get("/")
async def index(request: Request) -> Response:
    """The page itself."""
    path = page_folder() / "index.html"
    if not path.is_file():
        return HTMLResponse(_NONE)
    return FileResponse(path, media_type=MEDIA[".html"], headers=_FRESH)


@router.get("/{path:path}")
async def file(request: Request, path: str) -> Response:
    """One of its files."""
    found = find_page_files(page_folder()).get("/" + path)
    if found is None:
        raise Problem(404, "there is nothing here")
    return FileResponse(found, media_type=MEDIA[found.suffix], headers=_FRESH)
