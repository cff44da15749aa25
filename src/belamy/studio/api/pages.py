"""The page's own files: exactly those that come with the package, by a table made beforehand."""

from __future__ import annotations

import functools
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles

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
_STATIC = StaticFiles()  # for its comparison of what the browser has; it serves nothing
_NONE = "<!doctype html><meta charset=utf-8><title>belamy studio</title><p>The page is not here."


def page_folder() -> Path:
    """Where they are."""
    return Path(__file__).parents[1] / "page"


@functools.cache
def find_page_files(folder: Path) -> dict[str, Path]:
    """Path in an address → file: the only ones that can be asked for. Looked up once."""
    return {
        "/" + path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in MEDIA and not path.name.startswith(".")
    }


@router.get("/")
async def index(request: Request) -> Response:
    """The page itself."""
    path = page_folder() / "index.html"
    return _send(request, path) if path.is_file() else HTMLResponse(_NONE)


@router.get("/{path:path}")
async def file(request: Request, path: str) -> Response:
    """One of its files."""
    found = find_page_files(page_folder()).get("/" + path)
    if found is None:
        raise Problem(404, "there is nothing here")
    return _send(request, found)


def _send(request: Request, path: Path) -> Response:
    """A file; 304 where the browser has it as it is, which opens a page again more quickly."""
    media = MEDIA[path.suffix]
    response = FileResponse(path, media_type=media, headers=_FRESH, stat_result=path.stat())
    same = _STATIC.is_not_modified(response.headers, request.headers)
    return NotModifiedResponse(response.headers) if same else response
